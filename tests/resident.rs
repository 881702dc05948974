//! Readings of the resident set are right, even if something is wrong with the process.
#![cfg(target_os = "linux")]

mod support;

use bytes::Bytes;
use fork::{Fork, fork, waitpid};
use http::Response;
use http_body_util::{BodyExt, Full};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use std::{
    convert::Infallible,
    env,
    fs::{self, File},
    hint::black_box,
    io,
    path::Path,
    process::{self, Command},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use support::{finish, get, reports_of};
use tower::{Layer, ServiceExt, service_fn};
use tower_memory::{MIB, MemoryLayer, ReadResident, Report, Resident, Verdict, resident::Statm};

/// Tests that measure take turns: they share a process, and with it a resident set.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What other threads, the allocator and the kernel may add meanwhile. Kernels 6.2 to 6.15 batch
/// their counters per CPU.
fn tolerance() -> u64 {
    let cpus = thread::available_parallelism().expect("some CPUs").get() as u64;
    let batched = cpus * u64::max(32, 2 * cpus) * rustix::param::page_size() as u64;
    2 * MIB + 2 * batched
}

#[track_caller]
fn assert_about(found: u64, expected: u64) {
    let tolerance = tolerance();
    assert!(
        found.abs_diff(expected) <= tolerance,
        "found {found}, expected {expected} within {tolerance}"
    );
}

/// The resident set from the slower and more detailed `/proc/self/status`.
fn status() -> Resident {
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect(name) << 10
    };
    Resident::new(bytes("VmRSS:"), bytes("RssFile:") + bytes("RssShmem:"))
}

fn assert_agrees_with_status(reader: &impl ReadResident) {
    let (found, expected) = (reader.read().expect("readable"), status());
    assert_about(found.total, expected.total);
    assert_about(found.shared, expected.shared);
}

/// Large enough that the tolerance doesn't matter beside it, on up to 32 CPUs.
const BIG: u64 = 256 * MIB;

/// Memory that is resident because it was written to.
fn touched() -> Vec<u8> {
    black_box(vec![1; BIG as usize])
}

/// The report of a request that does `work`.
fn report_of(layer: MemoryLayer, work: impl Fn()) -> Report {
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(|_| {
        work();
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done")))) }
    }));
    let response = finish(service.oneshot(get("/"))).expect("it answers");
    let body = finish(response.into_body().collect()).expect("all of it");
    assert_eq!(body.to_bytes(), "done");
    reports.now()
}

fn exact() -> MemoryLayer {
    MemoryLayer::new()
        .without_log()
        .resolution(Duration::ZERO)
        .warn_above(BIG / 2)
}

// The figures.

#[test]
fn memory_that_a_request_touches_is_growth_and_memory_it_frees_is_not() {
    let _turn = alone();
    let kept = Mutex::new(None);
    let report = report_of(exact(), || {
        *kept.lock().expect("not poisoned") = Some(touched())
    });
    let growth = report.growth().expect("readable");
    assert_about(growth.unsigned_abs(), BIG);
    assert!(growth > 0);
    assert_eq!(report.verdict, Verdict::Unmetered);

    let report = report_of(exact(), || *kept.lock().expect("not poisoned") = None);
    let growth = report.growth().expect("readable");
    assert_about(growth.unsigned_abs(), BIG);
    assert!(growth < 0);
    assert_eq!(report.verdict, Verdict::WithinThreshold);
}

#[test]
fn memory_that_a_request_only_reserves_is_no_growth() {
    let _turn = alone();
    let kept = Mutex::new(Vec::<u8>::new());
    let report = report_of(exact(), || {
        kept.lock()
            .expect("not poisoned")
            .reserve_exact(BIG as usize)
    });
    let growth = report.growth().expect("readable");
    assert_about(growth.unsigned_abs(), 0);
}

