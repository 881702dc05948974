//! Mutants of real files over HTTP, against the real binary.
//!
//! ```sh
//! MUTANTS=20000 cargo test --release -p system-builder --test fuzz -- --nocapture mutants
//! SEARCH=2000 cargo test --release -p system-builder --test fuzz -- --nocapture worst
//! ```
//!
//! `SEED` repeats a run. Without these variables it is a short one, as in CI.

#[path = "../binary/mod.rs"]
mod binary;
mod mutate;
mod server;
mod worst;

// The lint knows test functions only, and these are theirs.
#[allow(clippy::unwrap_used)]
mod run {
    use crate::mutate::{Mutator, corpus};
    use crate::server::Server;
    use std::{env, time::Duration};

    /// Nothing takes longer. Without optimisation everything is slower.
    const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 5 });

    /// What the process never exceeds, in MiB.
    const MOST: u64 = 300;

    pub(crate) fn number(variable: &str, usual: u64) -> u64 {
        let text = env::var(variable);
        text.map_or(usual, |text| text.parse().expect(variable))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn mutants_are_refused_or_come_back_loadable_and_nothing_fails() {
        let (count, seed) = (number("MUTANTS", 300), number("SEED", 1));
        let server = Server::start(&["--store-limit", "96MiB", "--work-limit", "64MiB"]).await;
        let corpus = corpus();
        let workers = (0..2).map(|worker| {
            let (server, corpus) = (&server, &corpus);
            let mut mutator = Mutator::new(seed * 1000 + worker);
            async move {
                for number in 0..count.div_ceil(2) {
                    let mutant = mutator.mutant(corpus);
                    if let Err(complaint) = server.put_through(&mutant, number).await {
                        let file =
                            env::temp_dir().join(format!("mutant-{seed}-{worker}-{number}.json"));
                        std::fs::write(&file, &mutant).unwrap();
                        panic!("{complaint}; the file is {}", file.display());
                    }
                }
            }
        });
        futures_util::future::join_all(workers).await;
        let (longest, peak) = (server.longest(), server.peak());
        println!(
            "{count} mutants, {} accepted; the longest request took {longest:?}, the process {peak} MiB at most",
            server.accepted(),
        );
        assert!(longest < LONGEST, "{longest:?}");
        assert!(peak < MOST, "{peak} MiB");
        assert!(server.accepted() > 0, "nothing came through");
        server.stop_without_panics().await;
    }
}
