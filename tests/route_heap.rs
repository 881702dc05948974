//! The heap figures of `routes::Routes`, with a meter.
#![cfg(feature = "routes")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tower::{Layer, ServiceExt, service_fn};
use tower_memory::{
    LateWork, MIB, MemoryLayer, OnReport, Report, Route,
    heap::{CurrentRequest, TrackingAllocator},
    resident::{ReadResident, Resident},
    routes::{RouteFigures, RouteHeap, Routes, Snapshot},
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

/// Live heap belongs to the process, so tests run one at a time.
static ALONE: AsyncMutex<()> = AsyncMutex::const_new(());

/// Signals when a request, or work that it left behind, is reported.
struct Told(mpsc::UnboundedSender<()>);

impl OnReport for Told {
    fn on_report(&self, _: &Report) {
        let _ = self.0.send(());
    }

    fn on_late_work(&self, _: &LateWork) {
        let _ = self.0.send(());
    }
}

/// Sends a request that runs `work`, and waits until `routes` has its report. The next report is its
/// late work's.
async fn request(routes: &Routes, path: &str, work: impl Fn()) -> mpsc::UnboundedReceiver<()> {
    let (sender, mut told) = mpsc::unbounded_channel();
    let layer = MemoryLayer::new()
        .without_log()
        .warn_above(MIB)
        .reader(Still)
        .route_with(|request| Some(Route::from(Arc::<str>::from(request.uri.path()))))
        .on_report(routes.clone())
        .on_report(Told(sender));
    let work = &work;
    let service = service_fn(move |_: Request<()>| async move {
        work();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let request = Request::builder().uri(path).body(()).expect("a request");
    drop(layer.layer(service).oneshot(request).await);
    told.recv().await.expect("a report");
    told
}

#[tokio::test]
async fn what_a_route_retains_comes_before_what_it_allocated() {
    let _alone = ALONE.lock().await;
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
        // Other tests' routes own memory of the same process.
        .filter(|figures| figures.requests > 0)
        .map(|figures| (figures.route.as_str(), figures.heap.expect("a meter")))
        .collect();
    let [("/keeps", keeps), ("/frees", frees)] = told[..] else {
        panic!("{told:?}")
    };
    let kept_by_it = kept.lock().expect("no panic").capacity() as u64;
    assert_eq!(keeps.live, Some(kept_by_it), "{keeps:?}");
    assert_eq!(keeps.retained.unsigned_abs(), kept_by_it, "{keeps:?}");
    assert!((8 * MIB..9 * MIB).contains(&frees.peak), "{frees:?}");
    assert_eq!((frees.live, frees.retained), (Some(0), 0), "{frees:?}");
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
    let _alone = ALONE.lock().await;
    let routes = Routes::new();
    let (late, kept) = (Mutex::new(None), Mutex::new(Vec::<u8>::new()));
    let mut told = request(&routes, "/spawns", || {
        *late.lock().expect("no panic") = CurrentRequest::get()
    })
    .await;
    assert!(routes.snapshot().warnings.is_empty());
    let late = late.into_inner().expect("no panic").expect("a request");
    late.in_scope(|| kept.lock().expect("no panic").reserve(4 << 20));
    let heap = heap_of_the_only_route(&routes);
    assert_eq!((heap.running, heap.retained), (4 * MIB, 0), "{heap:?}");
    assert!(heap.oldest_running.is_some(), "{heap:?}");
    drop(late);
    told.recv().await.expect("late work");
    let heap = heap_of_the_only_route(&routes);
    assert_eq!((heap.running, heap.retained), (0, 4 << 20), "{heap:?}");
    assert_eq!((heap.live, heap.oldest_running), (Some(4 * MIB), None));

    let snapshot = routes.snapshot();
    let figures = only_route(&snapshot);
    assert_eq!(figures.requests, 1);
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

fn heap_of_the_only_route(routes: &Routes) -> RouteHeap {
    only_route(&routes.snapshot()).heap.expect("a meter")
}

/// The route that had requests here: other tests' routes own memory of the same process.
fn only_route(snapshot: &Snapshot) -> &RouteFigures {
    let asked: Vec<_> = snapshot
        .routes
        .iter()
        .filter(|figures| figures.requests > 0)
        .collect();
    let [figures] = asked[..] else {
        panic!("{:?}", snapshot.routes)
    };
    figures
}
