//! The listener reclaims pages once a request has left some behind, and logs it.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::ready,
    hint::black_box,
    io,
    sync::{Mutex, mpsc},
    time::Duration,
};
use tower::{Layer, service_fn};
use tower_memory::{MIB, MemoryLayer, Report, heap::TrackingAllocator, reclaim::Reclaim};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Sends each line that is logged.
struct Lines(mpsc::Sender<String>);

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        drop(self.0.send(String::from_utf8_lossy(line).into_owned()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Leaves free pages behind, below a pin.
fn burst() {
    let mut objects: Vec<_> = (0..400_000).map(|n| Box::new([n as u8; 40])).collect();
    let pin = objects.pop();
    drop(black_box(objects));
    std::mem::forget(pin);
}

#[tokio::test]
async fn after_a_burst_the_pages_are_given_back_beside_the_request() {
    let (sender, lines) = mpsc::channel();
    let writer = Lines(sender);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(Mutex::new(writer))
        .init();
    let (sender, verdicts) = mpsc::channel();
    let layer = MemoryLayer::new()
        .without_log()
        .warn_above(10 * MIB)
        .resolution(Duration::ZERO)
        .on_report(Reclaim::new())
        .on_report(move |report: &Report| {
            let _ = sender.send(report.verdict);
        });
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        burst();
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    support::read(service).await;
    let verdict = verdicts.recv().expect("a report");
    assert_eq!(verdict.as_str(), "allocator_held", "{verdict}");
    let line = lines
        .recv_timeout(Duration::from_secs(20))
        .expect("the reclaim is logged");
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "tower_memory");
    assert_eq!(line["event"], "reclaim");
    let reclaimed = line["reclaim.bytes"].as_u64().expect("bytes");
    assert!(reclaimed > 10 * MIB, "{line}");
    let message = line["message"].as_str().expect("a sentence");
    assert!(message.starts_with("reclaimed "), "{line}");
    assert!(message.contains("glibc"), "{line}");
}
