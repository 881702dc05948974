//! `/api/systems/{id}/footprint`: what a system's objects emit.

use super::answer::{Format, check_length, csv, json};
use super::query::Query;
use super::tables::{objects_csv, series_csv};
use crate::{problem::Problem, systems::Systems};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use efootprint::footprint::{
    Category, Footprint, ObjectFootprint, OverTime, Phase, Remark, Step, written,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Write, sync::Arc};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FootprintQuery {
    step: Option<Step>,
    #[serde(default)]
    format: Format,
}

/// A footprint as a client sees it. All masses are in kilograms of CO2 equivalents.
#[derive(Serialize)]
struct FootprintView<'f> {
    unit: &'static str,
    total: f64,
    /// Whether it is that of all objects, none left out for a problem.
    complete: bool,
    start: Option<String>,
    end: Option<String>,
    categories: Vec<CategoryView>,
    phases: BTreeMap<Phase, Option<f64>>,
    objects: &'f [ObjectFootprint],
    /// What is worth knowing although no value is missing for it.
    remarks: &'f [Remark],
    over_time: OverTime,
}

#[derive(Serialize)]
struct CategoryView {
    category: Category,
    /// Absent where that of an object is missing.
    manufacturing: Option<f64>,
    r#use: Option<f64>,
}

pub(super) async fn footprint(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
    Query(query): Query<FootprintQuery>,
) -> Result<Response, Problem> {
    let system = systems.get(&id)?;
    let footprint = systems.results.footprint(&system).await?;
    if let (Some(step), Some((start, end))) = (query.step, footprint.period()) {
        check_length(step, start, end)?;
    }
    let step = query.step.unwrap_or(Step::Month);
    if !footprint.is_complete() {
        let with_partial = query.format == Format::Json;
        return Err(systems
            .results
            .answer(move || impossible(&footprint, with_partial.then_some(step)))
            .await?);
    }
    // Long series are long texts: they are written as files are.
    Ok(match (query.format, query.step) {
        (Format::Json, _) => {
            let write =
                move |out: &mut dyn Write| serde_json::to_writer(out, &view(&footprint, step));
            json(systems.downloads.body(write).await).into_response()
        }
        (Format::Csv, Some(step)) => {
            let write = move |out: &mut dyn Write| series_csv(&footprint.over_time(step), out);
            csv(systems.downloads.body(write).await, system.name())
        }
        (Format::Csv, None) => {
            let write = move |out: &mut dyn Write| objects_csv(&footprint, out);
            csv(systems.downloads.body(write).await, system.name())
        }
    })
}

fn view(footprint: &Footprint, step: Step) -> FootprintView<'_> {
    let categories = Category::ALL.map(|category| CategoryView {
        category,
        manufacturing: footprint.known(category, Phase::Manufacturing),
        r#use: footprint.known(category, Phase::Use),
    });
    let phases = Phase::ALL.map(|phase| {
        let parts = Category::ALL.map(|category| footprint.known(category, phase));
        (phase, parts.into_iter().sum())
    });
    let period = footprint.period();
    FootprintView {
        unit: "kilogram",
        total: footprint.total(),
        complete: footprint.is_complete(),
        start: period.map(|(start, _)| written(start)),
        end: period.map(|(_, end)| written(end)),
        categories: categories.into(),
        phases: phases.into(),
        objects: &footprint.objects,
        remarks: &footprint.remarks,
        over_time: footprint.over_time(step),
    }
}

/// What is in the way of a whole footprint, with what there is of it, over such steps of time.
fn impossible(footprint: &Footprint, partial: Option<Step>) -> Problem {
    let problem = match (footprint.problems.split_first(), &footprint.failure) {
        (Some((first, _)), _) => Problem::impossible(first, &footprint.problems),
        (None, Some(failure)) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, failure.clone()),
        (None, None) => return Problem::internal(),
    };
    let Some(step) = partial else {
        return problem;
    };
    match serde_json::to_value(view(footprint, step)) {
        Ok(partial) => problem.with("partial", partial),
        Err(_) => Problem::internal(),
    }
}
