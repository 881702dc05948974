//! The allocators of this process, found by the names of their functions.
//!
//! Depending on them would link them. A *weak* reference does not: if nothing else brought in the
//! function, its address is null.
#![allow(unsafe_code)]

use std::{fmt, sync::OnceLock};

/// The allocators that were found and called.
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

/// The allocator behind Rust's allocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocator {
    Glibc,
    Jemalloc,
    Mimalloc,
    Unknown,
}

/// Advice about pages that an allocator holds. Nobody who has jemalloc is advised to use it.
macro_rules! remedy {
    ($($before:literal)? Glibc) => {
        concat!($($before,)? "consider reclaim, MALLOC_ARENA_MAX, or jemalloc")
    };
    ($($before:literal)? Jemalloc) => {
        concat!($($before,)? "consider reclaim, or a shorter dirty_decay_ms")
    };
    ($($before:literal)? Mimalloc) => {
        concat!($($before,)? "consider reclaim, or a shorter MIMALLOC_PURGE_DELAY")
    };
    ($($before:literal)? Unknown) => {
        concat!($($before,)? "consider reclaim")
    };
}
pub(crate) use remedy;

impl Allocator {
    /// What to do about pages that it keeps.
    #[cfg(feature = "dashboard")]
    pub(crate) const fn next_step(self) -> &'static str {
        match self {
            Self::Glibc => remedy!(Glibc),
            Self::Jemalloc => remedy!(Jemalloc),
            Self::Mimalloc => remedy!(Mimalloc),
            Self::Unknown => remedy!(Unknown),
        }
    }

    #[cfg(feature = "dashboard")]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Jemalloc => "jemalloc",
            Self::Mimalloc => "mimalloc",
            Self::Unknown => "unknown",
        }
    }

    /// Determined once, by an allocation.
    pub(crate) fn in_use() -> Self {
        static IN_USE: OnceLock<Allocator> = OnceLock::new();
        *IN_USE.get_or_init(|| match () {
            () if jemalloc::serves_rust() => Self::Jemalloc,
            () if mimalloc::is_there() => Self::Mimalloc,
            () if cfg!(all(target_os = "linux", target_env = "gnu")) => Self::Glibc,
            () => Self::Unknown,
        })
    }
}

/// Tells every allocator found to give back freed pages.
pub(super) fn give_back() -> Found {
    Found {
        // Before glibc, which may have to give back whatever the others free.
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
        ffi::{CStr, c_char, c_int, c_void},
        hint::black_box,
        mem, ptr,
    };

    // The name in Rust's bindings, and jemalloc's own.
    address!(prefixed, "_rjem_mallctl");
    address!(unprefixed, "mallctl");

    type Mallctl =
        unsafe extern "C" fn(*const c_char, *mut c_void, *mut usize, *mut c_void, usize) -> c_int;

    fn mallctl() -> Option<Mallctl> {
        let mallctl = prefixed().or_else(unprefixed)?;
        // SAFETY: jemalloc documents the function of this name to have this type.
        Some(unsafe { mem::transmute::<*const c_void, Mallctl>(mallctl) })
    }

    /// Whether it counts Rust's allocations: it may be linked but unused.
    pub(super) fn serves_rust() -> bool {
        let Some(mallctl) = mallctl() else {
            return false;
        };
        let allocated = || read(mallctl, c"thread.allocated");
        let before = allocated();
        let block = black_box(Box::new([0_u64; 8]));
        let after = allocated();
        drop(block);
        before != after
    }

    fn read(mallctl: Mallctl, name: &CStr) -> Option<u64> {
        let (mut value, mut size) = (0_u64, mem::size_of::<u64>());
        // SAFETY: the values of this name are `uint64_t`, and the size says so. An unknown name is an
        // error code.
        let error = unsafe {
            mallctl(
                name.as_ptr(),
                ptr::from_mut(&mut value).cast(),
                &raw mut size,
                ptr::null_mut(),
                0,
            )
        };
        (error == 0).then_some(value)
    }

    pub(super) fn give_back() -> bool {
        let Some(mallctl) = mallctl() else {
            return false;
        };
        // 4096 is `MALLCTL_ARENAS_ALL`.
        for name in [c"thread.tcache.flush", c"arena.4096.purge"] {
            // SAFETY: both take and return nothing. An unknown name is an error code.
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

/// Defines a function that returns the address of another, which may be linked into this program or
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

/// The address set by the linker, or `None` if there is none.
///
/// Goes through a weak alias, which leaves the symbol itself as others need it: `.weak` would also make
/// their references to it weak if they are compiled into the same object.
macro_rules! linked {
    ($name:literal) => {{
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        ))]
        {
            let address: *const std::ffi::c_void;
            // SAFETY: loads one entry of the global offset table and touches nothing else. The entry of
            // a symbol that is only referenced weakly and defined nowhere is null.
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

/// The dynamic linker's address for the name, if the allocator was preloaded.
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
