//! Frames of a response that the server has, but has not sent.

use super::{ring, scope, tag::Tag};
use bytes::Bytes;
use std::{any::Any, mem};

/// Frames below this are not followed: they fit into the buffers of the kernel, and to follow one takes
/// an allocation.
const LARGE: usize = 4096;

/// Follows `data` until the server drops it, which it does once the kernel has all of it, or its
/// connection is gone.
pub(super) fn follow(data: &mut dyn Any, tag: Tag) {
    if let Some(bytes) = data.downcast_mut::<Bytes>()
        && bytes.len() >= LARGE
        && tag.has_place()
    {
        let unsent = Unsent {
            bytes: mem::take(bytes),
            tag,
        };
        ring::hand_over(tag, unsent.bytes.len() as u64);
        *bytes = scope::as_nobody(|| Bytes::from_owner(unsent));
    }
}

struct Unsent {
    bytes: Bytes,
    tag: Tag,
}

impl AsRef<[u8]> for Unsent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        let size = bytes.len() as u64;
        // First, so that whoever sees nothing unsent sees nothing of it alive either.
        drop(bytes);
        ring::sent(self.tag, size);
    }
}
