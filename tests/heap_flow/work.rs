//! Memory of the work that is done for a request, wherever it runs.

use super::*;

/// Late work as it is reported.
struct Late(Mutex<mpsc::Sender<LateWork>>);

impl OnReport for Late {
    fn on_report(&self, _: &Report) {}

    fn on_late_work(&self, work: &LateWork) {
        let sender = self.0.lock().expect("not poisoned");
        sender.send(work.clone()).expect("the test listens");
    }
}

/// Does `work` as a request; returns its heap flow and any late work.
async fn asked<F>(work: F) -> (HeapFlow, mpsc::Receiver<LateWork>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, late) = mpsc::channel();
    let layer = MemoryLayer::new().warn_above(10 * MIB).without_log();
    let (layer, mut reports) = reports_of(layer.on_report(Late(Mutex::new(sender))));
    request_that_does(work, &layer).await;
    (heap(&mut reports).await, late)
}

async fn request_that_does<F>(work: F, layer: &MemoryLayer)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut work = Some(work);
    let answer = move |_: Request<Full<Bytes>>| {
        let work = work.take().expect("one request");
        async move {
            work.await;
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    };
    support::read(layer.layer(service_fn(answer))).await;
}

#[tokio::test]
async fn figures_of_a_request_are_its_own_to_the_byte() {
    let (flow, _) = asked(async {
        keep(vec![1_u8; 1_000_000]);
        let mut growing = Vec::<u8>::with_capacity(2_000_000);
        growing.reserve_exact(3_000_000);
        drop(growing);
    })
    .await;
    assert!(flow.allocated.abs_diff(6_000_000) < 10_000, "{flow:?}");
    assert!(flow.freed.abs_diff(5_000_000) < 10_000, "{flow:?}");
    assert!(flow.peak.abs_diff(4_000_000) < 10_000, "{flow:?}");
    assert!((3..100).contains(&flow.allocations), "{flow:?}");
}

#[tokio::test]
async fn what_others_do_on_the_thread_between_two_polls_is_not_the_requests() {
    let beside = tokio::spawn(async {
        for _ in 0..100 {
            keep(vec![1_u8; 1 << 20]);
            tokio::task::yield_now().await;
        }
    });
    let (flow, _) = asked(async {
        let held = vec![1_u8; 1 << 20];
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        drop(held);
    })
    .await;
    beside.await.expect("it ends");
    assert_retained(&flow, 0);
    assert!(flow.peak.abs_diff(1 << 20) < SMALL, "{flow:?}");
}

