//! Keeps foreign code from hurting the request.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The result of `foreign`, or `None` if it panicked. The panic hook has printed the panic.
pub(crate) fn shielded<T>(foreign: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(foreign))
        // The payload is leaked: dropping it could panic again.
        .map_err(mem::forget)
        .ok()
}
