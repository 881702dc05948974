//! One entry for each open request, with its live bytes.
//!
//! A request takes the next free entry when it opens and gives it back when it is reported. Changes in
//! its own scopes are added when those end; memory that others free comes off at once, wherever it
//! happens. So an entry is exact between scopes, and lags by the open scope's changes within one.

use super::{
    entry::Word,
    map,
    tag::{PLACES, RouteNumber, Tag},
};
use crate::clock;
use std::{
    cell::Cell,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

#[repr(align(32))]
struct Entry {
    word: Word,
    /// Bytes of the response that the server has not sent yet.
    unsent: AtomicU64,
    /// When the request began, in [`millis`].
    opened: AtomicU32,
    route: AtomicU32,
}

/// 2 MiB of zeroed static memory. The first is no request's.
static ENTRIES: [Entry; PLACES] = [const { Entry::new() }; PLACES];

/// How many entries a request tries to find a free one.
const LOOKS: usize = 64;

impl Entry {
    const fn new() -> Self {
        Self {
            word: Word::new(),
            unsent: AtomicU64::new(0),
            opened: AtomicU32::new(0),
            route: AtomicU32::new(0),
        }
    }
}

#[inline]
fn entry(tag: Tag) -> &'static Entry {
    &ENTRIES[tag.place()]
}

/// As stored in an entry. Ages are differences, which survive the wrap after 49 days.
fn millis(nanos: u64) -> u32 {
    (nanos / 1_000_000) as u32
}

thread_local! {
    /// The place of the last request that this thread ended with nothing left live, or 0. It is still in
    /// the cache for the next one.
    static KEPT: Cell<usize> = const { Cell::new(0) };
}

/// The tag of a new request of `route` that began at that time of the [`clock`]. If too many requests are
/// open to find a free entry, the tag counts for the route alone.
#[inline]
pub(super) fn open(route: RouteNumber, began: u64) -> Tag {
    match KEPT.replace(0) {
        0 => open_next(route, began),
        kept => take(kept, route, began).unwrap_or_else(|| open_next(route, began)),
    }
}

#[inline(never)]
fn open_next(route: RouteNumber, began: u64) -> Tag {
    static TICKETS: AtomicU32 = AtomicU32::new(8);
    let places = (0..LOOKS).map(|_| spread(TICKETS.fetch_add(1, Ordering::Relaxed)));
    places
        .filter(|place| *place != 0)
        .find_map(|place| take(place, route, began))
        .unwrap_or(Tag::new(route, 0, 0))
}

/// The entry at `place`, if it is free.
#[inline]
fn take(place: usize, route: RouteNumber, began: u64) -> Option<Tag> {
    let entry = &ENTRIES[place];
    let found = entry.word.state();
    // Data that a server has yet to send subtracts itself from its entry.
    if found.is_open() || entry.unsent.load(Ordering::Acquire) != 0 {
        return None;
    }
    let generation = entry.word.open(found)?;
    entry.opened.store(millis(began), Ordering::Relaxed);
    entry.route.store(route.0.into(), Ordering::Relaxed);
    Some(Tag::new(route, generation, place))
}

/// Consecutive requests get entries on different cache lines.
#[inline]
const fn spread(ticket: u32) -> usize {
    let ticket = ticket as usize % PLACES;
    const LINES: usize = PLACES / 8;
    (ticket % 8) * LINES + ticket / 8
}

/// Live bytes of an open request. 0 if it has no entry.
#[inline]
pub(super) fn live(tag: Tag) -> i64 {
    match tag.has_place() {
        true => entry(tag).word.state().live(),
        false => 0,
    }
}

/// Adds an open request's own changes.
#[inline]
pub(super) fn add(tag: Tag, bytes: i64) {
    if bytes != 0 && tag.has_place() {
        entry(tag).word.add(bytes);
    }
}

/// Adds others' changes to a request's blocks, whether or not it is open. Does nothing if the entry has
/// passed to another request.
#[inline(never)]
pub(super) fn add_from_outside(tag: Tag, bytes: i64) {
    if tag.has_place() {
        entry(tag).word.add_from_outside(tag.generation(), bytes);
    }
}