#[test]
fn a_file_whose_pages_a_request_touches_is_mapped_and_no_heap() {
    /// A part of this program, mapped from its file at start and read from it when touched.
    static TABLE: [u8; BIG as usize / 8] = [1; BIG as usize / 8];

    let _turn = alone();
    let size = TABLE.len() as u64;
    let layer = exact().warn_above(size / 2);
    let report = report_of(layer, || {
        let ones = TABLE
            .iter()
            .step_by(4096)
            .map(|one| usize::from(*black_box(one)));
        assert_eq!(ones.sum::<usize>(), TABLE.len() / 4096);
    });
    let (before, after) = (
        report.before.expect("readable"),
        report.after.expect("readable"),
    );
    assert_about(after.shared - before.shared, size);
    assert_about(after.anonymous(), before.anonymous());
    assert!(
        matches!(report.verdict, Verdict::Mapped { shared_growth, .. } if shared_growth == after.shared - before.shared)
    );
}

#[test]
fn statm_agrees_with_the_status_of_the_process() {
    let _turn = alone();
    let reader = Statm::new();
    assert_agrees_with_status(&reader);
    let memory = touched();
    assert_agrees_with_status(&reader);
    drop(memory);
    assert_agrees_with_status(&reader);
}

#[cfg(feature = "sysinfo")]
#[test]
fn sysinfo_agrees_with_statm() {
    let _turn = alone();
    let (sysinfo, statm) = (tower_memory::resident::Sysinfo::new(), Statm::new());
    let agree = || {
        let found = sysinfo.read().expect("readable");
        assert_about(found.total, statm.read().expect("readable").total);
    };
    agree();
    let memory = touched();
    agree();
    drop(memory);
    agree();
}

#[test]
fn threads_that_share_a_reader_all_read_right() {
    let _turn = alone();
    let reader = Statm::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_about(reader.read().expect("readable").total, status().total);
                }
            });
        }
    });
}

// Processes with something wrong: each test starts this program again, alone.

const ITSELF: &str = "TOWER_MEMORY_TEST";
const DONE: i32 = 42;

/// Runs `body` in a process of its own. `launcher` is a command that starts the program.
fn in_a_process_of_its_own(test: &str, launcher: &[&str], body: impl FnOnce()) {
    if env::var_os(ITSELF).is_some_and(|name| name == test) {
        body();
        // Neither destructors nor the test harness: a body may have closed the descriptors they write to.
        process::exit(DONE);
    }
    let program = env::current_exe().expect("procfs");
    let mut command = match launcher {
        [] => Command::new(program),
        [launcher, arguments @ ..] => {
            let mut command = Command::new(launcher);
            command.args(arguments).arg(program);
            command
        }
    };
    let output = command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ITSELF, test)
        .output()
        .expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(DONE), "{out}\n{err}");
}

/// Log lines from `WARN` upwards while `work` runs.
fn warnings_of(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let text = Text::default();
    let writer = text.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let text = text.0.lock().expect("not poisoned").clone();
    String::from_utf8(text).expect("text")
}

fn assert_unreadable(layer: &MemoryLayer) {
    let report = report_of(layer.clone(), || {});
    assert_eq!((report.before, report.after), (None, None));
    assert_eq!(
        (report.growth(), report.verdict),
        (None, Verdict::Unreadable)
    );
}

fn assert_readable(layer: &MemoryLayer) {
    let report = report_of(layer.clone(), || {});
    assert_about(report.after.expect("readable").total, status().total);
}

#[test]
fn a_forked_child_reads_its_own_memory_and_its_parent_goes_on_with_its_own() {
    in_a_process_of_its_own(
        "a_forked_child_reads_its_own_memory_and_its_parent_goes_on_with_its_own",
        &[],
        || {
            let reader = Statm::new();
            assert_agrees_with_status(&reader);
            match fork().expect("it forks") {
                Fork::Child => {
                    let memory = touched();
                    let forked = clock_gettime(ClockId::MonotonicCoarse);
                    while clock_gettime(ClockId::MonotonicCoarse) == forked {}
                    let found = reader.read().expect("readable").total;
                    let agrees = found.abs_diff(status().total) <= tolerance();
                    drop(memory);
                    process::exit(if agrees { 0 } else { 1 });
                }
                Fork::Parent(child) => {
                    let status = waitpid(child).expect("it ends");
                    assert_eq!(
                        fork::WEXITSTATUS(status),
                        0,
                        "the child read another's memory"
                    );
                    assert_agrees_with_status(&reader);
                }
            }
        },
    );
}

