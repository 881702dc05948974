//! The e-footprint system builder behind tower-memory's layer.

pub mod model;
