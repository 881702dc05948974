//! Numbers for routes, because a tag has no room for a label.

use super::{scope, tag::RouteNumber};
use crate::route::{Route, RouteTable};
use std::{
    cell::Cell,
    ptr,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// Never shrinks: a block may refer to its route for as long as the process lives.
static NUMBERS: LazyLock<RouteTable<RouteNumber>> = LazyLock::new(RouteTable::new);

/// Labels that a thread found recently; the next request with one of them hashes nothing.
const RECENT: usize = 16;

type Entry = &'static (Route, RouteNumber);

thread_local! {
    static FOUND: [Cell<Option<Entry>>; RECENT] = const { [const { Cell::new(None) }; RECENT] };
}

/// The number of `route`: its own for the first 512 routes, then one that all others share.
#[inline]
pub(super) fn number(route: &Route) -> RouteNumber {
    let label = route.as_str();
    // A router returns the same text for each request of a route.
    let at = (label.as_ptr().addr() >> 4) % RECENT;
    FOUND.with(|found| match found[at].get() {
        Some(entry) if is_same(entry.0.as_str(), label) => entry.1,
        _ => {
            let entry = look_up(route);
            if entry.0.as_str() == label {
                found[at].set(Some(entry));
            }
            entry.1
        }
    })
}

/// Compares bytes only if they are not in the same place.
#[inline]
fn is_same(known: &str, label: &str) -> bool {
    ptr::eq(known, label) || known == label
}

#[cold]
fn look_up(route: &Route) -> Entry {
    static LAST: AtomicU16 = AtomicU16::new(0);
    let next = |_: &Route| RouteNumber(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    // The table is nobody's, whichever request comes first.
    scope::as_nobody(|| NUMBERS.of(route, next))
}

/// All routes that have a number, in no particular order.
pub(super) fn all() -> impl Iterator<Item = (&'static Route, RouteNumber)> {
    NUMBERS.iter().map(|(route, number)| (route, *number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_route_keeps_its_number_and_shares_it_with_no_other() {
        let [a, b] = ["/labels/a", "/labels/b"].map(Route::from);
        assert_eq!(number(&a), number(&a));
        assert_ne!(number(&a), number(&b));
        assert_ne!(number(&a), RouteNumber(0));
    }

    #[test]
    fn equal_text_in_another_place_is_the_same_route() {
        let route = |text: &str| Route::from(Arc::<str>::from(text));
        assert_eq!(number(&route("/labels/c")), number(&route("/labels/c")));
    }
}
