//! Bytes held in pieces that count against a budget: an upload until it is read, a result until it
//! is sent.

use super::limits::OVERDUE;
use crate::budget::Share;
use axum::body::{Body, Bytes};
use futures_util::stream;
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::Arc,
};
use tokio::time::Instant;

/// Bytes in a piece, at most and at least.
const LARGE: usize = 64 * 1024;
const SMALL: usize = 4 * 1024;

pub(crate) struct Spool {
    share: Arc<Share>,
    pieces: VecDeque<Piece>,
    length: usize,
    most: usize,
}

/// Freed, and given back, when it has been read or sent.
struct Piece {
    bytes: Vec<u8>,
    read: usize,
    share: Arc<Share>,
}

impl Spool {
    /// Of `most` bytes at most.
    pub(crate) fn new(share: Arc<Share>, most: usize) -> Self {
        Self {
            share,
            pieces: VecDeque::new(),
            length: 0,
            most,
        }
    }

    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.share
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// A response body that frees what was sent.
    pub(crate) fn into_body(self) -> Body {
        let deadline = Instant::now() + OVERDUE;
        Body::from_stream(stream::try_unfold(
            self.pieces,
            move |mut pieces| async move {
                if Instant::now() > deadline {
                    return Err(io::Error::from(io::ErrorKind::TimedOut));
                }
                let piece = pieces.pop_front();
                Ok(piece.map(|piece| (Bytes::from_owner(piece), pieces)))
            },
        ))
    }

    /// A piece with room for more.
    fn open_piece(&mut self) -> io::Result<&mut Vec<u8>> {
        let last = self.pieces.back();
        if last.is_none_or(|last| last.bytes.len() == last.bytes.capacity()) {
            let size = self.length.clamp(SMALL, LARGE);
            let piece = Piece::new(&self.share, size).ok_or(io::ErrorKind::StorageFull)?;
            self.pieces.push_back(piece);
        }
        let last = self.pieces.back_mut().ok_or(io::ErrorKind::StorageFull)?;
        Ok(&mut last.bytes)
    }
}

impl Piece {
    fn new(share: &Arc<Share>, size: usize) -> Option<Self> {
        share.take(size).then(|| Self {
            bytes: Vec::with_capacity(size),
            read: 0,
            share: Arc::clone(share),
        })
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.share.give_back(self.bytes.capacity());
    }
}

/// Fails with `StorageFull` where there are to be more bytes than it may have.
impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most - self.length {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = self.open_piece()?;
            let fits = rest.len().min(piece.capacity() - piece.len());
            let (now, later) = rest.split_at(fits);
            piece.extend_from_slice(now);
            self.length += fits;
            rest = later;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Frees what was read.
impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.front_mut() else {
            return Ok(0);
        };
        let unread = &piece.bytes[piece.read..];
        let length = unread.len().min(buffer.len());
        buffer[..length].copy_from_slice(&unread[..length]);
        piece.read += length;
        if piece.read == piece.bytes.len() {
            self.pieces.pop_front();
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use bytesize::ByteSize;
    use http_body_util::BodyExt;

    #[test]
    fn what_was_written_is_read_and_nothing_of_it_stays_taken() {
        let budget = Budget::new(ByteSize::mib(1));
        let mut spool = Spool::new(budget.share(), 1 << 20);
        let text: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
        text.chunks(777)
            .for_each(|part| spool.write_all(part).unwrap());
        assert_eq!(spool.length(), text.len());
        let share = Arc::clone(spool.share());
        let mut read = Vec::new();
        spool.read_to_end(&mut read).unwrap();
        assert!(read == text);
        // Half of all is free again.
        assert!(share.take(1 << 19));
    }

    #[tokio::test]
    async fn a_body_frees_what_was_sent() {
        let budget = Budget::new(ByteSize::kib(256));
        let share = budget.share();
        let mut spool = Spool::new(Arc::clone(&share), 1 << 20);
        spool.write_all(&[b' '; 100_000]).unwrap();
        assert!(!share.take(64 * 1024));
        let mut body = spool.into_body();
        while body.frame().await.is_some() {}
        assert!(share.take(128 * 1024));
    }

    #[test]
    fn more_than_it_may_have_is_refused() {
        let budget = Budget::new(ByteSize::mib(1));
        let mut spool = Spool::new(budget.share(), 10);
        assert!(spool.write_all(b"0123456789").is_ok());
        let error = spool.write_all(b"0").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
