//! What each listener, and all of them together, adds to a request over the bare layer.
//!
//! ```text
//! cargo bench --bench listeners --features metrics,routes
//! ```
//!
//! Also the cost of looking at the figures of 512 routes, and of the requests that end meanwhile.
//!
//! The cases take turns, as in `overhead`. The request has no warning and a known route. The log's subscriber
//! wants INFO, as most do.

mod request;
mod turns;

use self::{
    request::{no_op, serve},
    turns::{median, turn},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{
    env,
    hint::black_box,
    io, panic,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};
use tower::{BoxError, Layer};
use tower_memory::{Log, MemoryLayer, Route, metrics::Metrics, reclaim::Reclaim, routes::Routes};
use tracing_subscriber::filter::LevelFilter;

const ROUNDS: usize = 400;

fn main() -> Result<(), BoxError> {
    // `cargo test --benches` only checks that it runs.
    let measuring = env::args().any(|argument| argument == "--bench");
    let rounds = if measuring { ROUNDS } else { 1 };
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_writer(io::sink)
        .init();
    PrometheusBuilder::new().install_recorder()?;
    let cores = thread::available_parallelism()?.get();
    let cases = cases();
    let (alone, crowded) = (measure(&cases, 1, rounds), measure(&cases, cores, rounds));
    println!(
        "| {:<34} | {:>9} | {:>9} | {:>9} | {:>9} |",
        "one request",
        "1 thread",
        "more",
        format!("{cores} threads"),
        "more"
    );
    println!(
        "|{:-<36}|{:->10}:|{:->10}:|{:->10}:|{:->10}:|",
        "", "", "", "", ""
    );
    for (case, (name, _)) in cases.iter().enumerate() {
        let [(alone, more), (crowded, more_crowded)] = [&alone, &crowded].map(|rounds| {
            (
                median(rounds.iter().map(|round| round[case])),
                median(rounds.iter().map(|round| round[case] - round[0])),
            )
        });
        println!(
            "| {name:<34} | {alone:>6.0} ns | {more:>6.0} ns | {crowded:>6.0} ns | {more_crowded:>6.0} ns |"
        );
    }
    print_looks(rounds);
    Ok(())
}

/// One thread serves while another keeps reading the figures of 512 routes.
fn print_looks(rounds: usize) {
    let routes = Routes::new();
    let bare = MemoryLayer::new().without_log();
    let watched = bare.clone().on_report(routes.clone());
    let number = AtomicUsize::new(0);
    let mut of_many = watched
        .clone()
        .route_with(move |_| {
            let number = number.fetch_add(1, Ordering::Relaxed);
            Some(Route::from(Arc::<str>::from(format!(
                "/api/systems/{number}"
            ))))
        })
        .layer(no_op());
    (0..512).for_each(|_| serve(&mut of_many));

    let done = AtomicBool::new(false);
    let (looks, rounds) = thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looks = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                black_box(routes.snapshot());
                looks.push(began.elapsed().as_secs_f64() * 1e6);
            }
            looks
        });
        // Three turns: two would fall into step with the scheduler's ticks, which then favours one of them.
        let cases = [("bare", bare.clone()), ("Routes", watched), ("bare", bare)];
        let rounds = measure(&cases, 1, rounds);
        done.store(true, Ordering::Relaxed);
        let looks = looking.join();
        (
            looks.unwrap_or_else(|payload| panic::resume_unwind(payload)),
            rounds,
        )
    });
    println!();
    println!("a look at 512 routes: {:.0} µs", median(looks.into_iter()));
    println!(
        "`Routes`, while one looks all the time: {:.0} ns more for a request",
        median(rounds.iter().map(|round| round[1] - round[0]))
    );
}

/// The first is the baseline.
fn cases() -> Vec<(&'static str, MemoryLayer)> {
    let bare = || MemoryLayer::new().without_log();
    vec![
        ("the layer, no listener", bare()),
        ("Log, at INFO (default)", bare().on_report(Log::new())),
        ("Routes", bare().on_report(Routes::new())),
        ("Metrics, to Prometheus", bare().on_report(Metrics::new())),
        ("Reclaim", bare().on_report(Reclaim::new())),
        (
            "all four",
            MemoryLayer::new()
                .on_report(Routes::new())
                .on_report(Metrics::new())
                .on_report(Reclaim::new()),
        ),
    ]
}

/// Nanoseconds per request of each case, in each round of each thread.
fn measure(cases: &[(&str, MemoryLayer)], threads: usize, rounds: usize) -> Vec<Vec<f64>> {
    let start = &Barrier::new(threads);
    let all_rounds = || {
        let mut services: Vec<_> = cases
            .iter()
            .map(|(_, layer)| layer.layer(no_op()))
            .collect();
        let mut round = || {
            services
                .iter_mut()
                .map(|service| turn(start, || serve(service)))
                .collect()
        };
        (0..rounds).map(|_| round()).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(all_rounds)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|rounds| rounds.unwrap_or_else(|payload| panic::resume_unwind(payload)))
            .collect()
    })
}
