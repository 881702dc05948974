//! Frames of a response that the server has, but has not sent.

use super::{ring, scope, tag::Tag};
use bytes::Bytes;
use std::{any::Any, mem};

/// Frames are followed where they, and those before them that were not, come to this much: to follow one
/// takes an allocation. A server sends them in order, so the one that is followed stands for them all.
///
/// Over HTTP/2 even small frames wait for their client, in the server's buffers and not in the kernel's.
const LARGE: u64 = 1024;

/// Follows `data` until the server drops it, which it does once the kernel has all of it, or its
/// connection is gone. `before` is what went ahead and is not followed.
pub(super) fn follow(data: &mut dyn Any, tag: Tag, before: &mut u64) {
    let Some(bytes) = data.downcast_mut::<Bytes>() else {
        return;
    };
    let size = *before + bytes.len() as u64;
    if size < LARGE || !tag.has_place() {
        *before = size;
        return;
    }
    *before = 0;
    let unsent = Unsent {
        bytes: mem::take(bytes),
        size,
        tag,
    };
    ring::hand_over(tag, size);
    *bytes = scope::as_nobody(|| Bytes::from_owner(unsent));
}

struct Unsent {
    bytes: Bytes,
    /// Of these bytes and of those before them.
    size: u64,
    tag: Tag,
}

impl AsRef<[u8]> for Unsent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        // First, so that whoever sees nothing unsent sees nothing of it alive either.
        drop(mem::take(&mut self.bytes));
        ring::sent(self.tag, self.size);
    }
}

/// A response body that the server has although the window is closed, because no more of it will be read.
/// Until it is dropped, all that is alive of the request is unsent.
pub(crate) struct Body(Tag);

/// More than any request has: all that is alive of it is with the server.
const ALL: u64 = 1 << 48;

impl Body {
    pub(super) fn of(tag: Tag) -> Self {
        ring::hand_over(tag, ALL);
        Self(tag)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        ring::sent(self.0, ALL);
    }
}
