//! The allocators of this process, found by the names of their functions.
//!
//! To depend on them would link them. A *weak* reference does not: where nothing else brought the
//! function in, its address is null.
#![allow(unsafe_code)]

use std::fmt;

/// Which were found, and asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) glibc: bool,
    pub(crate) jemalloc: bool,
    pub(crate) mimalloc: bool,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What to do about pages that the allocator keeps. jemalloc is advised to nobody who may have it.
    #[cfg(feature = "axum")]
    pub(crate) fn next_step(&self) -> &'static str {
        match self {
            Self { jemalloc: true, .. } => {
                "consider reclaim, or shorter decay times of jemalloc (dirty_decay_ms)"
            }
            Self { mimalloc: true, .. } => {
                "consider reclaim, or a shorter delay of mimalloc (MIMALLOC_PURGE_DELAY)"
            }
            Self { glibc: true, .. } => "consider reclaim, MALLOC_ARENA_MAX, or jemalloc",
            _ => "consider reclaim, or jemalloc",
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.glibc, "glibc"),
            (self.jemalloc, "jemalloc"),
            (self.mimalloc, "mimalloc"),
        ];
        let names: Vec<_> = all.iter().filter(|(found, _)| *found).collect();
        for (place, (_, name)) in names.iter().enumerate() {
            match place {
                0 => {}
                last if last + 1 == names.len() => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Those that are linked or loaded, asked for nothing. One that is linked need not be in use.
#[cfg(feature = "axum")]
pub(crate) fn found() -> Found {
    Found {
        glibc: cfg!(all(target_os = "linux", target_env = "gnu")),
        jemalloc: jemalloc::is_there(),
        mimalloc: mimalloc::is_there(),
    }
}

/// Asks all that there are to give freed pages back.
pub(super) fn give_back() -> Found {
    Found {
        // Before glibc: what they give up, it may have to give back in turn.
        jemalloc: jemalloc::give_back(),
        mimalloc: mimalloc::give_back(),
        glibc: glibc::give_back(),
    }
}

mod glibc {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub(super) fn give_back() -> bool {
        // SAFETY: it may be called at any time, by any thread.
        unsafe { libc::malloc_trim(0) };
        true
    }

    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    pub(super) fn give_back() -> bool {
        false
    }
}

mod jemalloc {
    use super::address;
    use std::{
        ffi::{c_char, c_int, c_void},
        mem, ptr,
    };

    // The name that Rust's bindings give it, and its own.
    address!(prefixed, "_rjem_mallctl");
    address!(unprefixed, "mallctl");

    type Mallctl =
        unsafe extern "C" fn(*const c_char, *mut c_void, *mut usize, *mut c_void, usize) -> c_int;

    #[cfg(feature = "axum")]
    pub(super) fn is_there() -> bool {
        prefixed().or_else(unprefixed).is_some()
    }

    pub(super) fn give_back() -> bool {
        let Some(mallctl) = prefixed().or_else(unprefixed) else {
            return false;
        };
        // SAFETY: jemalloc documents the function of this name to have this type.
        let mallctl = unsafe { mem::transmute::<*const c_void, Mallctl>(mallctl) };
        // 4096 is `MALLCTL_ARENAS_ALL`.
        for name in [c"thread.tcache.flush", c"arena.4096.purge"] {
            // SAFETY: both take and return nothing. A name that is not known is an error code.
            unsafe {
                mallctl(
                    name.as_ptr(),
                    ptr::null_mut(),
                    ptr::null_mut(),
                    ptr::null_mut(),
                    0,
                )
            };
        }
        true
    }
}

mod mimalloc {
    use super::address;
    use std::{ffi::c_void, mem};

    address!(collect, "mi_collect");

    #[cfg(feature = "axum")]
    pub(super) fn is_there() -> bool {
        collect().is_some()
    }

    pub(super) fn give_back() -> bool {
        let Some(collect) = collect() else {
            return false;
        };
        // SAFETY: mimalloc documents the function of this name to have this type.
        let collect =
            unsafe { mem::transmute::<*const c_void, unsafe extern "C" fn(bool)>(collect) };
        // SAFETY: it may be called at any time, by any thread.
        unsafe { collect(true) };
        true
    }
}

/// Defines a function that tells the address of another, which may be linked into this program or
/// loaded with it.
macro_rules! address {
    ($function:ident, $name:literal) => {
        fn $function() -> Option<*const std::ffi::c_void> {
            $crate::reclaim::allocators::linked!($name)
                .or_else(|| $crate::reclaim::allocators::loaded(concat!($name, "\0")))
        }
    };
}
use address;

/// Where the linker put it, or `None` where there was none to put.
///
/// Through an alias that is weak, which leaves the symbol itself as others need it: `.weak` would
/// make their references to it weak as well, where they are compiled into the same object.
macro_rules! linked {
    ($name:literal) => {{
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        ))]
        {
            let address: *const std::ffi::c_void;
            // SAFETY: loads one entry of the global offset table and touches nothing else. That of a
            // symbol that is only referred to weakly, and that nobody defines, is null.
            unsafe {
                #[cfg(target_arch = "x86_64")]
                std::arch::asm!(
                    concat!(".weakref tower_memory_", $name, ", ", $name),
                    concat!("mov {}, qword ptr [rip + tower_memory_", $name, "@GOTPCREL]"),
                    out(reg) address,
                    options(pure, readonly, nostack, preserves_flags),
                );
                #[cfg(target_arch = "aarch64")]
                std::arch::asm!(
                    concat!(".weakref tower_memory_", $name, ", ", $name),
                    concat!("adrp {0}, :got:tower_memory_", $name),
                    concat!("ldr {0}, [{0}, :got_lo12:tower_memory_", $name, "]"),
                    out(reg) address,
                    options(pure, readonly, nostack, preserves_flags),
                );
            }
            (!address.is_null()).then_some(address)
        }
        #[cfg(not(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        )))]
        {
            None::<*const std::ffi::c_void>
        }
    }};
}
use linked;

/// What the dynamic linker knows by that name: of an allocator that was preloaded.
#[cfg(unix)]
fn loaded(name: &'static str) -> Option<*const std::ffi::c_void> {
    // SAFETY: the name ends with a null byte, as the macro above writes it.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast()) };
    (!address.is_null()).then_some(address.cast_const())
}

#[cfg(not(unix))]
fn loaded(_: &'static str) -> Option<*const std::ffi::c_void> {
    None
}
