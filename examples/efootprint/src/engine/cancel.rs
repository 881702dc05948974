//! Stopping a computation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::Failure;

/// Stops a computation from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Makes the computation end with [`Failure::Cancelled`] at its next series.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.0.load(Relaxed) {
            return Err(Failure::Cancelled);
        }
        Ok(())
    }
}
