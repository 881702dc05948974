/// Bytes allocated and freed on the thread that polls, only while this request is polled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapFlow {
    /// Bytes allocated.
    pub allocated: u64,
    /// Bytes freed.
    pub freed: u64,
    /// How many allocations.
    pub allocations: u64,
    /// The most that was allocated and not yet freed at any time, in bytes.
    pub peak: u64,
    /// Request body bytes taken from the server: allocated by the connection, freed by the request.
    pub received: u64,
    /// Response body bytes passed on to the server: allocated by the request, freed by the
    /// connection.
    pub handed_off: u64,
}

impl HeapFlow {
    /// `allocated - freed`, in bytes.
    pub const fn net(&self) -> i64 {
        self.allocated.wrapping_sub(self.freed).cast_signed()
    }

    /// What outlives the request, in bytes: `net + received - handed_off`.
    pub const fn retained(&self) -> i64 {
        self.net()
            .wrapping_add_unsigned(self.received)
            .wrapping_sub_unsigned(self.handed_off)
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
