//! How the footprints of other people's servers are split.

use super::jobs::{Cell, Part};
use super::rows::Stream;
use crate::classes::{AnyApiServer, AnyJob, Phase};
use crate::engine::{At, Failure};

/// What a job causes of the footprint of other people's server.
pub(super) fn parts_of_api_server<'e>(
    server: At<'e, AnyApiServer>,
    job: At<'e, AnyJob>,
) -> Result<Vec<Part<'e, 'e>>, Failure> {
    let request = server.of_request_in_progress(job)?;
    let of = |phase, value: f64| {
        let of_cell = move |cell: &Cell<'e>| {
            let requests = cell.requests.as_ref();
            Ok(value * requests.map_or(0.0, |requests| requests.sum()))
        };
        Part::new(server.index(), Stream::Single, phase, of_cell)
    };
    Ok(vec![
        of(Phase::Manufacturing, request.embodied),
        of(Phase::Use, request.usage),
    ])
}
