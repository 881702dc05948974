use super::*;
use crate::{
    Resident,
    routes::{Routes, tests::counted},
};

/// A snapshot without routes. Sizes are in MiB.
pub(super) fn snapshot(shared: u64, live: Option<u64>, held: u64, limit: u64) -> Snapshot {
    let total = shared + live.unwrap_or(0) + held;
    let mut snapshot = Routes::new().snapshot();
    snapshot.process = Process {
        resident: Some(Resident::new(total * MIB, shared * MIB)),
        live: live.map(|live| live * MIB),
    };
    snapshot.limit = Some(limit * MIB);
    snapshot.limit_kind = Some(LimitKind::Cgroup);
    snapshot
}

pub(super) fn said(snapshot: &Snapshot) -> String {
    let advice = advise(snapshot, Allocator::Glibc);
    let [headline, next_step] = [advice.headline, advice.next_step].map(Option::unwrap_or_default);
    let (level, sentence) = (advice.level.as_str(), advice.sentence);
    format!("{level}|{headline}|{sentence}|{next_step}")
}

pub(super) fn assert_advises(snapshot: &Snapshot, part: &str) {
    let said = said(snapshot);
    assert!(said.contains(part), "{said}");
}

#[test]
fn a_small_process_needs_nothing() {
    assert_eq!(
        said(&snapshot(5, Some(20), 35, 2048)),
        "fine||60.0 MiB resident of its limit of 2.0 GiB (2 %): 20.0 MiB in use, 35.0 MiB freed pages, stacks and C code, 5.0 MiB files|"
    );
}

#[test]
fn the_memory_of_the_machine_is_not_called_a_limit() {
    let mut snapshot = snapshot(5, Some(20), 35, 2048);
    snapshot.limit_kind = Some(LimitKind::Machine);
    assert_advises(
        &snapshot,
        "60.0 MiB resident of the machine's 2.0 GiB (2 %)",
    );
}

#[test]
fn the_largest_part_says_what_to_do() {
    assert_advises(&snapshot(5, Some(20), 880, 2048), "MALLOC_ARENA_MAX");
    assert_advises(&snapshot(880, Some(20), 30, 2048), "|The kernel takes");
    assert_advises(&snapshot(5, Some(880), 30, 2048), "in use");
    assert_advises(&snapshot(5, None, 880, 2048), "Install a heap meter");
}

#[test]
fn who_has_jemalloc_is_not_told_to_use_it() {
    let advice = advise(&snapshot(5, Some(20), 880, 2048), Allocator::Jemalloc);
    assert_eq!(
        advice.next_step.as_deref(),
        Some("If it stays, consider reclaim, or a shorter dirty_decay_ms")
    );
}

#[test]
fn pages_that_are_kept_and_files_have_the_route_that_grew_them() {
    let mut grown = counted("/burst", 0);
    grown.requests = 3;
    grown.growth.sum = 1400 * MIB;
    grown.verdicts = vec![("allocator_held", 2), ("mapped", 1)];
    for (shared, held) in [(5, 880), (880, 30)] {
        let mut snapshot = snapshot(shared, Some(20), held, 2048);
        snapshot.routes = vec![grown.clone()];
        assert_advises(
            &snapshot,
            "; /burst grew the process most: 1.4 GiB in 3 requests|",
        );
    }
}

#[test]
fn what_is_reserved_but_untouched_is_not_in_use() {
    let mut reserved = snapshot(1, Some(4), 0, 2048);
    reserved.process.live = Some(4096 * MIB);
    assert_advises(
        &reserved,
        ": 4.0 MiB in use, 0 B freed pages, stacks and C code, 1.0 MiB files; another 4.0 GiB is reserved but untouched|",
    );
}

#[test]
fn a_small_process_near_its_limit_is_told_what_to_do() {
    let said = said(&snapshot(10, Some(60), 50, 128));
    assert!(said.starts_with("urgent|60.0 MiB"), "{said}");
}

#[test]
fn the_level_rises_with_the_share_of_the_limit() {
    let level = |live| advise(&snapshot(0, Some(live), 0, 1000), Allocator::Glibc).level;
    assert_eq!(
        [799, 800, 899, 900].map(level),
        [Level::Fine, Level::Watch, Level::Watch, Level::Urgent]
    );
}

#[test]
fn what_could_not_be_read_is_said() {
    let mut unread = snapshot(1, None, 1, 1);
    unread.process.resident = None;
    assert_advises(&unread, "watch||The resident set can't be read|");
}
