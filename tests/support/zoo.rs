//! Each animal of the zoo, alone and in a crowd, and the verdicts it may get.

#[path = "../../examples/zoo/routes.rs"]
mod routes;

use super::support::{Server, within_reason};
use axum::body::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinSet};
use tower_memory::{
    LateWork, MIB, MemoryLayer, OnReport, Report, Route, Verdict,
    heap::{RouteLive, live_by_route},
};

const TIMES: usize = 20;
const CROWD: usize = 64;

/// Requests to the zoo's routes and the verdicts they may get: alone, the first time and later; and in
/// a crowd.
struct Animal {
    path: &'static str,
    /// Later and in a crowd, for one that takes too long to repeat.
    smaller: Option<&'static str>,
    first: &'static [&'static str],
    later: &'static [&'static str],
    crowded: &'static [&'static str],
}

impl Animal {
    fn usual_path(&self) -> &'static str {
        self.smaller.unwrap_or(self.path)
    }
}

const NOTHING: &[&str] = &["within_threshold"];
/// For requests that did not grow the process: nothing did, or others or files did, or it came from
/// outside, such as the clients, which are in this process too and are no requests.
const INNOCENT: &[&str] = &["within_threshold", "other_requests", "mapped", "outside"];
/// For requests that left work behind, which may have ended by the time of the report.
const WORKING: &[&str] = &["within_threshold", "running"];
/// For requests that used much memory and gave it back.
const USED: &[&str] = &[
    "within_threshold",
    "other_requests",
    "mapped",
    "outside",
    "allocator_held",
];

const ANIMALS: &[Animal] = &[
    Animal {
        path: "/steady?mib=1",
        smaller: None,
        first: NOTHING,
        later: NOTHING,
        crowded: INNOCENT,
    },
    Animal {
        path: "/leak?mib=9",
        smaller: None,
        first: &["retained"],
        later: &["retained"],
        crowded: &["retained"],
    },
    Animal {
        path: "/cache?mib=9",
        smaller: None,
        first: &["retained"],
        later: NOTHING,
        crowded: INNOCENT,
    },
    Animal {
        // With less, it is chance whether glibc keeps it.
        path: "/burst?mib=24",
        smaller: Some("/burst?mib=1"),
        first: &["allocator_held"],
        // The pages are there now.
        later: &["within_threshold", "allocator_held"],
        crowded: USED,
    },
    Animal {
        path: "/mmap?mib=9",
        smaller: None,
        first: &["mapped"],
        // The allocator may meanwhile give back pages of earlier requests.
        later: &["mapped", "within_threshold"],
        // Others may give back as much meanwhile.
        crowded: INNOCENT,
    },
    Animal {
        path: "/stream?mib=2&ms=1",
        smaller: None,
        first: NOTHING,
        later: NOTHING,
        crowded: INNOCENT,
    },
    Animal {
        path: "/download?mib=9",
        smaller: None,
        first: &["allocator_held", "within_threshold"],
        later: &["allocator_held", "within_threshold"],
        crowded: USED,
    },
    Animal {
        path: "/asset?mib=9",
        smaller: None,
        first: &["retained"],
        later: NOTHING,
        crowded: INNOCENT,
    },
    Animal {
        path: "/upload",
        smaller: None,
        // The client has it too, and the connection.
        first: &["allocator_held", "within_threshold", "outside"],
        later: &["allocator_held", "within_threshold", "outside"],
        crowded: USED,
    },
    Animal {
        path: "/sleep?mib=9&ms=1",
        smaller: None,
        first: &["allocator_held", "within_threshold"],
        later: &["allocator_held", "within_threshold"],
        crowded: USED,
    },
    Animal {
        path: "/spawn?mib=9&ms=1",
        smaller: None,
        first: WORKING,
        later: WORKING,
        crowded: &[
            "within_threshold",
            "other_requests",
            "mapped",
            "outside",
            "running",
        ],
    },
];

/// The layer's reports, as they come.
enum Said {
    Report(Box<Report>),
    LateWork(Route),
}

struct Listener(mpsc::UnboundedSender<Said>);

impl OnReport for Listener {
    fn on_report(&self, report: &Report) {
        drop(self.0.send(Said::Report(Box::new(report.clone()))));
    }

    fn on_late_work(&self, work: &LateWork) {
        drop(self.0.send(Said::LateWork(work.route.clone())));
    }
}

