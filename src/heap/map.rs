//! Tags of large blocks, by their address.
//!
//! A two-level table with a tag for each KiB of address space. No two blocks of a KiB or more start in the
//! same one, so there is nothing to search, to delete, or to fill up. An entry is written whenever a block
//! starts there, and read by whoever frees that block.
#![allow(unsafe_code)]

use super::tag::Tag;
use std::{
    ptr,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering},
};

/// Blocks of at least this size have their tags here.
pub(super) const SMALLEST: usize = 1 << GRANULE;

const GRANULE: u32 = 10;

/// Tags in one leaf: those of a GiB of addresses, 4 MiB, of which only the used part becomes resident.
const LEAF: usize = 1 << 20;

/// Leaves for addresses of 48 bits. A block beyond them is nobody's.
const LEAVES: usize = 1 << 18;

static ROOT: [AtomicPtr<AtomicU32>; LEAVES] = [const { AtomicPtr::new(ptr::null_mut()) }; LEAVES];

/// Sets the owner of the block at `address`.
#[inline]
pub(super) fn put(address: usize, tag: Tag) {
    if let Some(entry) = entry(address) {
        // Whoever frees the block got it from us in some way, which orders this store before its load.
        entry.store(tag.bits(), Ordering::Relaxed);
    } else if tag != Tag::NOBODY {
        put_into_new_leaf(address, tag);
    }
}

/// The owner of the block at `address`.
#[inline]
pub(super) fn get(address: usize) -> Tag {
    let bits = entry(address).map_or(0, |entry| entry.load(Ordering::Relaxed));
    Tag::from_bits(bits)
}

#[inline]
fn entry(address: usize) -> Option<&'static AtomicU32> {
    let granule = address >> GRANULE;
    let leaf = ROOT.get(granule / LEAF)?.load(Ordering::Acquire);
    if leaf.is_null() {
        return None;
    }
    // SAFETY: a published leaf has `LEAF` tags and is never removed.
    Some(unsafe { &*leaf.add(granule % LEAF) })
}

#[cold]
#[inline(never)]
fn put_into_new_leaf(address: usize, tag: Tag) {
    let Some(root) = ROOT.get((address >> GRANULE) / LEAF) else {
        return;
    };
    let new: *mut AtomicU32 = pages::map(LEAF * size_of::<AtomicU32>()).cast();
    if new.is_null() {
        return;
    }
    let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
    if root
        .compare_exchange(ptr::null_mut(), new, success, failure)
        .is_err()
    {
        // SAFETY: another thread published its leaf first, so nobody has seen this one.
        unsafe { pages::unmap(new.cast(), LEAF * size_of::<AtomicU32>()) };
    }
    if let Some(entry) = entry(address) {
        entry.store(tag.bits(), Ordering::Relaxed);
    }
}

/// Asks the kernel, where possible, to back `table` with small pages: only a few of each table's are ever
/// used, and a 2 MiB page would be resident as a whole.
pub(super) fn want_small_pages<T>(table: &'static [T]) {
    pages::keep_small(ptr::from_ref(table).cast_mut().cast(), size_of_val(table));
}

/// Does the same for the root.
pub(super) fn want_small_root() {
    want_small_pages(&ROOT);
}

/// Zeroed pages from the kernel itself, because an allocator can't call an allocator. Raw system calls,
/// because those of the C library write `errno`, which must not change.
#[cfg(target_os = "linux")]
mod pages {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
    use std::{ffi::c_void, ptr};

    /// Null if there are none.
    pub(super) fn map(bytes: usize) -> *mut c_void {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping, wherever the kernel has room for it.
        let pages = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
            )
        };
        let pages = pages.unwrap_or(ptr::null_mut());
        if !pages.is_null() {
            keep_small(pages, bytes);
        }
        pages
    }

    /// # Safety
    ///
    /// `pages` came from [`map`] with this size, and nobody uses them any more.
    pub(super) unsafe fn unmap(pages: *mut c_void, bytes: usize) {
        // SAFETY: promised by the caller. If it fails, only address space is lost.
        let _ = unsafe { munmap(pages, bytes) };
    }

    pub(super) fn keep_small(start: *mut c_void, bytes: usize) {
        let page = rustix::param::page_size();
        let skipped = start.addr().next_multiple_of(page) - start.addr();
        let whole = bytes.saturating_sub(skipped) / page * page;
        if whole > 0 {
            // SAFETY: within the table, on page boundaries, and without changing its content. A kernel
            // without huge pages refuses, and then there is nothing to prevent.
            let _ = unsafe { madvise(start.byte_add(skipped), whole, Advice::LinuxNoHugepage) };
        }
    }
}

/// The system's allocator, which is separate from ours and never calls it.
#[cfg(not(target_os = "linux"))]
mod pages {
    use std::{
        alloc::{GlobalAlloc, Layout, System},
        ffi::c_void,
        ptr,
        sync::atomic::AtomicU32,
    };

    fn layout(bytes: usize) -> Option<Layout> {
        Layout::from_size_align(bytes, align_of::<AtomicU32>()).ok()
    }

    /// Null if there are none.
    pub(super) fn map(bytes: usize) -> *mut c_void {
        match layout(bytes) {
            // SAFETY: the layout has a size.
            Some(layout) => unsafe { System.alloc_zeroed(layout) }.cast(),
            None => ptr::null_mut(),
        }
    }

    /// # Safety
    ///
    /// `pages` came from [`map`] with this size, and nobody uses them any more.
    pub(super) unsafe fn unmap(pages: *mut c_void, bytes: usize) {
        if let Some(layout) = layout(bytes) {
            // SAFETY: promised by the caller.
            unsafe { System.dealloc(pages.cast(), layout) };
        }
    }

    pub(super) fn keep_small(_: *mut c_void, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::tag::RouteNumber;

    fn tag(route: u16) -> Tag {
        Tag::new(RouteNumber(route), 1, 2)
    }

    // Addresses that no allocator of this process uses, because the map is shared.
    const BASE: usize = 0x1000_0000_0000;

    #[test]
    fn what_was_put_last_at_an_address_is_there() {
        assert_eq!(get(BASE), Tag::NOBODY);
        put(BASE, tag(7));
        put(BASE + SMALLEST, tag(8));
        assert_eq!([get(BASE), get(BASE + SMALLEST)], [tag(7), tag(8)]);
        put(BASE, Tag::NOBODY);
        assert_eq!(get(BASE), Tag::NOBODY);
    }

    #[test]
    fn addresses_beyond_the_map_are_nobodys() {
        for address in [usize::MAX, 1 << 48] {
            put(address, tag(9));
            assert_eq!(get(address), Tag::NOBODY);
        }
    }

    #[test]
    fn threads_that_need_the_same_new_leaf_share_it() {
        let base = BASE + (5 << 30);
        std::thread::scope(|scope| {
            for n in 0..8_u16 {
                scope.spawn(move || put(base + usize::from(n) * SMALLEST, tag(n)));
            }
        });
        for n in 0..8_u16 {
            assert_eq!(get(base + usize::from(n) * SMALLEST), tag(n));
        }
    }
}
