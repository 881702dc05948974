//! `examples/report` takes constant memory. Alone in this file, because a child is charged with its parent's memory at
//! the time it started.

#[path = "support/log_lines.rs"]
mod log_lines;
#[path = "support/report.rs"]
mod report;

use self::{log_lines::Entry, report::Folder};
use std::{
    fs::File,
    io::{BufWriter, Write},
    process::Stdio,
};
use wait4::Wait4;

const MIB: u64 = 1 << 20;

#[test]
fn a_log_of_two_hundred_megabytes_takes_less_than_32_mib() {
    let folder = Folder::new();
    let file = File::create(folder.path("app.log")).expect("created");
    let mut file = BufWriter::new(file);
    let (mut bytes, mut number) = (0, 0);
    while bytes < 200_000_000 {
        let mut said = Entry::numbered(number);
        // More routes than are kept, and more events whose warnings never come.
        said.route = format!("/{}/{}", "long".repeat(20), number % 5000);
        said.verdict = "unmetered";
        let line = said.flat();
        file.write_all(line.as_bytes()).expect("written");
        bytes += line.len();
        number += 1;
    }
    file.flush().expect("written");
    let mut command = folder.command(&["app.log"]);
    let child = command.stdout(Stdio::null()).spawn().expect("it starts");
    let used = child.wait4().expect("it ends");
    assert!(used.status.success());
    let peak = used.rusage.maxrss / MIB;
    assert!(peak < 32, "{peak} MiB");
}
