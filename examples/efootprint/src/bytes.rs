//! Sizes of blocks of memory.
//!
//! Counted is what the allocator hands out, block by block, and not what pages lose to
//! fragmentation. Time zones are not counted: every model shares the library's, one of each.

use std::sync::Arc;

/// What a block of so many bytes takes, as glibc rounds it; nothing is allocated for none.
pub(crate) fn block(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        _ => (bytes + size_of::<usize>()).next_multiple_of(16).max(32),
    }
}

/// What a text takes that is its owner's alone.
pub(crate) fn text(text: &str) -> usize {
    block(text.len())
}

/// What one of its owners has of a shared text: together they have the whole of it.
pub(crate) fn share(text: &Arc<str>) -> usize {
    let counts = 2 * size_of::<usize>();
    block(counts + text.len()).div_ceil(Arc::strong_count(text))
}
