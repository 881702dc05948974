use super::{MOST, aside::Aside};
use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// The kind of limit on a process's growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "routes"),
    expect(unreachable_pub, reason = "public by `routes`")
)]
pub enum LimitKind {
    /// A limit of its cgroup or of an enclosing one. Beyond it the kernel kills.
    Cgroup,
    /// No limit, only the machine's memory, which other processes use as well.
    Machine,
}

/// How many bytes this process may grow to: the smallest limit of its cgroups, or the machine's
/// memory if that is less or there is no limit. `None` if neither can be read in time; the first
/// failure is logged with its reason.
///
/// Costs some tens of microseconds. The files may block (`/proc/meminfo` if a FUSE file system
/// stands in for it), so they are read on a thread of their own.
pub(crate) fn limit() -> Option<(u64, LimitKind)> {
    static LIMIT: OnceLock<Limit> = OnceLock::new();
    LIMIT.get_or_init(|| Limit::new(current)).now()
}

struct Limit {
    reading: Aside<(u64, LimitKind)>,
    failed_before: AtomicBool,
}

impl Limit {
    fn new(read: impl Fn() -> io::Result<(u64, LimitKind)> + Send + Sync + 'static) -> Self {
        Self {
            reading: Aside::new(read),
            failed_before: AtomicBool::new(false),
        }
    }

    fn now(&self) -> Option<(u64, LimitKind)> {
        let failed = |reason| {
            if !self.failed_before.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    target: crate::target::TARGET,
                    error = %reason,
                    event = "limit_unreadable",
                    "the memory limit can't be read and is left out until it can: {reason}",
                );
            }
        };
        self.reading.ask().map_err(failed).ok()
    }
}

#[cfg(target_os = "linux")]
fn current() -> io::Result<(u64, LimitKind)> {
    limit_of(|path| std::fs::read_to_string(path).ok())
}

/// The machine's memory.
#[cfg(not(target_os = "linux"))]
fn current() -> io::Result<(u64, LimitKind)> {
    use sysinfo::{MemoryRefreshKind, RefreshKind, System};
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let total = System::new_with_specifics(memory).total_memory();
    smallest(None, possible(total))
        .ok_or_else(|| io::Error::other("sysinfo reports no total memory"))
}

#[cfg(target_os = "linux")]
fn limit_of(read: impl Fn(&str) -> Option<String>) -> io::Result<(u64, LimitKind)> {
    let cgroup = read("/proc/self/cgroup").and_then(|groups| cgroup_limit(&groups, &read));
    let machine = read("/proc/meminfo").and_then(|meminfo| machine_memory(&meminfo));
    smallest(cgroup, machine.and_then(possible)).ok_or_else(|| {
        io::Error::other("no cgroup has a limit, and /proc/meminfo has no usable MemTotal")
    })
}

/// A limit larger than the machine's memory doesn't count.
fn smallest(cgroup: Option<u64>, machine: Option<u64>) -> Option<(u64, LimitKind)> {
    let cgroup = cgroup.map(|bytes| (bytes, LimitKind::Cgroup));
    let machine = machine.map(|bytes| (bytes, LimitKind::Machine));
    cgroup.into_iter().chain(machine).min()
}

/// `bytes`, if possible. A cgroup without a limit says `max`, or in version 1 a number near 2^63.
fn possible(bytes: u64) -> Option<u64> {
    (1..=MOST).contains(&bytes).then_some(bytes)
}

/// The smallest limit of the group and its ancestors.
#[cfg(target_os = "linux")]
fn cgroup_limit(groups: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    // `0::/path` in version 2, `7:cpu,memory:/path` in version 1.
    let (mount, file, path) = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        match controllers {
            "" => Some(("/sys/fs/cgroup", "memory.max", path)),
            _ if controllers.split(',').any(|one| one == "memory") => {
                Some(("/sys/fs/cgroup/memory", "memory.limit_in_bytes", path))
            }
            _ => None,
        }
    })?;
    let ancestors = std::path::Path::new(path).ancestors();
    let limits = ancestors.filter_map(|group| {
        let group = group.to_str()?.trim_end_matches('/');
        let limit = read(&format!("{mount}{group}/{file}"))?;
        possible(limit.trim().parse().ok()?)
    });
    limits.min()
}

