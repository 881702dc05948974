/// One request's use of the heap: allocations by its future and its response body while they are polled and dropped,
/// and by work that carries its [`CurrentRequest`](super::CurrentRequest).
///
/// Sizes are those that Rust code requested from its allocator. Work on threads that carry no request and memory of C
/// libraries are not included.
///
/// Figures are exact under a [`TrackingAllocator`](super::TrackingAllocator). With jemalloc's own counters they are
/// differences; the [module's documentation](super#choosing-a-meter) has the bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapFlow {
    /// Bytes allocated.
    pub allocated: u64,
    /// How many of these bytes are no longer live, whoever freed them. With jemalloc's own counters: bytes that the
    /// request freed, whoever had allocated them.
    pub freed: u64,
    /// Number of allocations, including reallocations. 0 with jemalloc's own counters.
    pub allocations: u64,
    /// The most that was live at once, in bytes. Memory that the server has sent and freed no longer counts. With
    /// jemalloc's own counters, the peak of carried work is added, as if both peaks had come at the same time.
    pub peak: u64,
    /// In [`LateWork`](crate::LateWork): bytes that the work took over from its request.
    ///
    /// In a [`Report`](crate::Report) 0, except with jemalloc's own counters. There it is request body bytes that the
    /// connection allocated and the request freed or kept. They are known only if the body is a
    /// [`RequestBody`](crate::RequestBody), which feature `axum` takes care of.
    pub received: u64,
    /// With jemalloc's own counters: response body bytes that the request allocated and the connection frees. Counts
    /// frames of [`Bytes`](bytes::Bytes) that nobody else holds, with the capacity of their buffer, and no other kinds.
    /// Always 0 with a [`TrackingAllocator`](super::TrackingAllocator), which doesn't need it.
    pub handed_off: u64,
    /// Bytes of the response that are still live because its client has not read them yet.
    pub unsent: u64,
    /// Bytes in use by work of the request that is still running: see [`CurrentRequest`](super::CurrentRequest).
    pub running: u64,
}

impl HeapFlow {
    /// `allocated - freed`, in bytes.
    pub const fn net(&self) -> i64 {
        self.allocated.wrapping_sub(self.freed) as i64
    }

    /// The request's live bytes once its response is gone: `net + received - handed_off - unsent - running`.
    ///
    /// 1 KiB and less counts as 0, because the head of the response may be as large. With jemalloc's own counters it
    /// may be negative, and is off by the memory that passed between the request and others: see the
    /// [bounds](super#choosing-a-meter).
    pub const fn retained(&self) -> i64 {
        self.net()
            .wrapping_add_unsigned(self.received)
            .wrapping_sub_unsigned(self.handed_off)
            .wrapping_sub_unsigned(self.unsent)
            .wrapping_sub_unsigned(self.running)
    }

    /// The sum of both.
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
