//! A server that counts its connections, a client in a process of its own, and the figures that must be right at rest.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use crate::{
    client::{Answer, Batch, Client},
    live::{Live, live, wait_until},
    server::{self, serve},
    told::{Reports, Told, layer},
};
use axum::Router;
use std::{
    env,
    fmt::Debug,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::runtime::{self, Runtime};
use tower_memory::MemoryLayer;

/// The most that a connection may hold of its last request: the table of the response's headers.
pub(crate) const HEAD: u64 = 1024;

/// Requests of one shape, and the memory they keep.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The label of the route.
    pub(crate) route: &'static str,
    /// Bytes that each request keeps.
    pub(crate) keeps: u64,
    /// How many bytes the route may be off in the end, whatever the number of requests. Give the reason where you set
    /// it.
    pub(crate) slack: u64,
    pub(crate) batch: Batch,
}

pub(crate) struct Bench {
    pub(crate) address: SocketAddr,
    pub(crate) reports: Reports,
    pub(crate) client: Client,
    server: Option<Runtime>,
    driver: Runtime,
    connections: Arc<AtomicU64>,
    _alone: MutexGuard<'static, ()>,
}

/// How many requests of a small shape to send: `count`, or the value of `OWNERS_REQUESTS`.
pub(crate) fn requests(count: usize) -> usize {
    let asked = env::var("OWNERS_REQUESTS").ok();
    asked.map_or(count, |asked| asked.parse().expect("a number of requests"))
}

impl Bench {
    pub(crate) fn new(workers: usize, router: impl FnOnce(MemoryLayer) -> Router) -> Self {
        Self::with_send_buffers(None, workers, router)
    }

    /// With kernel buffers of this size, which fill up if a client doesn't read.
    pub(crate) fn with_send_buffers(
        bytes: Option<u32>,
        workers: usize,
        router: impl FnOnce(MemoryLayer) -> Router,
    ) -> Self {
        // The figures belong to the process, so tests run one at a time.
        static PROCESS: Mutex<()> = Mutex::new(());
        let alone = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        let reports = Reports::default();
        let server = server::start(workers);
        let driver = runtime::Builder::new_current_thread().enable_all().build();
        let driver = driver.expect("a runtime");
        let client = driver.block_on(async { Client::start() });
        let connections = Arc::new(AtomicU64::new(0));
        let router = {
            let _inside = server.enter();
            router(layer(&reports))
        };
        let address = serve(&server, bytes, router, &connections);
        Self {
            address,
            reports,
            client,
            server: Some(server),
            driver,
            connections,
            _alone: alone,
        }
    }

    pub(crate) fn run(&mut self, batch: &Batch) -> Answer {
        self.driver.block_on(self.client.run(batch))
    }

    /// Starts more clients, to run at the same time.
    pub(crate) fn clients(&self, count: usize) -> Vec<Client> {
        self.driver
            .block_on(async { (0..count).map(|_| Client::start()).collect() })
    }

    /// Runs all batches at once; each request must be answered.
    pub(crate) fn run_all(&mut self, clients: &mut [Client], batches: &[Batch]) {
        let all = clients.iter_mut().zip(batches);
        let all = all.map(|(client, batch)| client.run(batch));
        let answers = self.driver.block_on(futures_util::future::join_all(all));
        for (answer, batch) in answers.iter().zip(batches) {
            assert_eq!(answer.failed, 0, "{answer:?} to {batch:?}");
        }
    }

    pub(crate) fn close(&mut self) {
        self.driver.block_on(self.client.close());
    }

    /// Sends the requests of `case`, and checks all figures against the memory they keep.
    pub(crate) fn check(&mut self, case: &Case) {
        self.warm_up(case);
        let before = self.at_rest();
        self.reports.lock().expect("no panic").clear();
        let mut batch = case.batch.clone();
        batch.hold = true;
        let answer = self.run(&batch);
        assert_eq!(answer.failed, 0, "{answer:?} to {batch:?}");
        let count = batch.count as u64;
        let kept = count * case.keeps;

        // While its connections are open, each may hold the head of its last response.
        let open = HEAD * self.connections.load(Ordering::SeqCst) + case.slack;
        wait_until(|| {
            let now = live();
            let grown = now.of(case.route) - before.of(case.route);
            let is_right = now.open == 0
                && grown >= kept as i64 - case.slack as i64
                && grown <= (kept + open) as i64;
            is_right.then_some(()).ok_or_else(|| {
                format!("{grown} bytes at {}, {kept} are kept, {} requests are open, connections may hold {open}", case.route, now.open)
            })
        });
        self.close();
        self.settled(&before, &[(case.route, kept, case.slack)], case);
        self.assert_told(case, count);
    }

