//! `/api/systems/{id}/sankey`: the attribution of a system's footprint.

use super::answer::json;
use super::query::Query;
use crate::{peer::Peer, problem::Problem, systems::Systems};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use efootprint::diagram::{Category, Column, Options, Phase, sankey};
use serde::Deserialize;
use std::{io::Write, sync::Arc};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SankeyQuery {
    /// Columns, with commas between them.
    #[serde(default)]
    skip: String,
    /// Categories, with commas between them.
    #[serde(default)]
    exclude: String,
    phase: Option<Phase>,
    threshold: Option<f64>,
}

pub(super) async fn diagram(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
    Query(query): Query<SankeyQuery>,
    peer: Peer,
) -> Result<Response, Problem> {
    let system = systems.get(&id)?;
    let options = query.options()?;
    let attribution = systems.results.attribution(&system).await?;
    // There may be a quarter of a million ways to follow.
    let write = move |out: &mut dyn Write| {
        serde_json::to_writer(out, &sankey(&system, &attribution, &options))
    };
    Ok(json(systems.downloads.body(peer, write).await?).into_response())
}

impl SankeyQuery {
    fn options(self) -> Result<Options, Problem> {
        fn list<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<Vec<T>, Problem> {
            let words = text.split(',').filter(|word| !word.is_empty());
            let parsed = words.map(|word| {
                serde_json::from_value(word.into()).map_err(|error| {
                    Problem::new(StatusCode::BAD_REQUEST, format!("`{name}`: {error}."))
                })
            });
            parsed.collect()
        }
        let threshold = self.threshold.unwrap_or(Options::default().threshold);
        if !(0.0..=100.0).contains(&threshold) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!("`threshold` is {threshold}, expected a percentage from 0 to 100."),
            ));
        }
        Ok(Options {
            skip: list::<Column>("skip", &self.skip)?,
            exclude: list::<Category>("exclude", &self.exclude)?,
            phase: self.phase,
            threshold,
        })
    }
}
