//! Live bytes are exact: whatever allocates, on whatever thread, they are what the inner allocator
//! has handed out and not taken back.

#![allow(unsafe_code)] // To be an allocator.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::RefCell,
    ptr,
    sync::{
        Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};
use tower_memory::heap::{TrackingAllocator, live_bytes};

#[global_allocator]
static ALLOCATOR: TrackingAllocator<Account> = TrackingAllocator::new(Account);

/// The system's allocator, with an account of its own: one number, added to atomically.
struct Account;

static ACCOUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to `System` as it is.
unsafe impl GlobalAlloc for Account {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ACCOUNT.fetch_add(layout.size() as u64, Ordering::SeqCst);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ACCOUNT.fetch_add(layout.size() as u64, Ordering::SeqCst);
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, allocation: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ACCOUNT.fetch_add(new_size as u64, Ordering::SeqCst);
        ACCOUNT.fetch_sub(layout.size() as u64, Ordering::SeqCst);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(allocation, layout, new_size) }
    }

    unsafe fn dealloc(&self, allocation: *mut u8, layout: Layout) {
        ACCOUNT.fetch_sub(layout.size() as u64, Ordering::SeqCst);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(allocation, layout) }
    }
}

/// Live bytes are the process's, and so one test at a time has it for itself.
fn alone() -> MutexGuard<'static, ()> {
    static PROCESS: Mutex<()> = Mutex::new(());
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// To the byte. The test runner has threads of its own, which may be between the two accounts for a
/// moment; a byte that was lost or counted twice would be for ever.
fn assert_exact() {
    let exact = (0..100_000).any(|_| {
        let live = live_bytes();
        let exact = live == Some(ACCOUNT.load(Ordering::SeqCst));
        if !exact {
            thread::yield_now();
        }
        exact
    });
    let (live, account) = (live_bytes(), ACCOUNT.load(Ordering::SeqCst));
    assert!(
        exact,
        "{live:?} are live, the inner allocator has {account}"
    );
}

#[test]
fn what_is_kept_is_live_and_what_is_dropped_is_not() {
    let _alone = alone();
    const SIZE: u64 = 1 << 30;
    // Never touched, and so large that what the test runner has does not matter beside it.
    let near = |bytes: u64| live_bytes().is_some_and(|live| live.abs_diff(bytes) < 1 << 20);
    let before = live_bytes().expect("it counts");
    let mut kept: Vec<u8> = Vec::with_capacity(SIZE as usize);
    assert!(near(before + SIZE));
    kept.reserve_exact(2 * SIZE as usize);
    assert!(near(before + 2 * SIZE));
    kept.shrink_to(SIZE as usize);
    assert!(near(before + SIZE));
    let zeroed = vec![0_u8; SIZE as usize];
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
                                // Whoever has ended leaves it to us to free.
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

#[test]
fn more_threads_than_can_count_apart_count_together() {
    let _alone = alone();
    const THREADS: usize = 1_200;
    let all_alive = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let small = thread::Builder::new().stack_size(64 << 10);
            let counting = small.spawn_scoped(scope, || {
                let kept = vec![1_u8; 1_000];
                all_alive.wait();
                drop(kept);
            });
            counting.expect("a thread more");
        }
    });
    assert_exact();
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
fn an_allocation_that_failed_is_not_counted() {
    let _alone = alone();
    struct Exhausted;
    // SAFETY: it never hands anything out, as an allocator may.
    unsafe impl GlobalAlloc for Exhausted {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }
    let exhausted = TrackingAllocator::new(Exhausted);
    let layout = Layout::from_size_align(1_000, 8).expect("a layout");
    let mut kept = 0_u64;
    // SAFETY: the layout isn't empty, and the allocation that is to grow is one of that layout.
    unsafe {
        assert!(exhausted.alloc(layout).is_null());
        assert!(exhausted.alloc_zeroed(layout).is_null());
        assert!(
            exhausted
                .realloc((&raw mut kept).cast(), layout, 2_000)
                .is_null()
        );
    }
    assert_exact();
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
            // Not a panic: that would go on as the test runner once more.
            let right = grown.abs_diff(2 << 30) < 1 << 20;
            std::process::exit(if right { 0 } else { 1 });
        }
    };
    let ended = fork::waitpid(child).expect("it ends");
    drop(kept);
    assert_eq!(ended, 0);
}
