//! What was read so far, for a second go.

use std::cell::Cell;
use std::io::{self, Read};

use crate::values::Room;

/// Most bytes that are kept: a file that says its version later than that is read but once.
const MOST: usize = 8 << 20;

/// Keeps what is read through it, until it is known that one go will do.
pub(super) struct Recorder<'i> {
    input: &'i mut dyn Read,
    kept: Vec<u8>,
    overflown: bool,
    one_go: &'i Cell<bool>,
    room: &'i Room,
}

impl<'i> Recorder<'i> {
    pub(super) fn new(input: &'i mut dyn Read, one_go: &'i Cell<bool>, room: &'i Room) -> Self {
        Self {
            input,
            kept: Vec::new(),
            overflown: false,
            one_go,
            room,
        }
    }

    /// All of the input, from its beginning; `None` where that was not kept.
    pub(super) fn again(self) -> Option<impl Read + 'i> {
        let again = !self.overflown && !self.one_go.get();
        again.then(|| io::Cursor::new(self.kept).chain(self.input))
    }
}

impl Read for Recorder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        if self.overflown {
            return Ok(length);
        }
        let fits = self.kept.len() + length <= MOST && !self.one_go.get();
        if fits && (self.room.borrow_mut())(length) {
            self.kept.extend_from_slice(&buffer[..length]);
        } else {
            self.overflown = true;
            self.kept = Vec::new();
        }
        Ok(length)
    }
}