/// Closes the window of an open request, and adds its `pending` bytes.
pub(super) fn close(tag: Tag, pending: i64) {
    if tag.has_place() {
        entry(tag).word.close(pending);
    }
}

/// [`close`] and [`end`] in one, for a request with nothing more to report.
#[inline]
pub(super) fn close_and_end(tag: Tag, pending: i64) {
    if tag.has_place() && entry(tag).word.close_and_end(pending) == 0 {
        KEPT.set(tag.place());
    }
}

/// Marks a request whose response is gone and whose work is still running.
pub(super) fn work_on(tag: Tag) {
    if tag.has_place() {
        entry(tag).word.work_on();
    }
}

/// Frees the entry of a reported request, for use once the server has sent the response. Live bytes of
/// the request go on counting for its route. Call only once.
pub(super) fn end(tag: Tag) {
    if tag.has_place() {
        entry(tag).word.end();
    }
}

/// Adds response bytes that are with the server.
pub(super) fn hand_over(tag: Tag, bytes: u64) {
    entry(tag).unsent.fetch_add(bytes, Ordering::AcqRel);
}

/// Subtracts response bytes that the server has sent, or given up on.
pub(super) fn sent(tag: Tag, bytes: u64) {
    entry(tag).unsent.fetch_sub(bytes, Ordering::AcqRel);
}

/// Response bytes of an open request that are with the server.
pub(super) fn unsent(tag: Tag) -> u64 {
    entry(tag).unsent.load(Ordering::Acquire)
}

/// An open request, as seen by a reader.
pub(super) struct OpenRequest {
    pub(super) route: usize,
    pub(super) live: u64,
    pub(super) unsent: u64,
    pub(super) is_working: bool,
    pub(super) age_ms: u32,
}

/// All open requests, and those whose response the server has yet to send. Scans 2 MiB, in some hundred
/// microseconds.
pub(super) fn open_requests() -> impl Iterator<Item = OpenRequest> {
    let now = millis(clock::nanos());
    ENTRIES[1..].iter().filter_map(move |entry| {
        let state = entry.word.state();
        let unsent = entry.unsent.load(Ordering::Acquire);
        (state.is_open() || unsent != 0).then(|| {
            let live = state.live().max(0) as u64;
            let unsent = match state.is_open() && !state.is_closed() {
                true => 0,
                false => unsent.min(live),
            };
            OpenRequest {
                route: entry.route.load(Ordering::Relaxed) as usize,
                // All other live bytes of a reported request are settled.
                live: if state.is_open() { live } else { unsent },
                unsent,
                is_working: state.is_working(),
                age_ms: now.wrapping_sub(entry.opened.load(Ordering::Relaxed)),
            }
        })
    })
}

pub(super) fn want_small_pages() {
    map::want_small_pages(&ENTRIES);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: RouteNumber = RouteNumber(3);

    #[test]
    fn many_requests_find_entries_of_their_own() {
        let tags: Vec<_> = (0..1000).map(|_| open(ROUTE, 0)).collect();
        let mut places: Vec<_> = tags.iter().map(|tag| tag.place()).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 1000);
        tags.into_iter().for_each(end);
    }

    #[test]
    fn every_ticket_has_a_place_of_its_own() {
        let mut seen = vec![false; PLACES];
        for ticket in 0..PLACES as u32 {
            assert!(!std::mem::replace(&mut seen[spread(ticket)], true));
        }
    }

    #[test]
    fn what_is_unsent_shows_once_the_window_is_closed() {
        let tag = open(RouteNumber(1000), 0);
        add(tag, 5000);
        hand_over(tag, 4096);
        let seen = || {
            let mut all = open_requests().filter(|open| open.route == 1000);
            let open = all.next().expect("it is open");
            (open.live, open.unsent, open.is_working)
        };
        assert_eq!(seen(), (5000, 0, false));
        close(tag, 0);
        assert_eq!(seen(), (5000, 4096, false));
        work_on(tag);
        assert!(seen().2);
        end(tag);
        assert_eq!(seen(), (4096, 4096, false), "its client still reads");
        sent(tag, 4096);
        assert!(open_requests().all(|open| open.route != 1000));
    }
}
