//! Response frames that the server has but has not sent.

use super::{ring, scope, tag::Tag};
use bytes::Bytes;
use std::{any::Any, mem};

/// A frame is followed once it, with the frames before it that were not followed, comes to this size:
/// following one takes an allocation. A server sends frames in order, so the followed one stands for them
/// all.
///
/// Over HTTP/2 even small frames wait for their client, in the server's buffers and not in the kernel's.
const LARGE: u64 = 1024;

/// Follows `data` until the server drops it, which it does once the kernel has all of it or its
/// connection is gone. `before` is the size of earlier frames that were not followed.
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
    /// The size of these bytes and of those before them.
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
        // First, so nothing counts as live once nothing counts as unsent.
        drop(mem::take(&mut self.bytes));
        ring::sent(self.tag, self.size);
    }
}

/// A response body that the server still has although the window is closed, because no more of it will be
/// read. Until it is dropped, all live bytes of the request are unsent.
pub(crate) struct Body(Tag);

/// More than any request has: all of its live bytes are with the server.
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
