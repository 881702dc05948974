use crate::store::Content;
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Input whose bytes are hashed as they are read.
pub(super) struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R> Hashed<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            hash: Sha256::new(),
        }
    }

    /// What tells the systems of the file from those of others, and from each other.
    pub(super) fn contents(self) -> impl Iterator<Item = Content> {
        let file: Content = self.hash.finalize().into();
        (0_u8..).map(move |number| {
            let mut content = file;
            content[0] ^= number;
            content
        })
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}