    /// Waits until the routes have grown by this much since `before`, all others by nothing, and the sum is the live
    /// heap.
    pub(crate) fn settled(
        &mut self,
        before: &Live,
        kept: &[(&'static str, u64, u64)],
        what: &impl Debug,
    ) {
        let connections = Arc::clone(&self.connections);
        wait_until(|| {
            let now = live();
            let mut wrong = Vec::new();
            for route in now.routes.keys() {
                let (_, kept, slack) = kept
                    .iter()
                    .find(|(name, ..)| name == route)
                    .copied()
                    .unwrap_or_default();
                let off = now.of(route) - before.of(route) - kept as i64;
                if off.unsigned_abs() > slack {
                    wrong.push(format!("{route} is off by {off}"));
                }
            }
            let connections = connections.load(Ordering::SeqCst);
            let sum_is_right = now.sum == now.live;
            match wrong.is_empty() && connections == 0 && now.open == 0 && sum_is_right {
                true => Ok(()),
                false => Err(format!(
                    "{wrong:?}, {} of {} bytes, {connections} connections and {} requests are open, after {what:?}",
                    now.sum, now.live, now.open
                )),
            }
        });
    }

    /// Sends one request that keeps a mebibyte, to expose figures below zero, and then as many at once as there will
    /// be.
    fn warm_up(&mut self, case: &Case) {
        let mut charge = case.batch.clone();
        charge.count = 1;
        charge.connections = 1;
        charge.with.push(("x-charge".to_owned(), "1".to_owned()));
        let answer = self.run(&charge);
        assert_eq!(answer.failed, 0, "{answer:?} to {charge:?}");
        let mut warm = case.batch.clone();
        warm.count = warm
            .count
            .min(4 * warm.connections.max(2) * warm.streams.max(2));
        let answer = self.run(&warm);
        assert_eq!(answer.failed, 0, "{answer:?} to {warm:?}");
    }

    /// The figures once no request or connection is open and nothing moves.
    pub(crate) fn at_rest(&mut self) -> Live {
        let connections = Arc::clone(&self.connections);
        let mut last = None;
        let mut same = 0;
        wait_until(move || {
            let now = live();
            let is_still = last.as_ref() == Some(&now);
            same = if is_still { same + 1 } else { 0 };
            last = Some(now.clone());
            let connections = connections.load(Ordering::SeqCst);
            match same >= 3 && now.open == 0 && now.sum == now.live && connections == 0 {
                true => Ok(now),
                false => Err(format!("{now:?} moves, {connections} connections")),
            }
        })
    }

    /// The reports of a route, once there are this many.
    pub(crate) fn told(&self, route: &str, count: u64) -> Told {
        wait_until(|| {
            let told = self.reports.lock().expect("no panic").get(route).cloned();
            let told = told.unwrap_or_default();
            match told.reports == count {
                true => Ok(told),
                false => Err(format!("{} reports of {route}, not {count}", told.reports)),
            }
        })
    }

    /// Checks that each request has one report, and that none accuses a request that keeps nothing.
    fn assert_told(&self, case: &Case, count: u64) {
        let told = self.told(case.route, count);
        // Below a head, one request can't be told from what its connection holds.
        let least = if case.keeps > HEAD { case.keeps } else { 0 };
        let right = least as i64..=(case.keeps.max(least) + HEAD + case.slack) as i64;
        let wrong: Vec<_> = told
            .retained
            .iter()
            .filter(|it| !right.contains(it))
            .collect();
        assert!(
            wrong.is_empty(),
            "{wrong:?} are not in {right:?}, of {case:?}"
        );
        if case.keeps == 0 {
            assert_eq!(told.verdicts.get("retained"), None, "{told:?} of {case:?}");
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown_timeout(Duration::from_secs(20));
        }
    }
}
