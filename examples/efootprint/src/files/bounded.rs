//! Limits on the shape of the input, enforced before the JSON parser sees it.

use std::fmt;
use std::io::{self, Read};

/// Deepest nesting read. Stored explanations of results nest a few dozen levels; inputs nest nine.
pub(crate) const DEEPEST: u32 = 512;

/// Longest single text or number, in bytes: two hundred years by the hour, in base64, take 9.4 MB.
pub(crate) const LONGEST: usize = 10_000_000;

/// Ends the input with a [`Limit`] where it nests too deeply or holds too long a text.
///
/// The parser buffers one text at a time and keeps a byte for each level it skips: with both
/// bounded, no input makes it allocate without bounds.
pub(crate) struct Bounded<R> {
    input: R,
    depth: u32,
    token: usize,
    text: Text,
    limit: Option<Limit>,
}

enum Text {
    Outside,
    Inside,
    Escape,
}

/// Which limit the input exceeded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    Depth,
    Length,
}

impl<R: Read> Bounded<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            depth: 0,
            token: 0,
            text: Text::Outside,
            limit: None,
        }
    }

    fn pass(&mut self, byte: u8) -> Result<(), Limit> {
        self.token += 1;
        match (&self.text, byte) {
            (Text::Escape, _) => self.text = Text::Inside,
            (Text::Inside, b'\\') => self.text = Text::Escape,
            (Text::Inside, b'"') => (self.text, self.token) = (Text::Outside, 0),
            (Text::Inside, _) => {}
            (Text::Outside, b'"') => (self.text, self.token) = (Text::Inside, 0),
            (Text::Outside, b'{' | b'[') => (self.depth, self.token) = (self.depth + 1, 0),
            (Text::Outside, b'}' | b']') => {
                (self.depth, self.token) = (self.depth.saturating_sub(1), 0)
            }
            (Text::Outside, b',' | b':' | b' ' | b'\t' | b'\r' | b'\n') => self.token = 0,
            (Text::Outside, _) => {}
        }
        if self.depth > DEEPEST {
            Err(Limit::Depth)
        } else if self.token > LONGEST {
            Err(Limit::Length)
        } else {
            Ok(())
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(limit) = self.limit {
            return Err(io::Error::other(limit));
        }
        let length = self.input.read(buffer)?;
        for (i, &byte) in buffer[..length].iter().enumerate() {
            if let Err(limit) = self.pass(byte) {
                // What came before is handed on first: an earlier error wins, and the parser knows
                // the place.
                self.limit = Some(limit);
                return if i == 0 {
                    Err(io::Error::other(limit))
                } else {
                    Ok(i)
                };
            }
        }
        Ok(length)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth => write!(f, "nests deeper than {DEEPEST} levels"),
            Self::Length => write!(f, "holds a text or number longer than {LONGEST} bytes"),
        }
    }
}

impl std::error::Error for Limit {}
