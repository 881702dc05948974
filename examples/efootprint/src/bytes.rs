//! How much memory a model takes.
//!
//! Counted is what the allocator hands out for the model, block by block, and not what pages lose
//! to fragmentation. Time zones are not counted: every model shares the library's, one of each.

use std::sync::Arc;

use crate::classes::Object;
use crate::objects::{Model, Source};

impl Model {
    /// How many bytes of memory the model takes.
    ///
    /// Most of it is four bytes for each hour of a series; a value without one takes about a
    /// hundred, and its texts.
    pub fn size(&self) -> usize {
        let sources = self.sources.iter().map(|source| {
            text(&source.id) + text(&source.name) + source.link.as_deref().map_or(0, text)
        });
        // Each place has a byte beside it in the table, which is seven eighths full at most.
        let place = size_of::<(Arc<str>, u32)>() + 1;
        size_of::<Self>()
            + text(&self.name)
            + block(self.sources.capacity() * size_of::<Source>())
            + sources.sum::<usize>()
            + block(self.objects.capacity() * size_of::<Object>())
            + self.objects.iter().map(Object::heap).sum::<usize>()
            + self.places.keys().map(share).sum::<usize>()
            + block(self.places.capacity() * 8 / 7 * place)
    }
}

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
