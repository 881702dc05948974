//! `/api/systems/{id}/objects/{object_id}/series`: an attribute over time.

use super::answer::{Format, check_length, csv, json};
use super::objects::place_of;
use super::query::Query;
use crate::{peer::Peer, problem::Problem, systems::Systems};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use efootprint::{
    Series, Value,
    footprint::{Step, sums, written},
    units::Measure,
};
use serde::{Deserialize, Serialize};
use std::{io::Write, sync::Arc};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesQuery {
    attribute: String,
    /// The entry, of an attribute that has some.
    key: Option<String>,
    step: Option<Step>,
    #[serde(default)]
    format: Format,
}

/// A series over time: sums of what adds up, and means of what doesn't.
#[derive(Serialize)]
struct SeriesView {
    unit: &'static str,
    step: Step,
    /// Whether values are means over their step, and not sums.
    mean: bool,
    starts: Vec<String>,
    values: Vec<f64>,
}

pub(super) async fn series(
    State(systems): State<Arc<Systems>>,
    Path((id, object_id)): Path<(String, String)>,
    Query(query): Query<SeriesQuery>,
    peer: Peer,
) -> Result<Response, Problem> {
    let system = systems.get(&id)?;
    let place = place_of(&system, &id, &object_id)?;
    let step = query.step.unwrap_or(Step::Day);
    let (name, key) = (query.attribute.clone(), query.key.clone());
    let view = systems.results.compute(&system, move |engine| {
        let mut attributes = engine.attributes(place);
        let asked = attributes.find(|(attribute, _)| attribute.name == name);
        let value = asked.map(|(_, asked)| asked.compute()).transpose()?;
        let value = match (value, key) {
            (Some(Value::Entries(mut entries)), Some(key)) => entries
                .find(|(of, _)| *of == key)
                .map(|(_, value)| value)
                .transpose()?,
            (value, None) => value,
            (Some(_) | None, Some(_)) => None,
        };
        Ok(match &value {
            Some(Value::Hourly(series, unit)) => {
                let checked = check_length(step, series.start, series.end());
                Some(checked.map(|()| series_view(series, *unit, step)))
            }
            _ => None,
        })
    });
    let Some(view) = view.await?.transpose()? else {
        let SeriesQuery { attribute, .. } = query;
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "Object `{object_id}` has no series `{attribute}` of that `key`: \
                 `/api/systems/{id}/objects/{object_id}` lists its attributes."
            ),
        ));
    };
    if query.format == Format::Csv {
        let name = format!("{} {}", object_id, query.attribute);
        let write = move |out: &mut dyn Write| values_csv(&view, out);
        return Ok(csv(systems.downloads.body(peer, write).await?, &name));
    }
    let write = move |out: &mut dyn Write| serde_json::to_writer(out, &view);
    Ok(json(systems.downloads.body(peer, write).await?).into_response())
}

fn values_csv(view: &SeriesView, out: &mut dyn Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["start_utc", view.unit])?;
    for row in view.starts.iter().zip(&view.values) {
        table.serialize(row)?;
    }
    Ok(table.flush()?)
}

fn series_view(series: &Series, unit: Measure, step: Step) -> SeriesView {
    let starts = step.starts(series.start, series.end());
    let mean = !unit.adds_up();
    let mut values = sums(series, &starts);
    if mean {
        let hours = sums(&series.filled_with(1.0), &starts);
        values
            .iter_mut()
            .zip(hours)
            .for_each(|(value, hours)| *value /= hours);
    }
    SeriesView {
        unit: unit.name,
        step,
        mean,
        starts: starts.into_iter().map(written).collect(),
        values: values
            .into_iter()
            .map(|value| value * unit.factor)
            .collect(),
    }
}
