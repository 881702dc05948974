/// What ends the growth of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "routes"),
    expect(unreachable_pub, reason = "public by `routes`")
)]
pub enum LimitKind {
    /// A limit of its cgroup, or of one around it: beyond it the kernel kills.
    Cgroup,
    /// No limit at all, but the memory that the machine has, which others use as well.
    Machine,
}

/// Bytes that this process may grow to: the smallest limit of its cgroups, or the memory of the
/// machine where that is less or they set none. Costs some tens of microseconds.
#[cfg(target_os = "linux")]
pub(crate) fn limit() -> Option<(u64, LimitKind)> {
    let cgroup = read("/proc/self/cgroup").and_then(|groups| cgroup_limit(&groups, read));
    let machine = read("/proc/meminfo").and_then(|meminfo| machine_memory(&meminfo));
    smallest(cgroup, machine)
}

/// Memory of the machine.
#[cfg(not(target_os = "linux"))]
pub(crate) fn limit() -> Option<(u64, LimitKind)> {
    use sysinfo::{MemoryRefreshKind, RefreshKind, System};
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let total = System::new_with_specifics(memory).total_memory();
    smallest(None, (total > 0).then_some(total))
}

/// A limit that the machine could not grant is none.
fn smallest(cgroup: Option<u64>, machine: Option<u64>) -> Option<(u64, LimitKind)> {
    let cgroup = cgroup.map(|bytes| (bytes, LimitKind::Cgroup));
    let machine = machine.map(|bytes| (bytes, LimitKind::Machine));
    cgroup.into_iter().chain(machine).min()
}

#[cfg(target_os = "linux")]
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The smallest limit of the group and those it is in. A limit that is none (`max`, or in version 1
/// a number near 2^63) is larger than any machine.
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
    ancestors
        .filter_map(|group| {
            let group = group.to_str()?.trim_end_matches('/');
            read(&format!("{mount}{group}/{file}"))?.trim().parse().ok()
        })
        .min()
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

    fn limit_of(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
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
        assert_eq!(limit_of("0::/a/b\n", &files), Some(2000));
        assert_eq!(limit_of("0::/\n", &files), Some(3000));
        assert_eq!(limit_of("0::/a/b\n", &files[..1]), None);
    }

    #[test]
    fn version_1_has_a_file_of_its_own() {
        let files = [("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4000")];
        assert_eq!(
            limit_of("9:cpu:/x\n7:hugetlb,memory:/a\n0::/a\n", &files),
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
}
