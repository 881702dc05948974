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
    /// The first bytes, and how many of them were handed on; `None` before they are read.
    head: Option<(Head, usize)>,
    /// Whether there was anything but space so far.
    begun: bool,
}

/// Enough to tell what a file is.
type Head = Vec<u8>;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What files begin with that are something else.
const OTHERS: [(&[u8], &str); 8] = [
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd)"),
    (b"\xfd7zXZ", "compressed (xz)"),
    (b"PK\x03\x04", "compressed (zip)"),
    (b"BZh", "compressed (bzip2)"),
    (b"7z\xbc\xaf", "compressed (7z)"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
];

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
    /// Nothing but space.
    Empty,
    /// Not JSON but something else.
    Other(&'static str),
    /// `NaN`, `Infinity` and the like, as Python writes them.
    NotANumber(&'static str),
}

impl<R: Read> Bounded<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            depth: 0,
            token: 0,
            text: Text::Outside,
            limit: None,
            head: None,
            begun: false,
        }
    }

    /// Reads, the first bytes from where they are kept; a mark of the order of bytes is skipped.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head.is_none() {
            let mut head = Vec::new();
            io::Read::by_ref(&mut self.input)
                .take(6)
                .read_to_end(&mut head)?;
            let other = OTHERS.iter().find(|(magic, _)| head.starts_with(magic));
            if let Some((_, what)) = other {
                self.limit = Some(Limit::Other(what));
                return Err(io::Error::other(Limit::Other(what)));
            }
            let skipped = match head.starts_with(BYTE_ORDER_MARK) {
                true => BYTE_ORDER_MARK.len(),
                false => 0,
            };
            self.head = Some((head, skipped));
        }
        if let Some((head, given)) = &mut self.head
            && *given < head.len()
        {
            let length = (&head[*given..]).read(buffer)?;
            *given += length;
            return Ok(length);
        }
        self.input.read(buffer)
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
            // No word of JSON begins with a capital.
            (Text::Outside, b'N') if self.depth > 0 => return Err(Limit::NotANumber("NaN")),
            (Text::Outside, b'I') if self.depth > 0 => return Err(Limit::NotANumber("Infinity")),
            (Text::Outside, _) => {}
        }
        self.begun |= !byte.is_ascii_whitespace();
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
        let length = self.fill(buffer)?;
        if length == 0 && !self.begun && !buffer.is_empty() {
            return Err(io::Error::other(Limit::Empty));
        }
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
            Self::Empty => f.write_str("it is empty, expected an e-footprint system"),
            Self::Other(what) => write!(
                f,
                "it is {what}, expected plain UTF-8 text; unpack or convert it first"
            ),
            Self::NotANumber(what) => write!(
                f,
                "holds `{what}`, which JSON has no word for, expected a finite number"
            ),
        }
    }
}

impl std::error::Error for Limit {}
