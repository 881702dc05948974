//! Live bytes are exact, whatever allocates and on whatever thread: they are the bytes that callers
//! have allocated and not freed.

#![allow(unsafe_code)] // To use allocators by hand.

#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/work.rs"]
mod work;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use oracle::Oracle;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::RefCell,
    convert::Infallible,
    env,
    future::{Future, ready},
    hint::black_box,
    pin::pin,
    ptr,
    sync::{
        Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    task::{Context, Waker},
    thread,
};
use tower::{Layer, Service, service_fn};
use tower_memory::{
    MemoryLayer,
    heap::{TrackingAllocator, live_bytes},
};
use work::{live_of, work_for};

#[global_allocator]
static ALLOCATOR: Oracle<TrackingAllocator> = Oracle(TrackingAllocator::system());

/// Live bytes belong to the process, so tests run one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static PROCESS: Mutex<()> = Mutex::new(());
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error in live bytes from blocks that were freed with wrong layouts.
static OFF: AtomicI64 = AtomicI64::new(0);

/// To the byte. The test runner's threads may be between the two accounts for a moment; a byte that
/// was lost or counted twice would stay so for ever.
fn assert_exact() {
    let off = OFF.load(Ordering::Relaxed);
    let both = || (live_bytes().map(|live| live as i64), oracle::live() + off);
    let exact = (0..100_000).any(|_| {
        let (live, oracle) = both();
        live == Some(oracle) || {
            thread::yield_now();
            false
        }
    });
    let (live, oracle) = both();
    assert!(exact, "{live:?} are live, callers have {oracle}");
}

#[test]
fn what_is_kept_is_live_and_what_is_dropped_is_not() {
    let _alone = alone();
    const SIZE: u64 = 1 << 30;
    // Never touched, and large enough that the test runner's memory doesn't matter beside it.
    let near = |bytes: u64| live_bytes().is_some_and(|live| live.abs_diff(bytes) < 1 << 20);
    let before = live_bytes().expect("it counts");
    // The optimizer removes unused memory.
    let mut kept: Vec<u8> = black_box(Vec::with_capacity(SIZE as usize));
    assert!(near(before + SIZE));
    black_box(&mut kept).reserve_exact(2 * SIZE as usize);
    assert!(near(before + 2 * SIZE));
    black_box(&mut kept).shrink_to(SIZE as usize);
    assert!(near(before + SIZE));
    let zeroed = black_box(vec![0_u8; SIZE as usize]);
    assert!(near(before + 2 * SIZE));
    drop((kept, zeroed));
    assert!(near(before));
    assert_exact();
}

#[test]
fn live_bytes_are_exact_after_threads_that_free_what_others_allocated() {
    let _alone = alone();
    const THREADS: usize = 8;
    const GENERATIONS: usize = 40;
    const STEPS: usize = 10_000;
    for generation in 0..GENERATIONS {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel()).unzip();
        thread::scope(|scope| {
            for (thread, received) in receivers.into_iter().enumerate() {
                let senders = senders.clone();
                scope.spawn(move || {
                    let seed = (generation * THREADS + thread) as u64;
                    let mut random = fastrand::Rng::with_seed(seed);
                    let mut kept: Vec<Vec<u8>> = Vec::new();
                    for _ in 0..STEPS {
                        match random.u8(0..6) {
                            0 => kept.push(Vec::with_capacity(random.usize(0..5_000))),
                            1 => kept.push(vec![0; random.usize(0..5_000)]),
                            2 => kept
                                .iter_mut()
                                .for_each(|vec| vec.reserve(vec.capacity() / 8)),
                            3 => drop(kept.pop()),
                            4 => kept.pop().into_iter().for_each(|vec| {
                                let other = random.usize(0..THREADS);
                                // Threads that have ended leave it to us to free.
                                let _ = senders[other].send(vec);
                            }),
                            _ => kept.extend(received.try_recv()),
                        }
                        kept.truncate(50);
                    }
                });
            }
        });
        drop(senders);
    }
    assert_exact();
}

#[test]
fn nothing_is_lost_when_a_thread_ends() {
    let _alone = alone();
    let before = live_bytes().expect("it counts");
    let kept: Vec<Vec<u8>> = (0..3_000)
        .map(|_| {
            let thread = thread::spawn(|| Vec::with_capacity(1 << 20));
            thread.join().expect("it allocates")
        })
        .collect();
    assert!(live_bytes().expect("it counts") >= before + (3_000 << 20) - (1 << 20));
    drop(kept);
    assert_exact();
}

/// Threads alive at once, each with a request that keeps 1,000 bytes.
fn a_crowd_is_exact(threads: usize) {
    let before = live_of("/crowd");
    let (all_alive, all_looked) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    thread::scope(|scope| {
        let mut crowd = Vec::with_capacity(threads);
        for _ in 0..threads {
            let small = thread::Builder::new().stack_size(128 << 10);
            let counting = small.spawn_scoped(scope, || {
                let mut kept = Vec::new();
                work_for("/crowd", || kept = vec![1_u8; 1_000]);
                all_alive.wait();
                all_looked.wait();
                drop(kept);
            });
            crowd.push(counting.expect("a thread more"));
        }
        all_alive.wait();
        assert_eq!(live_of("/crowd") - before, 1_000 * threads as u64);
        all_looked.wait();
        // A scope doesn't wait for the destructors of thread-locals, which free the threads' spare windows.
        for thread in crowd {
            thread.join().expect("it ends");
        }
    });
    assert_eq!(live_of("/crowd"), before);
    assert_exact();
}

