//! The logs as blocks of whole lines, in constant memory, whatever the length of files and lines.

use memchr::{memchr, memrchr};
use std::{
    fmt,
    fs::{File, Metadata},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Bytes of a block, and of the longest line that is read.
const BLOCK: usize = 256 << 10;

/// What to read: a file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    Standard,
}

impl Input {
    pub(crate) fn named(path: PathBuf) -> Self {
        match path == Path::new("-") {
            true => Self::Standard,
            false => Self::File(path),
        }
    }

    /// Bytes of it, where it is a file of a known length.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::File(path) => path.metadata().map_or(0, |metadata| metadata.len()),
            Self::Standard => 0,
        }
    }

    /// Whether it can be opened, as far as that can be told without waiting.
    pub(crate) fn may_be_read(&self) -> Result<(), String> {
        let is_pipe = |found: Metadata| !found.is_file() && !found.is_dir();
        match self {
            // To open one waits for who writes, and to close it again ends them.
            Self::File(path) if path.metadata().is_ok_and(is_pipe) => Ok(()),
            Self::File(_) => self.open().map(drop),
            Self::Standard => Ok(()),
        }
    }

    fn open(&self) -> Result<Box<dyn Read>, String> {
        match self {
            Self::Standard => Ok(Box::new(io::stdin())),
            Self::File(path) => {
                let found = File::open(path).and_then(|file| Ok((file.metadata()?.is_dir(), file)));
                match found {
                    Ok((false, file)) => Ok(Box::new(file)),
                    Ok((true, _)) => Err(format!("{self} is a folder, expected a log in it")),
                    Err(error) => Err(format!("can't open {self}: {error}")),
                }
            }
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Standard => f.write_str("standard input"),
        }
    }
}

/// Whole lines of one input. The last may lack its end, when the input does.
#[derive(Default)]
pub(crate) struct Block {
    buffer: Vec<u8>,
    len: usize,
    /// Lines that were too long and are left out.
    pub(crate) overlong: u64,
    /// The program that unpacks such a file, where the input begins like one.
    packed_by: Option<&'static str>,
}

impl Block {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

/// Reads inputs one after the other.
pub(crate) struct Blocks {
    inputs: Vec<Input>,
    at: usize,
    open: Option<Box<dyn Read>>,
    /// Bytes of the line that the last block ended in.
    rest: Vec<u8>,
    /// Within a line that is too long.
    skipping: bool,
    /// Bytes read of all inputs, and of this one.
    pub(crate) bytes: u64,
    bytes_of_this: u64,
}

impl Blocks {
    pub(crate) fn of(inputs: &[Input]) -> Self {
        Self {
            inputs: inputs.to_vec(),
            at: 0,
            open: None,
            rest: Vec::new(),
            skipping: false,
            bytes: 0,
            bytes_of_this: 0,
        }
    }

    /// Fills `block` with the next lines; false after the last.
    pub(crate) fn next(&mut self, block: &mut Block) -> Result<bool, String> {
        while let Some(input) = self.inputs.get(self.at).cloned() {
            let is_new = self.open.is_none();
            let mut reader = match self.open.take() {
                Some(reader) => reader,
                None => input.open()?,
            };
            let ended = self.fill(&mut *reader, block).map_err(|error| {
                let read = self.bytes_of_this;
                format!("can't read {input} beyond its first {read} bytes: {error}")
            })?;
            if let (true, Some(program)) = (is_new, block.packed_by) {
                return Err(format!(
                    "{input} is compressed: pipe it, as in `{program} FILE | tower-memory-report -`"
                ));
            }
            if ended {
                self.at += 1;
                self.bytes_of_this = 0;
                self.skipping = false;
            } else {
                self.open = Some(reader);
            }
            if block.len > 0 || block.overlong > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads until the block is full or the input ends, and cuts it behind the last line. True at the end.
    fn fill(&mut self, reader: &mut dyn Read, block: &mut Block) -> io::Result<bool> {
        block.buffer.resize(BLOCK, 0);
        block.overlong = 0;
        let mut len = self.rest.len();
        block.buffer[..len].copy_from_slice(&self.rest);
        self.rest.clear();
        let mut ended = false;
        while len < BLOCK && !ended {
            match reader.read(&mut block.buffer[len..]) {
                Ok(0) => ended = true,
                Ok(read) => {
                    len += read;
                    self.bytes += read as u64;
                    self.bytes_of_this += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        block.packed_by = packed_by(&block.buffer[..len]);
        if self.skipping {
            let end = memchr(b'\n', &block.buffer[..len]);
            self.skipping = end.is_none();
            let start = end.map_or(len, |end| end + 1);
            block.buffer.copy_within(start..len, 0);
            len -= start;
        }
        block.len = match memrchr(b'\n', &block.buffer[..len]) {
            _ if ended => len,
            Some(last) => last + 1,
            None => 0,
        };
        if block.len == 0 && len == BLOCK {
            block.overlong = 1;
            self.skipping = true;
        } else {
            self.rest.write_all(&block.buffer[block.len..len])?;
        }
        Ok(ended)
    }
}

fn packed_by(start: &[u8]) -> Option<&'static str> {
    let programs: [(&[u8], _); 4] = [
        (b"\x1f\x8b", "zcat"),
        (b"\x28\xb5\x2f\xfd", "zstdcat"),
        (b"\xfd7zXZ\0", "xzcat"),
        (b"BZh", "bzcat"),
    ];
    let packed = |(magic, program): (&[u8], _)| start.starts_with(magic).then_some(program);
    programs.into_iter().find_map(packed)
}
