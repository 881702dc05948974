use super::{ReadResident, Resident};
use rustix::{
    fs::{PROC_SUPER_MAGIC, fstatfs},
    time::{ClockId, clock_gettime},
};
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    process,
    sync::{
        OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

const PATH: &str = "/proc/self/statm";

/// Reads `/proc/self/statm` through a descriptor it keeps open: one `pread`, whatever the size of the
/// resident set.
///
/// The first reading opens the file. A forked child notices that the descriptor is its parent's and
/// opens a new one for each reading, at about five times the cost. So does a process in which other code
/// closed the descriptor.
///
/// # Blocking
///
/// The kernel answers from counters and holds no lock for long, so readings are taken on the request
/// path. The exceptions are the first reading, because looking up the file may block, and all readings
/// if `/proc` is not the kernel's own (but, say, a FUSE file system).
///
/// # Accuracy
///
/// Exact on kernels from 6.16 on and on stable releases with the same change. Kernels 6.2 to 6.15 batch
/// the counters per CPU: a reading can be off by up to CPUs × max(32, 2 × CPUs) pages, which is 256 KiB
/// on 2 CPUs and 32 MiB on 64. See
/// [proc_pid_statm(5)](https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html), which has always
/// called these figures inaccurate for that reason.
#[derive(Debug, Default)]
pub struct Statm {
    kept: OnceLock<Kept>,
}

impl Statm {
    /// Creates a reader that opens the file at its first reading.
    pub const fn new() -> Self {
        Self {
            kept: OnceLock::new(),
        }
    }
}

impl ReadResident for Statm {
    fn read(&self) -> io::Result<Resident> {
        match self.kept.get() {
            Some(kept) if kept.is_of_this_process() => {
                kept.read().or_else(|_| Kept::open()?.read())
            }
            Some(_) => Kept::open()?.read(),
            None => {
                let kept = Kept::open()?;
                let resident = kept.read()?;
                // A lost race closes its descriptor; the winner's is as good.
                let _ = self.kept.set(kept);
                Ok(resident)
            }
        }
    }

    fn may_block(&self) -> bool {
        !self.kept.get().is_some_and(|kept| kept.is_the_kernels)
    }
}

/// The open file and its process. `/proc/self` is resolved when the file is opened, so a forked child
/// that reads its parent's descriptor reads its parent's memory.
#[derive(Debug)]
struct Kept {
    file: File,
    process: u32,
    checked: AtomicI64,
    page_size: u64,
    is_the_kernels: bool,
}

impl Kept {
    fn open() -> io::Result<Self> {
        let file = File::open(PATH).map_err(named)?;
        let system = fstatfs(&file).map_err(|error| named(error.into()))?;
        Ok(Self {
            is_the_kernels: system.f_type == PROC_SUPER_MAGIC,
            file,
            process: process::id(),
            checked: AtomicI64::new(tick()),
            page_size: rustix::param::page_size() as u64,
        })
    }

    fn read(&self) -> io::Result<Resident> {
        // Seven numbers of at most 20 digits each.
        let mut buffer = [0; 160];
        let length = self.file.read_at(&mut buffer, 0).map_err(named)?;
        parse(&buffer[..length], self.page_size).ok_or_else(|| {
            let text = String::from_utf8_lossy(&buffer[..length]);
            let reason =
                format!("{PATH} holds {text:?}, expected `size resident shared ...` in pages");
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })
    }

    /// Gets the process id once per kernel tick (1 to 10 ms) instead of at every reading, because the
    /// system call costs a fifth of the reading. Until its first tick is over, a forked child may read
    /// its parent's figure.
    fn is_of_this_process(&self) -> bool {
        let now = tick();
        if self.checked.load(Ordering::Relaxed) == now {
            return true;
        }
        let same = self.process == process::id();
        if same {
            self.checked.store(now, Ordering::Relaxed);
        }
        same
    }
}

/// The kernel's coarse clock in nanoseconds, which advances once per tick and costs no system call.
fn tick() -> i64 {
    let time = clock_gettime(ClockId::MonotonicCoarse);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn parse(statm: &[u8], page_size: u64) -> Option<Resident> {
    let mut fields = statm.split(u8::is_ascii_whitespace).skip(1);
    Some(Resident {
        total: number(fields.next()?)?.checked_mul(page_size)?,
        shared: number(fields.next()?)?.checked_mul(page_size)?,
    })
}

/// Decimal digits only. `u64::from_str` also accepts a sign, and requires validated UTF-8.
fn number(digits: &[u8]) -> Option<u64> {
    let (first, rest) = digits.split_first()?;
    rest.iter().try_fold(digit(*first)?, |number, next| {
        number.checked_mul(10)?.checked_add(digit(*next)?)
    })
}

fn digit(ascii: u8) -> Option<u64> {
    ascii.is_ascii_digit().then(|| u64::from(ascii - b'0'))
}

fn named(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{PATH}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_bytes() {
        let resident = parse(b"221456 1823 1044 12 0 40000 0\n", 4096);
        assert_eq!(resident, Some(Resident::new(1823 * 4096, 1044 * 4096)));
        assert_eq!(
            parse(b"9 2 1 0 0 0 0\n", 65536),
            Some(Resident::new(131_072, 65_536))
        );
    }

    #[test]
    fn text_that_is_not_statm_is_refused() {
        for text in [
            "",
            "12",
            "12 x 3",
            "12 34",
            "1 18446744073709551615 3 4",
            "1 -2 3",
        ] {
            assert_eq!(parse(text.as_bytes(), 4096), None, "{text:?}");
        }
    }
}
