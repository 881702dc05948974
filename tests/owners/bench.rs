//! A server whose connections are counted, a client in a process of its own, and the figures that must be right at rest.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use crate::client::{Batch, Client};
use axum::{Router, routing::any};
use bytes::Bytes;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    collections::BTreeMap,
    env,
    net::SocketAddr,
    sync::{
        Arc, Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::TcpSocket,
    runtime::{self, Runtime},
};
use tower_memory::{
    MemoryLayer, Report,
    heap::{live_by_route, live_bytes},
};

/// Within which the server has to come to rest.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a connection may hold of its last request: the table of the response's headers.
pub(crate) const HEAD: u64 = 1024;

/// Threads that tokio runs blocking work on here.
const BLOCKING: usize = 4;

/// Requests of one shape, and what they keep.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The label of the route.
    pub(crate) route: &'static str,
    /// Bytes that each request keeps.
    pub(crate) keeps: u64,
    /// Bytes that the route may have more or less in the end, whatever the number of requests. Whoever sets it says why.
    pub(crate) slack: u64,
    pub(crate) batch: Batch,
}

/// What the layer reported of a route.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) reports: u64,
    pub(crate) retained: Vec<i64>,
    pub(crate) verdicts: BTreeMap<&'static str, u64>,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) last: Option<Report>,
}

pub(crate) type Reports = Arc<Mutex<BTreeMap<String, Told>>>;

pub(crate) struct Bench {
    pub(crate) address: SocketAddr,
    pub(crate) reports: Reports,
    pub(crate) client: Client,
    server: Option<Runtime>,
    driver: Runtime,
    connections: Arc<AtomicU64>,
    _alone: MutexGuard<'static, ()>,
}

/// How many requests of a small shape are sent: `count`, or what `OWNERS_REQUESTS` says.
pub(crate) fn requests(count: usize) -> usize {
    let asked = env::var("OWNERS_REQUESTS").ok();
    asked.map_or(count, |asked| asked.parse().expect("a number of requests"))
}

/// A layer whose reports are kept.
pub(crate) fn layer(reports: &Reports) -> MemoryLayer {
    let reports = Arc::clone(reports);
    MemoryLayer::new()
        .without_log()
        .on_report(move |report: &Report| {
            let mut all = reports.lock().expect("no panic");
            let told = all.entry(report.route.to_string()).or_default();
            told.reports += 1;
            told.retained
                .push(report.heap.map_or(0, |heap| heap.retained()));
            *told.verdicts.entry(report.verdict.as_str()).or_default() += 1;
            told.last = Some(report.clone());
            *told.outcomes.entry(report.outcome.to_string()).or_default() += 1;
        })
}

impl Bench {
    pub(crate) fn new(workers: usize, router: impl FnOnce(MemoryLayer) -> Router) -> Self {
        Self::with_send_buffers(None, workers, router)
    }

    /// With buffers of this size in the kernel, which a client fills that doesn't read.
    pub(crate) fn with_send_buffers(
        bytes: Option<u32>,
        workers: usize,
        router: impl FnOnce(MemoryLayer) -> Router,
    ) -> Self {
        // The figures are the process's, so one test at a time has it for itself.
        static PROCESS: Mutex<()> = Mutex::new(());
        let alone = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        let reports = Reports::default();
        let server = runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .max_blocking_threads(BLOCKING)
            .thread_keep_alive(Duration::from_secs(3600))
            .enable_all()
            .build()
            .expect("a runtime");
        // A thread that a request has tokio start is the request's, so all are started before any request.
        let all_started = Arc::new(Barrier::new(BLOCKING + 1));
        for _ in 0..BLOCKING {
            let all_started = Arc::clone(&all_started);
            server.spawn_blocking(move || all_started.wait());
        }
        all_started.wait();
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

    pub(crate) fn run(&mut self, batch: &Batch) -> crate::client::Answer {
        self.driver.block_on(self.client.run(batch))
    }

    /// A server that others ask, of which nothing is measured.
    pub(crate) fn upstream() -> Upstream {
        let server = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let server = server.expect("a runtime");
        let text = "x".repeat(18 << 10);
        let router = Router::new().route("/text", any(move |_: Bytes| async move { text.clone() }));
        let address = serve(&server, None, router, &Arc::default());
        Upstream {
            address,
            _server: server,
        }
    }

    /// More clients, to be there at the same time.
    pub(crate) fn clients(&self, count: usize) -> Vec<Client> {
        self.driver
            .block_on(async { (0..count).map(|_| Client::start()).collect() })
    }

    /// All batches at once, of which each request must be answered.
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

    /// Sends the requests of `case`, and holds all figures to what they keep.
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

    /// Waits until the routes have grown by this much since `before`, each other one by nothing, and the sum is the live heap.
    pub(crate) fn settled(
        &mut self,
        before: &Live,
        kept: &[(&'static str, u64, u64)],
        what: &impl std::fmt::Debug,
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

    /// One that keeps a mebibyte, so that what falls below zero shows; then as many at once as there will be.
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

    /// The figures once no request and no connection is open and nothing moves.
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

    /// What was reported of a route, once there are so many reports.
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

    /// One report each, which accuses nobody who keeps nothing.
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

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    _server: Runtime,
}

/// Live heap by route, as a reader finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) routes: BTreeMap<String, u64>,
    pub(crate) nobody: u64,
    pub(crate) sum: u64,
    pub(crate) live: u64,
    /// Requests.
    pub(crate) open: u32,
}

impl Live {
    pub(crate) fn of(&self, route: &str) -> i64 {
        self.routes.get(route).copied().unwrap_or(0).cast_signed()
    }
}

pub(crate) fn live() -> Live {
    let by_route = live_by_route().expect("an allocator counts");
    let routes = by_route.routes.iter();
    let open = routes.clone().map(|route| route.open_requests).sum();
    // To the byte, if nothing is allocated in between.
    let (sum, live) = (by_route.total(), live_bytes().expect("an allocator counts"));
    Live {
        routes: routes
            .map(|route| (route.route.to_string(), route.live))
            .collect(),
        nobody: by_route.nobody,
        sum,
        live,
        open,
    }
}

/// What `look` finds in the end; fails with what it says when the time is over.
#[track_caller]
pub(crate) fn wait_until<T>(mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(Instant::now() < end, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn serve(
    server: &Runtime,
    send_buffers: Option<u32>,
    router: Router,
    open: &Arc<AtomicU64>,
) -> SocketAddr {
    struct Open(Arc<AtomicU64>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let listener = server.block_on(async {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = send_buffers {
            socket.set_send_buffer_size(bytes)?;
        }
        socket.bind(([127, 0, 0, 1], 0).into())?;
        socket.listen(1024)
    });
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let open = Arc::clone(open);
    server.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            open.fetch_add(1, Ordering::SeqCst);
            let counted = Open(Arc::clone(&open));
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let builder = auto::Builder::new(TokioExecutor::new());
                let io = TokioIo::new(stream);
                // What becomes of a connection is for its client to see.
                let _ = builder.serve_connection_with_upgrades(io, service).await;
                drop(counted);
            });
        }
    });
    address
}
