//! What the layer costs a request in instructions and allocations, and what a heap meter costs an
//! allocation. Other load on the machine doesn't change these figures.
//!
//! ```text
//! cargo install gungraun-runner --version 0.20.0
//! cargo bench --bench instructions
//! ```
//!
//! Needs [Valgrind](https://valgrind.org) and the runner, and skips if one is missing. Callgrind
//! counts the instructions, except the kernel's; DHAT counts the allocations.

#![allow(unsafe_code)] // To call allocators one beside the other.

mod request;

use std::{
    env,
    process::{Command, Stdio},
};

fn main() {
    let by_the_runner = env::args().any(|argument| argument == "--gungraun-run");
    let missing = ["valgrind", "gungraun-runner"]
        .into_iter()
        .find(|program| !by_the_runner && !is_installed(program));
    match missing {
        Some(program) => println!("skipped: `{program}` is not installed"),
        None => counts::run(),
    }
}

fn is_installed(program: &str) -> bool {
    let mut version = Command::new(program);
    version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok()
}

mod counts {
    use super::request::{no_op, serve};
    use gungraun::{Callgrind, Dhat, DhatMetric, EventKind, prelude::*};
    use std::{
        alloc::{GlobalAlloc, Layout, System},
        hint::black_box,
        time::Duration,
    };
    use tower::Layer;
    use tower_memory::{MemoryLayer, heap::TrackingAllocator};

    static METER: TrackingAllocator = TrackingAllocator::system();

    type Serve = Box<dyn FnMut()>;

    #[library_benchmark]
    #[bench::bare(bare())]
    #[bench::every_time(layered(Duration::ZERO))]
    // Long enough for an emulator's slow clock, so the shared reading never expires.
    #[bench::shared(layered(Duration::from_secs(3600)))]
    fn one_request(mut serve: Serve) -> Serve {
        serve();
        serve
    }

    library_benchmark_group!(name = requests, benchmarks = one_request);

    #[library_benchmark]
    #[bench::bare(allocating(&System))]
    #[bench::counted(allocating(&METER))]
    fn one_allocation_and_its_end(mut pair: Serve) -> Serve {
        pair();
        pair
    }

    library_benchmark_group!(name = allocations, benchmarks = one_allocation_and_its_end);

    main!(
        config = LibraryBenchmarkConfig::default()
            .tool(Callgrind::default().format([EventKind::Ir]))
            .tool(Dhat::default().format([DhatMetric::TotalBlocks, DhatMetric::TotalBytes])),
        library_benchmark_groups = [requests, allocations]
    );

    pub(super) fn run() {
        main();
    }

    fn bare() -> Serve {
        let mut service = no_op();
        warmed_up(move || serve(&mut service))
    }

    fn layered(resolution: Duration) -> Serve {
        let layer = MemoryLayer::new().resolution(resolution);
        let mut service = layer.layer(no_op());
        warmed_up(move || serve(&mut service))
    }

    fn allocating<A: GlobalAlloc>(allocator: &'static A) -> Serve {
        warmed_up(move || {
            let layout = Layout::new::<[u64; 8]>();
            // SAFETY: the layout isn't empty, and the block is freed with the layout it was
            // allocated with.
            unsafe { allocator.dealloc(black_box(allocator.alloc(layout)), layout) };
        })
    }

    /// The first request opens files and fills caches; the second is like all others.
    fn warmed_up(mut serve: impl FnMut() + 'static) -> Serve {
        serve();
        Box::new(serve)
    }
}
