//! From blocks of lines to figures. Lines are parsed on all cores and counted in their order, so that figures don't depend
//! on which core was faster.

use super::{
    event::{Event, Line, TARGET, Texts},
    figures::Figures,
    progress::Progress,
    read::{Block, Blocks, Input},
};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

/// More would wait for the one thread that reads and counts.
const THREADS: usize = 4;

/// One is parsed while another waits to be.
const BLOCKS_PER_THREAD: usize = 2;

/// A block, and what was found in it.
#[derive(Default)]
struct Parsed {
    block: Block,
    events: Vec<Event>,
    texts: Texts,
    tally: Tally,
}

/// What the lines were.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) lines: u64,
    /// Events of requests and their late work.
    pub(crate) events: u64,
    /// Other events of tower-memory.
    pub(crate) others: u64,
    /// Those of them that tell of pages given back, and of how many bytes.
    pub(crate) reclaims: u64,
    pub(crate) reclaimed: u64,
    /// Lines that name tower-memory and can't be read, and those of them that are its own and lack a time, or that docker
    /// wrapped.
    pub(crate) unreadable: u64,
    pub(crate) undated: u64,
    pub(crate) wrapped: u64,
    /// Lines without an end, of which nothing could be read.
    pub(crate) torn: u64,
    /// Lines that were too long to be read.
    pub(crate) overlong: u64,
}

impl Tally {
    /// Lines of others, be they JSON or not.
    pub(crate) fn foreign(&self) -> u64 {
        self.lines - self.events - self.others - self.unreadable - self.torn - self.overlong
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.lines += more.lines;
        self.events += more.events;
        self.others += more.others;
        self.reclaims += more.reclaims;
        self.reclaimed += more.reclaimed;
        self.unreadable += more.unreadable;
        self.undated += more.undated;
        self.wrapped += more.wrapped;
        self.torn += more.torn;
        self.overlong += more.overlong;
    }
}

/// Reads all inputs into `figures`.
pub(crate) fn scan(inputs: &[Input], figures: &mut Figures) -> Result<(), String> {
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS));
    let mut blocks = Blocks::of(inputs);
    let mut progress = Progress::towards(inputs.iter().map(Input::len).sum());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (to_worker, jobs) = channel();
                let (done, from_worker) = channel();
                scope.spawn(move || work(&jobs, &done));
                (to_worker, from_worker)
            })
            .collect();
        let mut idle: Vec<_> = (0..threads * BLOCKS_PER_THREAD)
            .map(|_| Parsed::default())
            .collect();
        let (mut sent, mut counted) = (0, 0);
        let mut more = true;
        while more || counted < sent {
            if let Some(mut job) = idle.pop_if(|_| more) {
                more = blocks.next(&mut job.block)?;
                // Fails where the worker panicked, which the scope passes on.
                if more && workers[sent % threads].0.send(job).is_ok() {
                    sent += 1;
                }
                progress.show(blocks.bytes);
                continue;
            }
            let Ok(parsed) = workers[counted % threads].1.recv() else {
                break;
            };
            counted += 1;
            figures.tally.add(&parsed.tally);
            for event in &parsed.events {
                figures.count(event, &parsed.texts);
            }
            idle.push(parsed);
        }
        figures.bytes = blocks.bytes;
        Ok(())
    })
}

fn work(jobs: &Receiver<Parsed>, done: &Sender<Parsed>) {
    for mut job in jobs {
        job.parse();
        if done.send(job).is_err() {
            return;
        }
    }
}

impl Parsed {
    fn parse(&mut self) {
        self.events.clear();
        self.texts.clear();
        let text = self.block.bytes();
        let is_torn = text.last().is_some_and(|last| *last != b'\n');
        let mut tally = Tally {
            lines: memchr_iter(b'\n', text).count() as u64
                + u64::from(is_torn)
                + self.block.overlong,
            overlong: self.block.overlong,
            ..Tally::default()
        };
        let finder = memmem::Finder::new(TARGET);
        let mut from = 0;
        // Whether the last line was looked at.
        let mut last_read = false;
        while let Some(found) = finder.find(&text[from..]) {
            let found = from + found;
            let start = memrchr(b'\n', &text[..found]).map_or(0, |end| end + 1);
            let end = memchr(b'\n', &text[found..]).map_or(text.len(), |end| found + end);
            from = end;
            last_read = end == text.len();
            match Line::read(&text[start..end], &mut self.texts) {
                Line::Event(event) => {
                    tally.events += 1;
                    self.events.push(event);
                }
                Line::Reclaimed(bytes) => {
                    tally.others += 1;
                    tally.reclaims += 1;
                    tally.reclaimed = tally.reclaimed.saturating_add(bytes);
                }
                Line::Other => tally.others += 1,
                Line::Foreign => {}
                Line::Undated => {
                    tally.unreadable += 1;
                    tally.undated += 1;
                }
                Line::Wrapped => {
                    tally.unreadable += 1;
                    tally.wrapped += 1;
                }
                Line::Unreadable if last_read => tally.torn += 1,
                Line::Unreadable => tally.unreadable += 1,
            }
        }
        // What was torn before it could name tower-memory; elsewhere nobody asks whether such a line is JSON.
        if is_torn && !last_read && text.last() != Some(&b'}') {
            tally.torn += 1;
        }
        self.tally = tally;
    }
}