#[test]
fn a_thousand_threads_at_once_are_exact_again_and_again() {
    let _alone = alone();
    (0..3).for_each(|_| a_crowd_is_exact(1_200));
}

#[test]
fn more_threads_than_can_count_apart_count_together() {
    let _alone = alone();
    const THREADS: usize = 2_300;
    if let Some(most) = most_threads()
        && most < THREADS + 100
    {
        assert!(env::var_os("CI").is_none(), "{most} threads are too few");
        println!("skipped: this machine lets nobody have more than {most} threads");
        return;
    }
    a_crowd_is_exact(THREADS);
}

/// The machine's limit, if it states one.
fn most_threads() -> Option<usize> {
    let cgroup = std::fs::read_to_string("/sys/fs/cgroup/pids.max").ok();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/threads-max").ok();
    let limits = [cgroup, kernel].into_iter().flatten();
    limits.filter_map(|limit| limit.trim().parse().ok()).min()
}

#[test]
fn destructors_of_thread_locals_are_counted() {
    let _alone = alone();
    struct Allocating(Vec<u8>);
    impl Drop for Allocating {
        fn drop(&mut self) {
            self.0 = vec![7; 2_000];
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Allocating>> = const { RefCell::new(None) };
    }
    for _ in 0..100 {
        let ending = thread::spawn(|| {
            LAST.with(|last| *last.borrow_mut() = Some(Allocating(vec![7; 1_000])));
        });
        ending.join().expect("it ends");
    }
    assert_exact();
}

#[test]
fn a_request_allocates_nothing_where_the_heap_is_metered() {
    let _alone = alone();
    let layer = MemoryLayer::new().warn_above(u64::MAX);
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    }));
    let mut request = || {
        let answer = pin!(service.call(Request::new(())));
        let answered = answer.poll(&mut Context::from_waker(Waker::noop()));
        assert!(answered.is_ready());
    };
    // Routes and readers are set up once.
    request();
    let before = oracle::allocations_here();
    (0..10).for_each(|_| request());
    assert_eq!(oracle::allocations_here(), before);
    drop(black_box(Box::new(7)));
    assert_eq!(oracle::allocations_here(), before + 1);
}

/// An allocator that ignores layouts: all its blocks are the same.
struct Careless;

const BLOCK: Layout = Layout::new::<[u64; 1024]>();

// SAFETY: a block is larger than any requested below.
unsafe impl GlobalAlloc for Careless {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        assert!(layout.size() <= BLOCK.size() && layout.align() <= BLOCK.align());
        // SAFETY: it has a size.
        unsafe { System.alloc_zeroed(BLOCK) }
    }

    unsafe fn realloc(&self, block: *mut u8, _: Layout, _: usize) -> *mut u8 {
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: as it was allocated.
        unsafe { System.dealloc(block, BLOCK) };
    }
}

#[test]
fn a_block_that_is_freed_with_a_wrong_layout_is_a_wrong_number_and_nothing_worse() {
    let _alone = alone();
    let allocator = TrackingAllocator::new(Careless);
    let layout = |size| Layout::from_size_align(size, 8).expect("a layout");
    for (asked, said) in [(24, 16), (500, 20), (2_000, 500), (500, 2_000), (40, 41)] {
        for content in [0, 0x5a, 0xff] {
            // SAFETY: only an allocator that relies on it would mind.
            unsafe {
                for is_moved in [false, true] {
                    let mut block = allocator.alloc(layout(asked));
                    ptr::write_bytes(block, content, asked);
                    if is_moved {
                        block = allocator.realloc(block, layout(said), asked);
                    }
                    allocator.dealloc(black_box(block), layout(said));
                }
            }
            // The second block is off twice: when it moved and when it was freed.
            let off = 3 * (asked as i64 - said as i64);
            OFF.fetch_add(off, Ordering::Relaxed);
            assert_exact();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_forked_child_goes_on_counting() {
    let _alone = alone();
    let kept = vec![0_u8; 1 << 20];
    let child = match fork::fork().expect("a child") {
        fork::Fork::Parent(child) => child,
        fork::Fork::Child => {
            let before = live_bytes().unwrap_or(0);
            let kept = [
                vec![0_u8; 1 << 30],
                thread::spawn(|| vec![0_u8; 1 << 30])
                    .join()
                    .unwrap_or_default(),
            ];
            let grown = live_bytes().unwrap_or(0) - before;
            drop(kept);
            // Not a panic, which would go on as the test runner a second time.
            let right = grown.abs_diff(2 << 30) < 1 << 20;
            std::process::exit(if right { 0 } else { 1 });
        }
    };
    let ended = fork::waitpid(child).expect("it ends");
    drop(kept);
    assert_eq!(ended, 0);
}
