//! What to do about a route: never nothing, if only that nothing needs doing.

use super::{
    event::{VERDICTS, verdict},
    routes::Route,
    trend::Trend,
};

const STORES: &str = "Look for what this route stores (a cache, a session, a queue), and whether each request adds to it";
const STORES_A_BOUNDED_AMOUNT: &str =
    "What this route stores doesn't rise: check only whether it should be this much";
const NOTHING: &str = "Nothing to do";

/// As tower-memory's own log says it of the verdicts, corrected by the trend of live heap.
pub(crate) fn next_steps(route: &Route) -> Vec<&'static str> {
    let stores = match route.live.trend() {
        Trend::Rises(_) => Some(STORES),
        _ if !route.retains() => None,
        Trend::Level(_) | Trend::Falls(_) => Some(STORES_A_BOUNDED_AMOUNT),
        Trend::TooShort(_) => Some(STORES),
    };
    let other = route.explanation().map(|at| next_step(VERDICTS[at]));
    let steps: Vec<_> = stores.into_iter().chain(other).collect();
    match steps.is_empty() {
        true if route.verdicts[verdict::UNREADABLE] > 0 => {
            vec![next_step(VERDICTS[verdict::UNREADABLE])]
        }
        true => vec![NOTHING],
        false => steps,
    }
}

fn next_step(verdict: &str) -> &'static str {
    match verdict {
        "within_threshold" => NOTHING,
        "peaked" => "Not retained: consider streaming, or a limit on how many run at once",
        "retained" => STORES,
        "running" => {
            "Look for the work that goes on after the response: the log reports it once it ends"
        }
        "unsent" => "Not retained: consider streaming the response, or a timeout for slow clients",
        "reserved" => "It costs address space, and memory only where it is written to",
        "allocator_held" => "Not retained: consider reclaim, MALLOC_ARENA_MAX, or jemalloc",
        "mapped" => "The kernel takes pages of files back when memory is short",
        "other_requests" => "Look for the warnings of the requests that ran meanwhile",
        "outside" => {
            "Carry CurrentRequest into the threads that this route hands work to; what is left is C code, stacks or huge pages"
        }
        "overlapped" => "Install a heap meter to tell requests apart: tower_memory::heap",
        "unmetered" => "Install a heap meter, which is two lines: tower_memory::heap",
        "unreadable" => {
            "Look in the log for why resident memory can't be read: tower_memory says it once"
        }
        _ => "Use the report of the version of tower-memory that wrote the log",
    }
}
