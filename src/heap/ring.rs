//! One entry for each request that is open: what is alive of it.
//!
//! A request takes the next free entry when it is opened and gives it back when all is said of it. What
//! it changes within its own scopes it adds when they end; what others free of it, wherever, comes off at
//! once. So an entry is exact between scopes, and while one is open it lags by what that one did.

use super::{
    labels::RouteNumber,
    map,
    tag::{GENERATIONS, PLACES, Tag},
};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// ```text
/// | 48 bits: live bytes, signed | 5 bits | closed | body | waiting | working | open | 6 bits: generation |
/// ```
///
/// Live bytes are at the top, so that they may borrow and nothing below changes. The entry is taken while
/// it is open, working, waiting or has a body: each is set by who has the entry already and taken back once, by
/// whoever finishes that, so that nobody gives back what is another request's by then.
#[repr(align(32))]
struct Entry {
    word: AtomicU64,
    /// Bytes of the response that the server has not sent yet.
    unsent: AtomicU64,
    /// When the request began, in milliseconds of [`now`].
    opened: AtomicU32,
    route: AtomicU32,
}

const GENERATION: u64 = GENERATIONS - 1;
/// Not all is said of the request.
const OPEN: u64 = GENERATIONS;
/// The response is gone, but work of the request still runs.
const WORKING: u64 = OPEN << 1;
/// All is said of the request, but the server has yet to send what is left of the response.
const WAITING: u64 = OPEN << 2;
/// The window is closed, but the server has yet to drop the response body.
const BODY: u64 = OPEN << 3;
/// Somebody has it.
const TAKEN: u64 = OPEN | WORKING | WAITING | BODY;
/// The window is closed.
const CLOSED: u64 = OPEN << 4;
const LIVE_SHIFT: u32 = 16;

/// 2 MiB of zeroed static memory. The first is no request's.
static ENTRIES: [Entry; PLACES] = [const { Entry::new() }; PLACES];

/// Entries that a request looks at for a free one.
const LOOKS: usize = 64;

impl Entry {
    const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
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

#[inline]
const fn live_in(word: u64) -> i64 {
    word.cast_signed() >> LIVE_SHIFT
}

#[inline]
const fn as_live(bytes: i64) -> u64 {
    bytes.cast_unsigned() << LIVE_SHIFT
}

/// Milliseconds since some time before the first request, of the kernel's coarse clock where there is one.
#[cfg(target_os = "linux")]
fn now() -> u32 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    // Ages are differences, which survive the wrap after 49 days.
    (time.tv_sec as u32)
        .wrapping_mul(1000)
        .wrapping_add((time.tv_nsec / 1_000_000) as u32)
}

#[cfg(not(target_os = "linux"))]
fn now() -> u32 {
    use std::{sync::OnceLock, time::Instant};
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    EPOCH.get_or_init(Instant::now).elapsed().as_millis() as u32
}

/// The tag of a new request of `route`. Where so many requests are open that no entry is found, one
/// that counts for the route alone.
#[inline]
pub(super) fn open(route: RouteNumber) -> Tag {
    static TICKETS: AtomicU32 = AtomicU32::new(8);
    for _ in 0..LOOKS {
        let place = spread(TICKETS.fetch_add(1, Ordering::Relaxed));
        if place == 0 {
            continue;
        }
        let entry = &ENTRIES[place];
        let word = entry.word.load(Ordering::Acquire);
        // What a server has yet to send takes itself off the entry that it is on.
        if word & TAKEN != 0 || entry.unsent.load(Ordering::Acquire) != 0 {
            continue;
        }
        // Where nothing is alive, no block has this tag, and it can be used again. Otherwise those that
        // have it must not be taken for the new request's.
        let generation = match live_in(word) {
            0 => word & GENERATION,
            _ => (word + 1) & GENERATION,
        };
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let new = generation | OPEN;
        if entry
            .word
            .compare_exchange(word, new, success, failure)
            .is_ok()
        {
            entry.opened.store(now(), Ordering::Relaxed);
            entry.route.store(route.0.into(), Ordering::Relaxed);
            return Tag::new(route, generation, place);
        }
    }
    Tag::new(route, 0, 0)
}

/// Requests that begin one after the other get entries on different cache lines.
#[inline]
const fn spread(ticket: u32) -> usize {
    let ticket = ticket as usize % PLACES;
    const LINES: usize = PLACES / 8;
    (ticket % 8) * LINES + ticket / 8
}

/// What is alive of an open request. 0 where it has no entry.
#[inline]
pub(super) fn live(tag: Tag) -> i64 {
    match tag.has_place() {
        true => live_in(entry(tag).word.load(Ordering::Acquire)),
        false => 0,
    }
}

/// Adds what an open request itself did.
#[inline]
pub(super) fn add(tag: Tag, bytes: i64) {
    if bytes != 0 && tag.has_place() {
        entry(tag).word.fetch_add(as_live(bytes), Ordering::AcqRel);
    }
}

/// Adds what others did to its blocks, open or not; where the entry is another request's by now, nothing.
#[inline(never)]
pub(super) fn add_from_outside(tag: Tag, bytes: i64) {
    if !tag.has_place() {
        return;
    }
    let (word, generation) = (&entry(tag).word, tag.generation());
    if word.load(Ordering::Relaxed) & GENERATION != generation {
        return;
    }
    let before = word.fetch_add(as_live(bytes), Ordering::AcqRel);
    if before & GENERATION != generation {
        // It changed hands in between.
        word.fetch_sub(as_live(bytes), Ordering::AcqRel);
    }
}

