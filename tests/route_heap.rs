//! What `routes::Routes` tells of the heap, where a meter counts it.
#![cfg(feature = "routes")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_memory::{
    MIB, MemoryLayer, Route,
    heap::{CurrentRequest, TrackingAllocator},
    resident::{ReadResident, Resident},
    routes::{RouteHeap, Routes},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// A process that never grows.
struct Still;

impl ReadResident for Still {
    fn read(&self) -> io::Result<Resident> {
        Ok(Resident::new(MIB, 0))
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// Sends a request that runs `work`.
async fn request(routes: &Routes, path: &str, work: impl Fn()) {
    let layer = MemoryLayer::new()
        .without_log()
        .warn_above(MIB)
        .reader(Still)
        .route_with(|request| Some(Route::from(Arc::<str>::from(request.uri.path()))))
        .on_report(routes.clone());
    let work = &work;
    let service = service_fn(move |_: Request<()>| async move {
        work();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let request = Request::builder().uri(path).body(()).expect("a request");
    drop(layer.layer(service).oneshot(request).await);
}

#[tokio::test]
async fn what_a_route_retains_comes_before_what_it_allocated() {
    let routes = Routes::new();
    let kept = Mutex::new(Vec::<u8>::new());
    request(&routes, "/frees", || {
        drop(Vec::<u8>::with_capacity(8 << 20))
    })
    .await;
    request(&routes, "/keeps", || {
        kept.lock().expect("no panic").reserve(2 << 20)
    })
    .await;

    let snapshot = routes.snapshot();
    let told: Vec<(&str, RouteHeap)> = snapshot
        .routes
        .iter()
        .map(|figures| (figures.route.as_str(), figures.heap.expect("a meter")))
        .collect();
    let [("/keeps", keeps), ("/frees", frees)] = told[..] else {
        panic!("{told:?}")
    };
    assert!(
        (2 * MIB..3 * MIB).contains(&keeps.retained.unsigned_abs()),
        "{keeps:?}"
    );
    assert!((8 * MIB..9 * MIB).contains(&frees.peak), "{frees:?}");
    assert!(frees.retained.unsigned_abs() < MIB, "{frees:?}");
    assert!(
        snapshot.process.live > Some(2 * MIB),
        "{:?}",
        snapshot.process
    );
    let warned: Vec<_> = snapshot
        .warnings
        .iter()
        .map(|(route, _)| route.as_str())
        .collect();
    assert_eq!(warned, ["/keeps"]);
}

#[tokio::test]
async fn work_that_a_request_leaves_behind_is_a_warning_of_its_route() {
    let routes = Routes::new();
    let (late, kept) = (Mutex::new(None), Mutex::new(Vec::<u8>::new()));
    request(&routes, "/spawns", || {
        *late.lock().expect("no panic") = CurrentRequest::get()
    })
    .await;
    assert!(routes.snapshot().warnings.is_empty());
    let late = late.into_inner().expect("no panic").expect("a request");
    late.in_scope(|| kept.lock().expect("no panic").reserve(4 << 20));
    drop(late);

    let snapshot = routes.snapshot();
    let [figures] = &snapshot.routes[..] else {
        panic!("{:?}", snapshot.routes)
    };
    assert_eq!(figures.requests, 1);
    let heap = figures.heap.expect("a meter");
    assert!(
        (3 * MIB..5 * MIB).contains(&heap.retained.unsigned_abs()),
        "{heap:?}"
    );
    let [(route, warning)] = &snapshot.warnings[..] else {
        panic!("{:?}", snapshot.warnings)
    };
    assert_eq!((route.as_str(), warning.outcome), ("/spawns", None));
    assert_eq!(
        figures.last_warning.as_ref().map(|last| last.at),
        Some(warning.at)
    );
    let warned: u32 = snapshot.seconds.iter().map(|sample| sample.warnings).sum();
    assert_eq!(warned, 1);
}
