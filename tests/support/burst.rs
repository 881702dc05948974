//! A burst of small objects on two threads, and a check that its pages are reclaimed.

use std::{hint::black_box, panic, thread};
use tower_memory::{
    ReadResident,
    reclaim::{Reclaimed, reclaim},
    resident::Statm,
};

const OBJECTS: usize = 400_000;

fn resident() -> u64 {
    let resident = Statm::new().read().expect("it can be read");
    resident.total
}

/// Allocates and frees. Its return value was allocated last and pins the pages below.
#[expect(clippy::vec_box, reason = "many small objects are the point")]
fn burst() -> Vec<Box<[u8; 40]>> {
    let mut objects: Vec<_> = (0..OBJECTS).map(|n| Box::new([n as u8; 40])).collect();
    let pin = objects.split_off(OBJECTS - 1);
    drop(black_box(objects));
    pin
}

/// Bursts, reclaims, and panics unless the resident set is close to its earlier size.
pub(crate) fn is_given_back() -> Reclaimed {
    // Memory that each thread's first burst needs for good.
    drop(burst());
    reclaim();
    let before = resident();
    let other = thread::spawn(burst);
    let pins = (
        burst(),
        other.join().unwrap_or_else(|p| panic::resume_unwind(p)),
    );
    let burst = resident();
    let reclaimed = reclaim();
    let after = resident();
    drop(pins);
    let near = before / 10 + (2 << 20);
    assert!(burst > before + 4 * near, "nothing was left to give back");
    assert!(
        after <= before + near,
        "{before} before, {burst} after the burst, {after} at the end: {reclaimed}"
    );
    println!("{before} before, {burst} after the burst, {after} at the end: {reclaimed}");
    reclaimed
}
