//! Reports with all kinds of readings, including missing ones.

mod support;

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use support::{get, hello, read, reports_of, within_reason};
use tower::{Layer, ServiceExt, service_fn};
use tower_memory::{MIB, MemoryLayer, Outcome, ReadResident, Resident, Verdict};

/// Answers each reading with the closure's result for its number, counted from 0.
struct Reader<F>(AtomicU64, F);

fn reader<F>(reading: F) -> Reader<F>
where
    F: Fn(u64) -> io::Result<Resident> + Send + Sync + 'static,
{
    Reader(AtomicU64::new(0), reading)
}

impl<F> ReadResident for Reader<F>
where
    F: Fn(u64) -> io::Result<Resident> + Send + Sync + 'static,
{
    fn read(&self) -> io::Result<Resident> {
        (self.1)(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn may_block(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn growth_is_the_second_reading_minus_the_first_and_signed() {
    let sizes = [500, 200, 200, 450, 450, 450];
    let layer = MemoryLayer::new()
        .resolution(Duration::ZERO)
        .warn_above(250 * MIB)
        .reader(reader(move |n| {
            Ok(Resident::new(sizes[n as usize] * MIB, MIB))
        }));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    let mut seen = Vec::new();
    for _ in 0..3 {
        read(service.clone()).await;
        let report = reports.now();
        seen.push((
            report.growth().map(|growth| growth / MIB as i64),
            report.verdict,
        ));
    }
    let meant = [
        (Some(-300), Verdict::WithinThreshold),
        (Some(250), Verdict::Unmetered),
        (Some(0), Verdict::WithinThreshold),
    ];
    assert_eq!(seen, meant);
}

#[tokio::test]
async fn a_reading_that_fails_is_none_and_never_the_one_before() {
    let layer = MemoryLayer::new()
        .without_log()
        .resolution(Duration::ZERO)
        .reader(reader(|n| match n {
            0 => Ok(Resident::new(7 * MIB, 0)),
            1 => Err(io::Error::other("as planned")),
            2 => panic!("the reader panicked, as planned"),
            _ => Ok(Resident::new(9 * MIB, 0)),
        }));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    let mut seen = Vec::new();
    for _ in 0..3 {
        assert_eq!(read(service.clone()).await, "hello");
        let report = reports.now();
        assert_eq!((report.outcome, report.overlap), (Outcome::Completed, 0));
        let totals = [report.before, report.after].map(|r| r.map(|r| r.total / MIB));
        seen.push((totals, report.growth(), report.verdict));
    }
    let meant = [
        ([Some(7), None], None, Verdict::Unreadable),
        ([None, Some(9)], None, Verdict::Unreadable),
        ([Some(9), Some(9)], Some(0), Verdict::WithinThreshold),
    ];
    assert_eq!(seen, meant);
}

#[tokio::test]
async fn readings_within_the_resolution_are_shared_by_all_clones_of_a_layer() {
    let readings = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&readings);
    let layer = MemoryLayer::new()
        .reader(reader(move |n| {
            counted.store(n + 1, Ordering::Relaxed);
            Ok(Resident::new(n + 1, 0))
        }))
        .resolution(Duration::from_secs(3600));
    for _ in 0..10 {
        read(layer.clone().layer(service_fn(hello))).await;
    }
    assert_eq!(readings.load(Ordering::Relaxed), 1);
    let layer = layer.resolution(Duration::ZERO);
    for _ in 0..10 {
        read(layer.clone().layer(service_fn(hello))).await;
    }
    assert_eq!(readings.load(Ordering::Relaxed), 21);
}

#[tokio::test]
async fn growth_that_another_request_overlapped_is_blamed_on_none() {
    let layer = MemoryLayer::new()
        .resolution(Duration::ZERO)
        .reader(reader(|n| Ok(Resident::new((n + 1) * 200 * MIB, 0))));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    let held = service.clone().oneshot(get("/")).await;
    read(service.clone()).await;
    assert_eq!(reports.now().verdict, Verdict::Overlapped);
    drop(held);
    assert_eq!(reports.now().verdict, Verdict::Overlapped);
    read(service).await;
    assert_eq!(reports.now().verdict, Verdict::Unmetered);
}

#[tokio::test]
async fn figures_that_can_not_be_true_are_failed_readings() {
    let absurd = [
        Resident::new(0, 0),
        Resident::new(u64::MAX, 0),
        Resident::new(i64::MAX as u64, 0),
        Resident::new(MIB, 2 * MIB),
    ];
    let layer = MemoryLayer::new()
        .without_log()
        .resolution(Duration::ZERO)
        .reader(reader(move |n| Ok(absurd[n as usize % absurd.len()])));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    for _ in 0..absurd.len() {
        read(service.clone()).await;
        let report = reports.now();
        assert_eq!((report.before, report.after), (None, None));
        assert_eq!(
            (report.growth(), report.verdict),
            (None, Verdict::Unreadable)
        );
    }
}

/// Blocks for as long as it is shut.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set(&self, is_shut: bool) {
        *self.0.0.lock().expect("not poisoned") = is_shut;
        self.0.1.notify_all();
    }
}

impl ReadResident for Gate {
    fn read(&self) -> io::Result<Resident> {
        let is_shut = self.0.0.lock().expect("not poisoned");
        let _open = self.0.1.wait_while(is_shut, |is_shut| *is_shut);
        Ok(Resident::new(MIB, 0))
    }
}

/// On one thread, which a blocked reading would stop for good.
#[tokio::test]
async fn a_reader_that_blocks_holds_no_request_and_is_read_again_when_it_is_back() {
    for resolution in [Duration::ZERO, Duration::from_nanos(1)] {
        let gate = Gate::default();
        let layer = MemoryLayer::new()
            .resolution(resolution)
            .reader(gate.clone());
        let (layer, mut reports) = reports_of(layer);
        let service = layer.layer(service_fn(hello));
        gate.set(true);
        for _ in 0..1_000 {
            assert_eq!(read(service.clone()).await, "hello");
            let report = reports.now();
            assert_eq!((report.before, report.after), (None, None));
            assert_eq!(report.verdict, Verdict::Unreadable);
        }
        gate.set(false);
        let back = async {
            loop {
                assert_eq!(read(service.clone()).await, "hello");
                if reports.now().growth() == Some(0) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        within_reason(back).await;
    }
}