#[test]
fn without_descriptors_to_spare_the_one_that_is_kept_still_reads() {
    in_a_process_of_its_own(
        "without_descriptors_to_spare_the_one_that_is_kept_still_reads",
        &[],
        || {
            let layer = MemoryLayer::new().resolution(Duration::ZERO);
            let fresh = MemoryLayer::new().resolution(Duration::ZERO);
            assert_readable(&layer);
            let before = getrlimit(Resource::Nofile);
            let none = Rlimit {
                current: Some(0),
                maximum: before.maximum,
            };
            let expected = status().total;
            setrlimit(Resource::Nofile, none).expect("it can be lowered");
            let warnings = warnings_of(|| {
                let report = report_of(layer, || {});
                assert_about(report.after.expect("readable").total, expected);
                for _ in 0..3 {
                    let report = report_of(fresh.clone(), || {});
                    assert_eq!((report.before, report.after), (None, None));
                }
            });
            assert_eq!(warnings.lines().count(), 1, "{warnings}");
            assert!(
                warnings.contains("/proc/self/statm: Too many open files"),
                "{warnings}"
            );
            setrlimit(Resource::Nofile, before).expect("it can be raised again");
            assert_readable(&fresh);
        },
    );
}

#[test]
fn a_process_that_closed_all_descriptors_still_reads() {
    in_a_process_of_its_own(
        "a_process_that_closed_all_descriptors_still_reads",
        &[],
        || {
            // The safe way to close a descriptor owned by somebody else works only for those up to 2, so
            // make room for it there.
            fork::close_fd().expect("they can be closed");
            let reader = Statm::new();
            let first = reader.read().expect("readable").total;
            assert!(first > 0);
            fork::close_fd().expect("they can be closed");
            let read = || reader.read().map_or(0, |resident| resident.total);
            let closed = read();
            // Another file has taken its number.
            let other = File::open("/dev/zero").expect("a device");
            let replaced = read();
            drop(other);
            // Nobody would see an assertion that fails.
            let wrong = [closed, replaced]
                .into_iter()
                .any(|found| found.abs_diff(first) > tolerance());
            process::exit(if wrong { 1 } else { DONE });
        },
    );
}

/// Commands that run a program where an empty directory hides `/proc`: for root, and for others.
const WITHOUT_PROC: [&[&str]; 2] = [
    &["unshare", "--mount"],
    &["unshare", "--mount", "--map-root-user"],
];
const HIDE_PROC: [&str; 4] = ["sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"];

/// A command that runs a program without `/proc`, if that is permitted. If it isn't, the test is skipped,
/// and fails on CI.
fn without_proc() -> Option<Vec<&'static str>> {
    if env::var_os(ITSELF).is_some() {
        return Some(Vec::new());
    }
    let launchers = WITHOUT_PROC.map(|unshare| [unshare, &HIDE_PROC].concat());
    let permitted = launchers.into_iter().find(|launcher| {
        let tried = Command::new(launcher[0])
            .args(&launcher[1..])
            .arg("true")
            .output();
        tried.is_ok_and(|output| output.status.success())
    });
    if permitted.is_none() {
        assert!(env::var_os("CI").is_none(), "not permitted to hide /proc");
        println!("skipped: not permitted to hide /proc in a mount namespace");
    }
    permitted
}

fn run(command: &str, arguments: &[&str]) {
    let ended = Command::new(command).args(arguments).status();
    assert!(ended.expect("it starts").success());
}