struct Zoo {
    server: Arc<Server>,
    said: mpsc::UnboundedReceiver<Said>,
    /// Verdicts that are not allowed, by route, with how often they came.
    wrong: BTreeMap<String, usize>,
}

impl Zoo {
    async fn open() -> Self {
        let (sender, said) = mpsc::unbounded_channel();
        let layer = MemoryLayer::new()
            .warn_above(8 * MIB)
            .resolution(Duration::ZERO)
            .without_log()
            .on_report(Listener(sender));
        let app = routes::routes().layer(layer);
        Self {
            server: Arc::new(Server::new(app).await),
            said,
            wrong: BTreeMap::new(),
        }
    }

    /// Receives the reports of `requests`, and waits for the tasks that requests to `/spawn` leave
    /// behind.
    async fn hear(
        &mut self,
        requests: usize,
        allowed: impl Fn(&Animal) -> &'static [&'static str],
    ) {
        // Where blocks have owners, a task that ends before its request settles has no separate report.
        let is_told_of_tasks = live_by_route().is_none();
        let (mut reports, mut tasks) = (requests, 0);
        while reports > 0 || tasks > 0 {
            let report = match within_reason(self.said.recv()).await.expect("the layer") {
                Said::Report(report) => report,
                // The task of `/stream` ends with its response, and may be the later of the two.
                Said::LateWork(route) if is_told_of_tasks && route.as_str() == "/spawn" => {
                    tasks -= 1;
                    continue;
                }
                Said::LateWork(_) => continue,
            };
            reports -= 1;
            let route = report.route.as_str();
            let animal = ANIMALS.iter().find(|animal| animal.path.starts_with(route));
            let animal = animal.expect("a route of the zoo");
            if route == "/spawn" && is_told_of_tasks {
                tasks += 1;
            }
            if !allowed(animal).contains(&report.verdict.as_str()) && !is_few_huge_pages(&report) {
                let what = format!("{route}: {:?} {:?}", report.verdict, report.heap);
                *self.wrong.entry(what).or_default() += 1;
            }
        }
        within_reason(async {
            while live_by_route().is_some_and(|live| live.routes.iter().any(is_open)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

/// Whether the growth can be a few small blocks that each came to lie in a huge page of its own, as
/// mimalloc asks for: the first byte makes all 2 MiB of one resident.
fn is_few_huge_pages(report: &Report) -> bool {
    const FEW: u64 = 6 * 2 * MIB;
    matches!(report.verdict, Verdict::Outside { live, other, .. } if live < other && other < FEW)
        && fs::read_to_string("/proc/self/smaps_rollup").is_ok_and(|smaps| {
            let huge = smaps
                .lines()
                .find(|line| line.starts_with("AnonHugePages:"));
            huge.is_some_and(|huge| !huge.ends_with(" 0 kB"))
        })
}

fn is_open(route: &RouteLive) -> bool {
    route.open_requests > 0
}

async fn ask(server: Arc<Server>, path: &'static str) {
    let (method, body) = match path {
        "/upload" => ("POST", Bytes::from(vec![7; 9 << 20])),
        _ => ("GET", Bytes::new()),
    };
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "zoo").body(Full::new(body));
    let mut client = server.http1().await;
    let response = client.send_request(request.expect("a request")).await;
    let mut body = response.expect("an answer").into_body();
    while let Some(frame) = body.frame().await {
        frame.expect("all of it");
    }
}

/// Visits every animal twenty times alone, and all of them twenty times in a crowd.
pub(crate) async fn visit() {
    let mut zoo = Zoo::open().await;
    for animal in ANIMALS {
        ask(Arc::clone(&zoo.server), animal.path).await;
        zoo.hear(1, |animal| animal.first).await;
    }
    for animal in (1..TIMES).flat_map(|_| ANIMALS) {
        ask(Arc::clone(&zoo.server), animal.usual_path()).await;
        zoo.hear(1, |animal| animal.later).await;
    }
    assert!(zoo.wrong.is_empty(), "alone: {:#?}", zoo.wrong);
    for _ in 0..TIMES {
        let crowd: JoinSet<()> = ANIMALS
            .iter()
            .cycle()
            .take(CROWD)
            .map(Animal::usual_path)
            .map(|path| ask(Arc::clone(&zoo.server), path))
            .collect();
        crowd.join_all().await;
        zoo.hear(CROWD, |animal| animal.crowded).await;
    }
    assert!(zoo.wrong.is_empty(), "in a crowd: {:#?}", zoo.wrong);
}
