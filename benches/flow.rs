//! What a heap meter adds to a request, and to each poll of one.
//!
//! ```text
//! cargo bench --bench flow
//! ```
//!
//! First without a meter, then with one, each alternating with the bare service in turns of
//! a few milliseconds. The table compares what the layer costs over no layer.

mod metered;
mod request;
mod turns;

use self::{
    request::{no_op, serve},
    turns::{median, turn},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{
    convert::Infallible,
    env,
    future::poll_fn,
    hint::black_box,
    pin::pin,
    sync::Barrier,
    task::{Context, Poll, Waker},
};
use tower::{Layer, Service, service_fn};
use tower_memory::MemoryLayer;

const ROUNDS: usize = 300;

/// Polls of the one request that is polled repeatedly.
const POLLS: u32 = 1_000;

fn main() {
    // `cargo test --benches` only checks that it runs.
    let measuring = env::args().any(|argument| argument == "--bench");
    let rounds = if measuring { ROUNDS } else { 1 };
    let without = cost(rounds);
    metered::begin();
    let with = cost(rounds);
    println!("| the layer costs     | no meter |  a meter |     more |   target |");
    println!("|---------------------|---------:|---------:|---------:|---------:|");
    for (name, cost, target) in [
        ("a request", (|cost| cost.request) as fn(&Cost) -> f64, 60),
        ("one poll of it", |cost| cost.poll, 10),
    ] {
        let (without, with) = (cost(&without), cost(&with));
        let more = with - without;
        println!(
            "| {name:<19} | {without:>5.1} ns | {with:>5.1} ns | {more:>5.1} ns | {target:>5} ns |"
        );
    }
}

/// Nanoseconds over the bare service.
struct Cost {
    request: f64,
    poll: f64,
}

fn cost(rounds: usize) -> Cost {
    let layer = MemoryLayer::new();
    let start = Barrier::new(1);
    let (mut bare, mut layered) = (no_op(), layer.layer(no_op()));
    let (mut bare_polls, mut layered_polls) = (pending(), layer.layer(pending()));
    let rounds: Vec<_> = (0..rounds)
        .map(|_| Cost {
            request: -turn(&start, || serve(&mut bare)) + turn(&start, || serve(&mut layered)),
            poll: (-turn(&start, || poll(&mut bare_polls))
                + turn(&start, || poll(&mut layered_polls)))
                / f64::from(POLLS),
        })
        .collect();
    Cost {
        request: median(rounds.iter().map(|cost| cost.request)),
        poll: median(rounds.iter().map(|cost| cost.poll)),
    }
}

/// A service that answers at the last poll.
fn pending() -> impl Service<Request<()>, Response = Response<Full<Bytes>>, Error = Infallible> {
    service_fn(|_| {
        let mut left = POLLS;
        poll_fn(move |_| {
            left -= 1;
            match black_box(left) {
                0 => Poll::Ready(Ok(Response::new(Full::default()))),
                _ => Poll::Pending,
            }
        })
    })
}

fn poll<S: Service<Request<()>>>(service: &mut S) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut answer = pin!(service.call(Request::new(())));
    while answer.as_mut().poll(&mut cx).is_pending() {}
}