/// The window of an open request has closed.
pub(super) fn close(tag: Tag) {
    take(tag, CLOSED);
}

/// All is said of the request. If nobody else has its entry, that is free, and what is still alive of the
/// request goes on counting for its route.
pub(super) fn end(tag: Tag) {
    put_back(tag, OPEN);
}

/// The response of an open request is gone, and work of it still runs, until [`worked`].
pub(super) fn work_on(tag: Tag) {
    take(tag, WORKING);
}

/// See [`work_on`].
pub(super) fn worked(tag: Tag) {
    put_back(tag, WORKING);
}

/// The server has yet to send some of an open request's response, until [`waited`].
pub(super) fn wait(tag: Tag) {
    take(tag, WAITING);
}

/// See [`wait`].
pub(super) fn waited(tag: Tag) {
    put_back(tag, WAITING);
}

/// The server has yet to drop the body of an open request's response, until [`dropped_body`].
pub(super) fn has_body(tag: Tag) {
    take(tag, BODY);
}

/// See [`has_body`].
pub(super) fn dropped_body(tag: Tag) {
    put_back(tag, BODY);
}

fn take(tag: Tag, by: u64) {
    if tag.has_place() {
        entry(tag).word.fetch_or(by, Ordering::AcqRel);
    }
}

fn put_back(tag: Tag, by: u64) {
    if tag.has_place() {
        entry(tag).word.fetch_and(!by, Ordering::AcqRel);
    }
}

/// Bytes of its response are with the server.
pub(super) fn hand_over(tag: Tag, bytes: u64) {
    entry(tag).unsent.fetch_add(bytes, Ordering::AcqRel);
}

/// The server has sent them, or given up.
pub(super) fn sent(tag: Tag, bytes: u64) {
    entry(tag).unsent.fetch_sub(bytes, Ordering::AcqRel);
}

/// What of an open request's response is with the server: all that is alive where it has the body.
pub(super) fn unsent(tag: Tag) -> u64 {
    let entry = entry(tag);
    match entry.word.load(Ordering::Acquire) & BODY {
        0 => entry.unsent.load(Ordering::Acquire),
        _ => u64::MAX,
    }
}

/// An open request, as a reader finds it.
pub(super) struct OpenRequest {
    pub(super) route: usize,
    pub(super) live: u64,
    pub(super) unsent: u64,
    pub(super) is_working: bool,
    pub(super) age_ms: u32,
}

/// All open requests. Looks at 2 MiB, in some hundred microseconds.
pub(super) fn open_requests() -> impl Iterator<Item = OpenRequest> {
    let now = now();
    ENTRIES[1..].iter().filter_map(move |entry| {
        let word = entry.word.load(Ordering::Acquire);
        (word & TAKEN != 0).then(|| {
            let live = live_in(word).max(0).cast_unsigned();
            let unsent = match word & (CLOSED | BODY) {
                0 => 0,
                _ if word & BODY != 0 => live,
                _ => entry.unsent.load(Ordering::Acquire).min(live),
            };
            OpenRequest {
                route: entry.route.load(Ordering::Relaxed) as usize,
                live,
                unsent,
                is_working: word & WORKING != 0,
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
    fn live_bytes_are_exact_whoever_changes_them_and_may_pass_below_zero() {
        let tag = open(ROUTE);
        add_from_outside(tag, -100);
        assert_eq!(live(tag), -100);
        add(tag, 164);
        assert_eq!(live(tag), 64);
        end(tag);
    }

    #[test]
    fn a_block_of_an_earlier_request_is_not_taken_for_a_later_ones() {
        let first = open(ROUTE);
        add(first, 64);
        end(first);
        // As the next request at this place would open it.
        let entry = entry(first);
        let word = entry.word.load(Ordering::Acquire);
        entry
            .word
            .store(((word + 1) & GENERATION) | OPEN, Ordering::Release);
        add_from_outside(first, -64);
        assert_eq!(live(first), 0, "the entry is another's");
        end(first);
    }

    #[test]
    fn an_entry_is_free_when_the_last_who_has_it_puts_it_back() {
        let is_free = |tag| entry(tag).word.load(Ordering::Acquire) & TAKEN == 0;
        for order in [
            [end, worked, waited, dropped_body],
            [waited, end, dropped_body, worked],
            [dropped_body, worked, waited, end],
        ] {
            let tag = open(ROUTE);
            work_on(tag);
            wait(tag);
            has_body(tag);
            for put_back in order {
                assert!(!is_free(tag));
                put_back(tag);
            }
            assert!(is_free(tag));
        }
    }

    #[test]
    fn many_requests_find_entries_of_their_own() {
        let tags: Vec<_> = (0..1000).map(|_| open(ROUTE)).collect();
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
        let tag = open(RouteNumber(1000));
        add(tag, 5000);
        hand_over(tag, 4096);
        let seen = || {
            let mut all = open_requests().filter(|open| open.route == 1000);
            let open = all.next().expect("it is open");
            (open.live, open.unsent, open.is_working)
        };
        assert_eq!(seen(), (5000, 0, false));
        close(tag);
        assert_eq!(seen(), (5000, 4096, false));
        work_on(tag);
        assert!(seen().2);
        sent(tag, 4096);
        worked(tag);
        end(tag);
    }
}
