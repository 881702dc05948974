//! Freed pages come back from glibc, Rust's default allocator.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

#[path = "support/burst.rs"]
mod burst;

#[test]
fn the_resident_set_falls_back_after_a_burst_and_only_who_is_there_is_asked() {
    let said = burst::is_given_back().to_string();
    assert!(said.contains("glibc"), "{said}");
    // It is there where a feature of this crate links it.
    assert_eq!(
        said.contains("jemalloc"),
        cfg!(feature = "jemalloc"),
        "{said}"
    );
    assert!(!said.contains("mimalloc"), "{said}");
}
