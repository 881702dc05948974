/// The target of every event of this crate.
pub(crate) const TARGET: &str = "tower_memory";
