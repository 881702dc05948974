//! The figures of `routes::Routes` for requests that ended.
#![cfg(feature = "routes")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_memory::{
    MIB, MemoryLayer, Outcome, Route,
    resident::{ReadResident, Resident},
    routes::{RouteFigures, Routes, Snapshot},
};

/// A process whose resident set is set by requests.
#[derive(Clone)]
struct Process(Arc<AtomicU64>);

impl ReadResident for Process {
    fn read(&self) -> io::Result<Resident> {
        match self.0.load(Ordering::SeqCst) {
            u64::MAX => Err(io::Error::other("out of order")),
            total => Ok(Resident::new(total, 0)),
        }
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// Sends requests whose path is the route and whose body is the next resident set.
async fn send(routes: &Routes, requests: impl IntoIterator<Item = (String, u64)>) -> Snapshot {
    let process = Process(Arc::new(AtomicU64::new(MIB)));
    let layer = MemoryLayer::new()
        .without_log()
        .warn_above(MIB)
        .resolution(Duration::ZERO)
        .reader(process.clone())
        .route_with(|request| Some(Route::from(Arc::<str>::from(request.uri.path()))))
        .on_report(routes.clone());
    let mut service = layer.layer(service_fn(move |request: Request<u64>| {
        process.0.store(*request.body(), Ordering::SeqCst);
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
    }));
    for (path, resident) in requests {
        let request = Request::builder()
            .uri(path)
            .body(resident)
            .expect("a request");
        let response = service.ready().await.expect("ready").call(request).await;
        drop(response.expect("a response"));
    }
    routes.snapshot()
}

fn of<'a>(snapshot: &'a Snapshot, route: &str) -> &'a RouteFigures {
    let mut routes = snapshot.routes.iter();
    routes
        .find(|figures| figures.route.as_str() == route)
        .expect("a known route")
}

#[tokio::test]
async fn a_route_tells_what_its_requests_grew_and_shrank_and_was_last_warned_of() {
    let to = |path: &str, resident| (path.to_owned(), resident);
    let steps = [
        to("/a", 5 * MIB),
        to("/a", 5 * MIB),
        to("/b", 2 * MIB),
        to("/a", 3 * MIB),
    ];
    let snapshot = send(&Routes::new(), steps).await;

    let (a, b) = (of(&snapshot, "/a"), of(&snapshot, "/b"));
    assert_eq!([a.requests, b.requests], [3, 1]);
    assert_eq!(a.outcomes, [(Outcome::Completed, 3)]);
    assert_eq!([a.growth.sum, a.growth.max], [5 * MIB, 4 * MIB]);
    assert!(
        (MIB..MIB + MIB / 14).contains(&a.growth.p50),
        "rounded up a little"
    );
    assert_eq!([a.growth.readings, a.growth.mean()], [3, 5 * MIB / 3]);
    assert_eq!([a.shrink, b.shrink], [0, 3 * MIB]);
    assert_eq!(a.verdicts, [("within_threshold", 1), ("unmetered", 2)]);
    let last = a.last_warning.as_ref().expect("a warning");
    assert_eq!(last.after.map(|resident| resident.total), Some(3 * MIB));
    assert!(b.last_warning.is_none());

    let warned: Vec<_> = snapshot
        .warnings
        .iter()
        .map(|(route, _)| route.as_str())
        .collect();
    assert_eq!(warned, ["/a", "/a"]);
    let largest = snapshot
        .minutes
        .iter()
        .filter_map(|sample| sample.resident)
        .max();
    assert!(largest >= Some(5 * MIB), "{largest:?}");
}

#[tokio::test]
async fn what_could_not_be_read_counts_as_unreadable_and_as_no_growth() {
    let snapshot = send(&Routes::new(), [("/a".to_owned(), u64::MAX)]).await;
    let figures = of(&snapshot, "/a");
    assert_eq!(figures.verdicts, [("unreadable", 1)]);
    assert_eq!((figures.requests, figures.growth.readings), (1, 0));
}

#[tokio::test]
async fn a_hundred_thousand_paths_add_no_more_than_the_first_512() {
    let routes = Routes::new();
    let paths = (0..100_000).map(|n| (format!("/{n}"), MIB));
    let snapshot = send(&routes, paths).await;
    assert_eq!(snapshot.routes.len(), 513);
    assert_eq!(of(&snapshot, "other").requests, 100_000 - 512);
    let requests: u64 = snapshot.routes.iter().map(|figures| figures.requests).sum();
    assert_eq!(requests, 100_000);
}

#[tokio::test]
async fn a_route_that_is_warned_of_often_leaves_room_for_the_warnings_of_others() {
    let once = ("/once".to_owned(), 2 * MIB);
    let often = (2..100).map(|n| ("/often".to_owned(), n * 2 * MIB));
    let snapshot = send(&Routes::new(), [once].into_iter().chain(often)).await;
    let warned = |wanted: &str| -> Vec<_> {
        let warnings = snapshot.warnings.iter();
        let of_route = warnings.filter(|(route, _)| route.as_str() == wanted);
        let after = of_route.map(|(_, warning)| warning.after.map(|resident| resident.total));
        after.map(|total| total.expect("a reading") / MIB).collect()
    };
    assert_eq!(warned("/once"), [2]);
    let newest: Vec<_> = (84..100).rev().map(|n| n * 2).collect();
    assert_eq!(warned("/often"), newest);
}

/// With labels of the longest length and longer, and a warning on every route.
#[test]
fn a_full_table_takes_less_than_a_mebibyte() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut kept = None;
    let taken = allocation_counter::measure(|| {
        let routes = Routes::new();
        let requests = (0..700).map(|n| {
            let length = if n < 600 { 127 } else { 32_768 };
            (format!("/{n:0>length$}"), (n + 1) * 2 * MIB)
        });
        let snapshot = runtime.block_on(send(&routes, requests));
        assert_eq!(snapshot.routes.len(), 513);
        assert_eq!(snapshot.warnings.len(), 64);
        assert_eq!(of(&snapshot, "other").requests, 700 - 512);
        drop(snapshot);
        kept = Some(routes);
    });
    println!("513 routes take {} bytes", taken.bytes_current);
    assert!((1..1 << 20).contains(&taken.bytes_current), "{taken:?}");
    drop(kept);
}
