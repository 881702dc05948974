/// Bytes allocated and freed for one request: by its future and its response body while they are
/// polled and dropped, and by work that carries its [`CurrentRequest`](super::CurrentRequest).
///
/// All sizes are those that Rust code asked its allocator for. What a request causes elsewhere (on
/// a thread that nothing was carried to, in a C library) is not in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapFlow {
    /// Bytes allocated.
    pub allocated: u64,
    /// Bytes freed, whoever had allocated them.
    pub freed: u64,
    /// How many allocations, those included that moved or grew one.
    pub allocations: u64,
    /// The most that was allocated and not yet freed at any time, in bytes. Where work was carried
    /// elsewhere, its own peak is added, as if both had come at the same time.
    pub peak: u64,
    /// Request body bytes taken from the server: allocated by the connection, freed by the request
    /// or kept. Known where the request body is a [`RequestBody`](crate::RequestBody), which it is
    /// by itself with feature `axum`; 0 elsewhere.
    pub received: u64,
    /// Response body bytes passed on to the server: allocated by the request, freed by the
    /// connection. Counted are frames of [`Bytes`](bytes::Bytes) that nobody else holds, with the
    /// room that their buffer has; 0 for other kinds.
    pub handed_off: u64,
    /// Bytes of the response that are still alive because its client has not read them yet.
    pub unsent: u64,
    /// Bytes in use by work of the request that still runs: see
    /// [`CurrentRequest`](super::CurrentRequest).
    pub running: u64,
}

impl HeapFlow {
    /// `allocated - freed`, in bytes.
    pub const fn net(&self) -> i64 {
        self.allocated.wrapping_sub(self.freed).cast_signed()
    }

    /// What outlives the request, in bytes: `net + received - handed_off`.
    ///
    /// Negative when it freed what others had allocated. Some KiB either way are no news: a
    /// request frees the headers that the connection allocated, and the connection frees those of
    /// the response.
    pub const fn retained(&self) -> i64 {
        self.net()
            .wrapping_add_unsigned(self.received)
            .wrapping_sub_unsigned(self.handed_off)
            .wrapping_sub_unsigned(self.unsent)
            .wrapping_sub_unsigned(self.running)
    }

    /// Both together.
    pub(crate) const fn and(&self, other: &Self) -> Self {
        Self {
            allocated: self.allocated.wrapping_add(other.allocated),
            freed: self.freed.wrapping_add(other.freed),
            allocations: self.allocations.wrapping_add(other.allocations),
            peak: self.peak.saturating_add(other.peak),
            received: self.received.wrapping_add(other.received),
            handed_off: self.handed_off.wrapping_add(other.handed_off),
            unsent: self.unsent.wrapping_add(other.unsent),
            running: self.running.wrapping_add(other.running),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_and_a_download_retain_nothing() {
        let upload = HeapFlow {
            freed: 50,
            received: 50,
            ..HeapFlow::default()
        };
        let download = HeapFlow {
            allocated: 50,
            handed_off: 50,
            ..HeapFlow::default()
        };
        assert_eq!((upload.net(), upload.retained()), (-50, 0));
        assert_eq!((download.net(), download.retained()), (50, 0));
    }
}
