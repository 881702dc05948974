//! A control group of 300 MiB, version 1, where one can be made.

use std::{
    fs, io,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use tokio::process::Command;

const LIMIT: &str = "314572800";

pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// `None`, with the reason on the standard output, where none can be made.
    pub(crate) fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "system-builder-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Relaxed)
        );
        let path = PathBuf::from("/sys/fs/cgroup/memory").join(name);
        let made = fs::create_dir(&path).and_then(|()| {
            let group = Self(path.clone());
            // Not all kernels count swap, and where they do, it must not help.
            fs::write(path.join("memory.limit_in_bytes"), LIMIT)?;
            let _ = fs::write(path.join("memory.memsw.limit_in_bytes"), LIMIT);
            Ok(group)
        });
        match made {
            Ok(group) => Some(group),
            Err(error) => {
                println!("skipped: no control group of version 1 can be made: {error}");
                None
            }
        }
    }

    /// A command that runs in it.
    pub(crate) fn around(&self, command: &Command) -> Command {
        let command = command.as_std();
        let mut within = Command::new("sh");
        within
            .args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""])
            .arg(&self.0)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => within.env(name, value),
                None => within.env_remove(name),
            };
        }
        within.kill_on_drop(true);
        within
    }

    /// The most memory that was ever used, in MiB.
    pub(crate) fn peak(&self) -> io::Result<u64> {
        let peak = fs::read_to_string(self.0.join("memory.max_usage_in_bytes"))?;
        let peak: u64 = peak.trim().parse().map_err(io::Error::other)?;
        Ok(peak >> 20)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