#[tokio::test]
async fn a_peak_is_that_of_all_polls_together() {
    let (flow, _) = asked(async {
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(vec![1_u8; 1 << 20]);
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_retained(&flow, 0);
    assert!(flow.peak.abs_diff(10 << 20) < SMALL, "{flow:?}");
}

#[tokio::test]
async fn a_request_that_is_cancelled_frees_what_it_held() {
    let (layer, mut reports) = reports_of(MemoryLayer::new().without_log());
    let mut request = Box::pin(request_that_does(
        async {
            let held = vec![1_u8; KEPT];
            pending::<()>().await;
            drop(held);
        },
        &layer,
    ));
    // Polled until it waits, then dropped.
    poll_fn(|cx| {
        assert!(request.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(request);
    let flow = heap(&mut reports).await;
    assert!(flow.peak.abs_diff(KEPT as u64) < SMALL, "{flow:?}");
    assert_retained(&flow, 0);
}

#[tokio::test]
async fn a_request_that_panics_frees_what_it_held_and_the_next_one_begins_at_nothing() {
    let (layer, mut reports) = reports_of(MemoryLayer::new().without_log());
    for _ in 0..2 {
        let layer = layer.clone();
        let task = tokio::spawn(async move {
            let work = async {
                let held = vec![1_u8; KEPT];
                // Without a message, for which the standard library would load symbols for good.
                resume_unwind(Box::new(held.len()));
            };
            request_that_does(work, &layer).await;
        });
        assert!(task.await.is_err_and(|error| error.is_panic()));
        let flow = heap(&mut reports).await;
        assert!(flow.peak.abs_diff(KEPT as u64) < SMALL, "{flow:?}");
        assert_retained(&flow, 0);
    }
    assert!(CurrentRequest::get().is_none());
}

#[tokio::test]
async fn what_a_request_within_a_request_keeps_is_the_inner_ones() {
    let (inner, mut inner_reports) = reports_of(MemoryLayer::new().without_log());
    let (flow, _) = asked(async move {
        let held = vec![1_u8; 5 << 20];
        request_that_does(async { keep(vec![1_u8; 3 << 20]) }, &inner).await;
        drop(held);
        keep(vec![1_u8; 1 << 20]);
    })
    .await;
    assert_retained(&heap(&mut inner_reports).await, 3 << 20);
    assert_retained(&flow, 1 << 20);
    assert!(flow.peak.abs_diff(5 << 20) < SMALL, "{flow:?}");
}

#[tokio::test]
async fn work_that_carries_the_request_counts_for_it_wherever_it_runs() {
    let (flow, _) = asked(async {
        let task = tokio::spawn(CurrentRequest::carry(async {
            let held = vec![1_u8; 8 << 20];
            tokio::task::yield_now().await;
            drop(held);
            keep(vec![1_u8; 1 << 20]);
        }));
        let blocking = tokio::task::spawn_blocking(CurrentRequest::carry_fn(|| {
            keep(vec![1_u8; 2 << 20]);
        }));
        let request = CurrentRequest::get().expect("a request");
        let nested = request.clone();
        let thread = thread::spawn(move || {
            request.in_scope(|| keep(vec![1_u8; 4 << 20]));
            keep(vec![1_u8; 100 << 20]); // Not in its scope.
        });
        task.await.expect("it ends");
        blocking.await.expect("it ends");
        thread.join().expect("it ends");
        // On the same thread, it counts once.
        nested.in_scope(|| keep(vec![1_u8; 16 << 20]));
    })
    .await;
    assert_retained(&flow, 23 << 20);
    assert!(flow.peak >= 22 << 20, "{flow:?}");
}

#[tokio::test]
async fn work_for_another_request_is_not_taken_to_be_of_the_one_that_polls_it() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let (let_go, wait) = tokio::sync::oneshot::channel::<()>();
    let first = tokio::spawn(asked(async move {
        let Some(request) = CurrentRequest::get() else {
            panic!("a request")
        };
        assert!(sender.send(request).is_ok());
        wait.await.expect("the other request lets go");
    }));
    let (second, _) = asked(async move {
        let before = vec![1_u8; 1 << 20];
        let other = receiver.await.expect("the other request");
        other.in_scope(|| keep(vec![1_u8; 7 << 20]));
        drop((before, other));
        let_go.send(()).expect("it waits");
    })
    .await;
    let (first, _) = first.await.expect("it ends");
    assert_retained(&first, 7 << 20);
    assert_retained(&second, 0);
    assert!(second.peak.abs_diff(1 << 20) < SMALL, "{second:?}");
}

#[tokio::test]
async fn work_that_outlives_its_request_is_a_figure_of_its_own() {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let task = Arc::new(Mutex::new(None));
    let spawned = Arc::clone(&task);
    let (flow, late) = asked(async move {
        let work = CurrentRequest::carry(async move {
            wait.await.expect("the test says when");
            keep(vec![1_u8; KEPT]);
        });
        *spawned.lock().expect("not poisoned") = Some(tokio::spawn(work));
    })
    .await;
    assert_retained(&flow, 0);
    assert!(late.try_recv().is_err(), "it waits still");
    go.send(()).expect("it waits");
    let task = task.lock().expect("not poisoned").take();
    within_reason(task.expect("it was spawned"))
        .await
        .expect("it ends");
    let late = late.recv().expect("late work");
    assert_retained(&late.heap, KEPT);
    assert_eq!(
        (late.route.as_str(), late.verdict.as_str()),
        ("unmatched", "retained")
    );
}

#[tokio::test]
async fn what_a_listener_allocates_is_not_the_requests() {
    let (layer, mut reports) = reports_of(MemoryLayer::new().without_log());
    let layer = layer.on_report(|_: &Report| keep(vec![1_u8; 10 << 20]));
    for _ in 0..2 {
        request_that_does(async {}, &layer).await;
        assert_retained(&heap(&mut reports).await, 0);
    }
}

#[tokio::test]
async fn a_quiet_request_costs_no_allocation_to_be_counted() {
    let (outer, mut reports) = reports_of(MemoryLayer::new().without_log());
    // The outer layer counts everything the inner one does.
    let inner = MemoryLayer::new().warn_above(u64::MAX);
    let mut service = outer.layer(inner.layer(service_fn(support::hello)));
    for _ in 0..3 {
        let response = service.call(support::get("/")).await.expect("it answers");
        drop(response);
    }
    heap(&mut reports).await;
    heap(&mut reports).await;
    assert_eq!(heap(&mut reports).await.allocations, 0);
}

#[test]
fn outside_of_requests_there_is_no_request_to_carry() {
    assert!(CurrentRequest::get().is_none());
    let sum = CurrentRequest::carry_fn(|| 1 + 1);
    assert_eq!(sum(), 2);
}
