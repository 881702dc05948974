//! What a diagram shows.

use crate::classes::{Category, Column, Phase};

/// What a diagram shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Columns that are left out; flows pass through.
    pub skip: Vec<Column>,
    /// Categories that are left out, with their flows.
    pub exclude: Vec<Category>,
    /// The one phase that is shown, if it is one.
    pub phase: Option<Phase>,
    /// Nodes below this percentage of the total are drawn as one in their column.
    pub threshold: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            skip: Vec::new(),
            exclude: Vec::new(),
            phase: None,
            threshold: 1.0,
        }
    }
}
