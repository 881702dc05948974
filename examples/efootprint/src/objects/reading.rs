//! What the reader knows while it reads objects.

use super::{AnyClass, Ids};
use crate::error::Fault;
use crate::values::{Reading, Room};

/// What is known of ids, beside what values need.
pub struct ObjectReading<C> {
    pub(crate) values: Reading,
    pub(crate) ids: Ids<C>,
}

impl<C: AnyClass> ObjectReading<C> {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            values: Reading::new(room),
            ids: Ids::default(),
        }
    }

    /// Keeps the fault, found at the present place, and returns the error that unwinds the JSON
    /// parser.
    pub(crate) fn refuse<E: serde::de::Error>(&mut self, fault: Fault) -> E {
        self.values.refuse(fault)
    }
}
