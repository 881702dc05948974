//! What is said of files that are wrong: every rule with its sentence.

#![allow(clippy::unwrap_used)]

mod attributes;
mod edge;
mod edit;
mod file;
mod json;
mod limits;
mod references;
mod values;