#[cfg(target_os = "linux")]
fn machine_memory(meminfo: &str) -> Option<u64> {
    let total = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::{
        fs,
        io::Write,
        thread,
        time::{Duration, Instant},
    };

    fn cgroup(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        cgroup_limit(groups, |path| {
            let file = files.iter().find(|(name, _)| *name == path)?;
            Some(format!("{}\n", file.1))
        })
    }

    #[test]
    fn the_smallest_limit_of_the_group_and_its_parents_counts() {
        let files = [
            ("/sys/fs/cgroup/a/b/memory.max", "max"),
            ("/sys/fs/cgroup/a/memory.max", "2000"),
            ("/sys/fs/cgroup/memory.max", "3000"),
        ];
        assert_eq!(cgroup("0::/a/b\n", &files), Some(2000));
        assert_eq!(cgroup("0::/\n", &files), Some(3000));
        assert_eq!(cgroup("0::/a/b\n", &files[..1]), None);
    }

    #[test]
    fn version_1_has_a_file_of_its_own() {
        let files = [("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4000")];
        assert_eq!(
            cgroup("9:cpu:/x\n7:hugetlb,memory:/a\n0::/a\n", &files),
            Some(4000)
        );
    }

    #[test]
    fn the_memory_of_the_machine_is_in_kibibytes() {
        assert_eq!(
            machine_memory("MemTotal:       2 kB\nMemFree: 1 kB\n"),
            Some(2048)
        );
        assert_eq!(limit().map(|(bytes, _)| bytes > 1 << 20), Some(true));
    }

    #[test]
    fn the_memory_of_the_machine_is_no_limit_of_a_cgroup() {
        let cgroup = |bytes| Some((bytes, LimitKind::Cgroup));
        let machine = |bytes| Some((bytes, LimitKind::Machine));
        assert_eq!(smallest(Some(5), Some(9)), cgroup(5));
        assert_eq!(smallest(Some(1 << 63), Some(9)), machine(9));
        assert_eq!(smallest(None, Some(9)), machine(9));
        assert_eq!(smallest(None, None), None);
    }
    #[test]
    fn what_can_not_be_true_is_no_limit() {
        let meminfo = |text: &'static str| {
            let limit = limit_of(move |path| (path == "/proc/meminfo").then(|| text.to_owned()));
            limit.ok().map(|(bytes, _)| bytes)
        };
        assert_eq!(meminfo("MemTotal: 2 kB\n"), Some(2048));
        assert_eq!(meminfo("MemTotal: 0 kB\n"), None);
        assert_eq!(meminfo("MemTotal: 17592186044416 kB\n"), None);
        assert_eq!(meminfo("no such line\n"), None);
        let unlimited = [(
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712",
        )];
        assert_eq!(cgroup("7:memory:/\n", &unlimited), None);
    }

    /// Opening a FIFO blocks, like a file on a file system whose server hangs.
    #[test]
    fn a_file_that_hangs_holds_nobody_for_ever_and_is_read_again_when_it_is_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let [meminfo, hung, good] =
            ["meminfo", "hung", "good"].map(|name| directory.path().join(name));
        let made = std::process::Command::new("mkfifo").arg(&meminfo).status();
        if !made.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "mkfifo is needed");
            println!("skipped: there is no mkfifo");
            return;
        }
        fs::hard_link(&meminfo, &hung).expect("a second name");
        fs::write(&good, "MemTotal: 4 kB\n").expect("a file");

        let path = meminfo.clone();
        let limit = Limit::new(move || {
            limit_of(|name| match name {
                "/proc/meminfo" => fs::read_to_string(&path).ok(),
                _ => None,
            })
        });
        (0..100).for_each(|_| assert_eq!(limit.now(), None));

        fs::rename(&good, &meminfo).expect("it replaces the one that hangs");
        // Releases the blocked reader. Opening a FIFO for both reading and writing doesn't wait.
        let mut pipe = fs::File::options()
            .read(true)
            .write(true)
            .open(&hung)
            .expect("a FIFO");
        pipe.write_all(b"MemTotal: 8 kB\n").expect("there is room");
        drop(pipe);
        let started = Instant::now();
        let back = std::iter::repeat_with(|| limit.now()).find(|limit| {
            thread::yield_now();
            limit.is_some() || started.elapsed() > Duration::from_secs(20)
        });
        assert_eq!(back, Some(Some((4096, LimitKind::Machine))));
    }
}
