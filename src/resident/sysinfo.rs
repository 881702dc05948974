use super::{ReadResident, Resident};
use std::{
    io,
    sync::{Mutex, PoisonError},
};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// Reads the resident set through the `sysinfo` crate: the default where there is no
/// `/proc/self/statm`, and on Linux with feature `sysinfo`, on request.
///
/// Costs tens of microseconds, takes a lock and allocates. It can't tell the shared part, which is
/// reported as 0.
#[derive(Debug, Default)]
pub struct Sysinfo {
    system: Mutex<Option<System>>,
}

impl Sysinfo {
    /// Creates a reader with nothing loaded yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl ReadResident for Sysinfo {
    fn read(&self) -> io::Result<Resident> {
        // Looked up each time, because a forked child has another.
        let pid = get_current_pid().map_err(io::Error::other)?;
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        let system = match &mut *system {
            Some(system) => system,
            unloaded => unloaded.insert(System::new().map_err(io::Error::other)?),
        };
        let memory_only = ProcessRefreshKind::nothing().with_memory();
        // `true` drops a process that can't be read; with `false` its last figures would stay.
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, memory_only);
        let memory = system.process(pid).map_or(0, |process| process.memory());
        if memory == 0 {
            let reason = format!("sysinfo reports no memory for this process ({pid})");
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        }
        Ok(Resident::new(memory, 0))
    }

    /// On Linux `sysinfo` opens files; elsewhere it makes system calls.
    fn may_block(&self) -> bool {
        cfg!(target_os = "linux")
    }
}
