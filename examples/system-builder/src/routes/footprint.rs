//! `/api/systems/{id}/footprint`: what a system's objects emit.

use super::{
    answer::{Format, check_length, csv, json, usual_step},
    query::Query,
    tables::{objects_csv, series_csv},
};
use crate::{
    budget::Share,
    peer::Peer,
    problem::{Described, Problem},
    systems::Systems,
};
use axum::{
    extract::{OriginalUri, Path, State},
    http::{HeaderValue, StatusCode, header},
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
    /// Absent where nothing of it is known.
    total: Option<f64>,
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
    OriginalUri(uri): OriginalUri,
    peer: Peer,
) -> Result<Response, Problem> {
    let system = systems.get(&id)?;
    let footprint = systems.results.footprint(&system).await?;
    if let (Some(step), Some((start, end))) = (query.step, footprint.period()) {
        check_length(step, start, end)?;
    }
    let step = query.step.unwrap_or_else(|| usual_step(footprint.period()));
    // Long series are long texts: they are written as files are.
    let share = room_for(&systems, &footprint, step)?;
    if !footprint.is_complete() {
        let problem = impossible(&footprint);
        if query.format == Format::Csv {
            return Err(problem);
        }
        let described = problem.clone().with("instance", uri.path());
        let write = move |out: &mut dyn Write| {
            let _share = share;
            let partial = view(&footprint, step);
            serde_json::to_writer(out, &WithPartial { described, partial })
        };
        let body = systems.downloads.body(peer, write).await?;
        let mut response = problem.into_response();
        response.extensions_mut().insert(Described);
        let content_type = HeaderValue::from_static("application/problem+json");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        *response.body_mut() = body;
        return Ok(response);
    }
    Ok(match (query.format, query.step) {
        (Format::Json, _) => {
            let write = move |out: &mut dyn Write| {
                let _share = share;
                serde_json::to_writer(out, &view(&footprint, step))
            };
            json(systems.downloads.body(peer, write).await?).into_response()
        }
        (Format::Csv, Some(step)) => {
            let write = move |out: &mut dyn Write| {
                let _share = share;
                series_csv(&footprint.over_time(step), out)
            };
            csv(systems.downloads.body(peer, write).await?, system.name())
        }
        (Format::Csv, None) => {
            let write = move |out: &mut dyn Write| objects_csv(&footprint, out);
            csv(systems.downloads.body(peer, write).await?, system.name())
        }
    })
}

/// Room for the series while they are written: a number for each step and series, and its beginning.
fn room_for(systems: &Systems, footprint: &Footprint, step: Step) -> Result<Arc<Share>, Problem> {
    let share = systems.budget.share();
    let steps = footprint.period().map_or(0, |(start, end)| {
        let hours = end.duration_since(start).as_hours();
        let hours = usize::try_from(hours).unwrap_or(0);
        hours / hours_of(step) + 2
    });
    let series = Category::ALL.len() * Phase::ALL.len();
    if share.take(steps * (8 * series + BEGINNING)) {
        return Ok(share);
    }
    Err(share
        .refusal("The footprint over time")
        .unwrap_or_else(Problem::internal))
}

/// What the beginning of a step takes, as a time and as a text.
const BEGINNING: usize = 80;

fn hours_of(step: Step) -> usize {
    match step {
        Step::Hour => 1,
        Step::Day => 24,
        Step::Month => 28 * 24,
        Step::Year => 365 * 24,
    }
}

/// The document of a problem with what can be computed all the same.
#[derive(Serialize)]
struct WithPartial<'f> {
    #[serde(flatten)]
    described: Problem,
    partial: FootprintView<'f>,
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
        total: footprint.known_total(),
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

/// What is in the way of a whole footprint.
fn impossible(footprint: &Footprint) -> Problem {
    match (footprint.problems.split_first(), &footprint.failure) {
        (Some((first, _)), _) => Problem::impossible(first, &footprint.problems),
        (None, Some(failure)) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, failure.clone()),
        (None, None) => Problem::internal(),
    }
}
