//! Body frames: memory that one side allocates and the other frees.

use super::{super::account::Account, current_account, neutral};
use bytes::{Bytes, BytesMut};
use std::{any::Any, mem, sync::Arc};

/// Smaller frames count as large as their content. Looking at the buffer is only worth its cost for
/// larger ones.
const LARGE: usize = 4096;

/// How many bytes are freed with `data` by its next holder.
///
/// Only for [`Bytes`] that nobody else holds: a cached asset is not freed with the response it goes
/// out in. The buffer counts, not the content: text written piece by piece has up to twice the
/// capacity it needs.
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
    // Neither branch copies, because nobody else holds it.
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

/// `bytes` of a request body, watched until they are freed. Returned unchanged if this thread
/// serves no request.
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

/// Reports when the last holder of received bytes is gone, and how much was freed with them: less
/// than came in if the server keeps reading into one buffer.
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