#[test]
fn without_proc_the_service_works_and_one_line_says_what_is_missing() {
    let Some(launcher) = without_proc() else {
        return;
    };
    in_a_process_of_its_own(
        "without_proc_the_service_works_and_one_line_says_what_is_missing",
        &launcher,
        || {
            let layer = MemoryLayer::new().resolution(Duration::ZERO);
            let warnings = warnings_of(|| {
                assert!(!Path::new("/proc/self").exists());
                (0..3).for_each(|_| assert_unreadable(&layer));
                fs::create_dir("/proc/self").expect("it is empty");
                fs::write("/proc/self/statm", "no numbers").expect("it is ours");
                (0..3).for_each(|_| assert_unreadable(&layer));
            });
            assert_eq!(warnings.lines().count(), 1, "{warnings}");
            let reason = "/proc/self/statm: No such file or directory";
            assert!(warnings.contains(reason), "{warnings}");

            let warnings = warnings_of(|| assert_unreadable(&MemoryLayer::new()));
            let reason =
                "/proc/self/statm holds \"no numbers\", expected `size resident shared ...`";
            assert!(warnings.contains(reason), "{warnings}");

            run("umount", &["/proc"]);
            assert_readable(&layer);

            #[cfg(feature = "sysinfo")]
            {
                let sysinfo = tower_memory::resident::Sysinfo::new();
                assert!(sysinfo.read().is_ok());
                run("mount", &["-t", "tmpfs", "none", "/proc"]);
                assert!(sysinfo.read().is_err(), "it tells what it read before");
            }
        },
    );
}

/// A kernel's answer for a process that is going away, and answers that no kernel gives.
#[test]
fn a_statm_that_can_not_be_true_is_a_failed_reading() {
    let Some(launcher) = without_proc() else {
        return;
    };
    in_a_process_of_its_own(
        "a_statm_that_can_not_be_true_is_a_failed_reading",
        &launcher,
        || {
            fs::create_dir("/proc/self").expect("it is empty");
            for statm in [
                "0 0 0 0 0 0 0\n",
                "9 10 11 0 0 0 0\n",
                "1 4503599627370495 0 0 0 0 0\n",
            ] {
                fs::write("/proc/self/statm", statm).expect("it is ours");
                let layer = MemoryLayer::new().resolution(Duration::ZERO);
                let warnings = warnings_of(|| (0..3).for_each(|_| assert_unreadable(&layer)));
                assert_eq!(warnings.lines().count(), 1, "{warnings}");
                assert!(warnings.contains("bytes resident, "), "{warnings}");
            }
        },
    );
}

/// Opening a FIFO blocks, like a file on a file system whose server hangs.
#[test]
fn a_proc_that_hangs_holds_no_request_and_is_read_again_when_it_is_back() {
    let Some(launcher) = without_proc() else {
        return;
    };
    in_a_process_of_its_own(
        "a_proc_that_hangs_holds_no_request_and_is_read_again_when_it_is_back",
        &launcher,
        || {
            fs::create_dir("/proc/self").expect("it is empty");
            run("mkfifo", &["/proc/self/statm", "/proc/meminfo"]);
            let layer = MemoryLayer::new().resolution(Duration::ZERO);
            let warnings = warnings_of(|| (0..1_000).for_each(|_| assert_unreadable(&layer)));
            assert_eq!(warnings.lines().count(), 1, "{warnings}");
            assert!(warnings.contains("no answer within 100 ms"), "{warnings}");
            #[cfg(feature = "routes")]
            {
                let snapshot = tower_memory::routes::Routes::new().snapshot();
                assert_eq!((snapshot.process.resident, snapshot.limit), (None, None));
            }

            fs::hard_link("/proc/self/statm", "/proc/hung").expect("a second name");
            fs::write("/proc/good", "9 8 7 0 0 0 0\n").expect("it is ours");
            fs::rename("/proc/good", "/proc/self/statm").expect("it replaces the one that hangs");
            // Releases the blocked reader. Opening a FIFO for both reading and writing doesn't wait.
            let hung = File::options().read(true).write(true).open("/proc/hung");
            drop(hung.expect("a FIFO"));
            let is_back = || report_of(layer.clone(), || {}).growth().is_some();
            let started = Instant::now();
            while !is_back() {
                assert!(started.elapsed() < Duration::from_secs(20), "it isn't back");
                thread::yield_now();
            }
            let page_size = rustix::param::page_size() as u64;
            let report = report_of(layer.clone(), || {});
            assert_eq!(
                report.after,
                Some(Resident::new(8 * page_size, 7 * page_size))
            );
        },
    );
}
