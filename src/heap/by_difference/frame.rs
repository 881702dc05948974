//! Frames of bodies: memory that one side allocates and the other frees.

use super::{super::account::Account, current_account, neutral};
use bytes::{Bytes, BytesMut};
use std::{any::Any, mem, sync::Arc};

/// Frames below this are taken to be as large as their content; to look at the buffer of larger
/// ones is worth its cost.
const LARGE: usize = 4096;

/// What is freed with `data` by whoever has it next, in bytes.
///
/// Only for [`Bytes`] that nobody else holds: a cached asset is freed by no response that it goes
/// out with. The buffer is what counts, not the content: a text that was written piece by piece has
/// up to twice the room that it needs.
pub(in crate::heap) fn handed_off(data: &mut dyn Any) -> u64 {
    let Some(bytes) = data.downcast_mut::<Bytes>() else {
        return 0;
    };
    if !bytes.is_unique() {
        return 0;
    }
    if bytes.len() < LARGE {
        return bytes.len() as u64;
    }
    let room;
    // Neither way copies: nobody else holds it.
    *bytes = match mem::take(bytes).try_into_mut() {
        Ok(buffer) => {
            room = buffer.capacity();
            BytesMut::freeze(buffer)
        }
        Err(shared) => {
            room = 0;
            shared
        }
    };
    room as u64
}

/// `bytes` of a request body, watched until they are freed. As they are, where no request is being
/// served here.
pub(in crate::heap) fn received(bytes: Bytes) -> Bytes {
    if bytes.is_empty() {
        return bytes;
    }
    let Some(request) = current_account() else {
        return bytes;
    };
    request.came_in(bytes.len() as u64);
    Bytes::from_owner(Received { bytes, request })
}

/// Tells when the last holder of some received bytes is gone, and what was freed with them: not all
/// that came in is, where the server reads into one buffer again and again.
struct Received {
    bytes: Bytes,
    request: Arc<Account>,
}

impl AsRef<[u8]> for Received {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        if self.request.went_out(bytes.len() as u64) {
            neutral(|| drop(bytes));
        }
    }
}
