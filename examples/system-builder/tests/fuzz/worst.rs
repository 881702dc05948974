//! A search for the files that make the server hold most: mutation, with memory as its goal.

// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use crate::{
    mutate::{Mutator, corpus, seeds},
    run::number,
    server::Server,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Of what one request may hold at once, at `--work-limit 64MiB`, in MiB.
const MOST_HELD: u64 = 192;

/// What is asked for of each file.
const ASKED: [&str; 6] = [
    "POST",
    "/footprint?step=day",
    "/footprint?step=hour",
    "/sankey?threshold=0",
    "/computed",
    "",
];

/// The worst that was found for one of them.
struct Worst {
    file: Value,
    bytes: usize,
    held: u64,
    took: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_that_a_search_finds_is_held_within_bounds() {
    let (rounds, seed) = (number("SEARCH", 60), number("SEED", 1));
    let mut server = Server::start(&["--work-limit", "64MiB", "--results-limit", "0"]).await;
    let mut mutator = Mutator::new(seed);
    let corpus = [seeds(), corpus()].concat();
    let mut worst: Vec<Option<Worst>> = ASKED.map(|_| None).into();
    for round in 0..rounds as usize {
        let goal = round % ASKED.len();
        let mut file = match (&worst[goal], round % 5) {
            // Something new now and then: what is best may lead nowhere.
            (Some(worst), 1..) if round >= seeds().len() => worst.file.clone(),
            _ => corpus[round % corpus.len()].clone(),
        };
        // The seeds are measured as they are.
        let changes = if round < seeds().len() {
            0
        } else {
            1 + round % 3
        };
        for change in 0..changes {
            if (round + change) % 2 == 0 {
                mutator.grow(&mut file);
            } else {
                mutator.change(&mut file);
            }
        }
        for (asked, (held, took)) in measure(&mut server, &file).await.into_iter().enumerate() {
            if worst[asked].as_ref().is_none_or(|worst| held > worst.held) {
                worst[asked] = Some(Worst {
                    file: file.clone(),
                    bytes: file.to_string().len(),
                    held,
                    took,
                });
            }
        }
    }
    println!("| asked for | bytes in | MiB held | seconds |\n|---|--:|--:|--:|");
    for (asked, worst) in ASKED.iter().zip(&worst) {
        let Some(worst) = worst else { continue };
        println!(
            "| `{asked}` | {} | {:.1} | {:.2} |",
            worst.bytes,
            worst.held as f64 / f64::from(1 << 20),
            worst.took.as_secs_f64(),
        );
        assert!(worst.held >> 20 < MOST_HELD, "{asked}: {}", worst.file);
    }
    println!("the process took {} MiB at most", server.peak());
    server.stop_without_panics().await;
}

/// What the server held at most for each request of a file, by its own log, and for how long.
async fn measure(server: &mut Server, file: &Value) -> Vec<(u64, Duration)> {
    let mut measured = Vec::new();
    let file = file.to_string();
    let began = Instant::now();
    let created = server.ask("POST", "/api/systems", file.as_bytes());
    let created = created.await.unwrap();
    measured.push((held(server).await, began.elapsed()));
    if created.status == 201 {
        for path in &ASKED[1..] {
            let began = Instant::now();
            let path = format!("{}{path}", created.location);
            server.ask("GET", &path, b"").await.unwrap();
            measured.push((held(server).await, began.elapsed()));
        }
        let removed = server.ask("DELETE", &created.location, b"");
        removed.await.unwrap();
        held(server).await;
    }
    measured
}

/// What the next request that is reported has held at once, in bytes.
async fn held(server: &mut Server) -> u64 {
    loop {
        let line = server.binary.log.next_line().await.unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(peak) = line.get("heap.peak") {
            return peak.as_u64().unwrap();
        }
    }
}
