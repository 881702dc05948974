//! `/api/systems/{id}/…`: what a system's objects emit, and who causes it.

use crate::{
    problem::Problem,
    store::System,
    systems::{Systems, attachment, json},
};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use efootprint::{
    Failure, Guard, ObjectView, Series, Summary, Value,
    diagram::{Column, Options, sankey},
    footprint::{Category, Footprint, ObjectFootprint, OverTime, Phase, Step, sums, written},
    units::Measure,
    write_computed,
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
};

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FootprintQuery {
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
    phases: BTreeMap<Phase, f64>,
    objects: &'f [ObjectFootprint],
    over_time: OverTime,
}

#[derive(Serialize)]
struct CategoryView {
    category: Category,
    manufacturing: f64,
    r#use: f64,
}

pub(crate) async fn footprint(
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

/// Most steps of time in an answer: eleven years by the hour.
const MOST_STEPS: i64 = 100_000;

/// Refuses an answer that few programs would like to read.
fn check_length(step: Step, start: DateTime, end: DateTime) -> Result<(), Problem> {
    if step == Step::Hour && end.duration_since(start).as_hours() > MOST_STEPS {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("The series has more than {MOST_STEPS} hours: ask for `step=day`."),
        ));
    }
    Ok(())
}

fn view(footprint: &Footprint, step: Step) -> FootprintView<'_> {
    let categories = Category::ALL.map(|category| CategoryView {
        category,
        manufacturing: footprint.part(category, Phase::Manufacturing),
        r#use: footprint.part(category, Phase::Use),
    });
    let phases = Phase::ALL.map(|phase| {
        let parts = Category::ALL.map(|category| footprint.part(category, phase));
        (phase, parts.iter().sum())
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

fn objects_csv(footprint: &Footprint, out: &mut dyn Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let columns = [
        "id",
        "name",
        "class",
        "category",
        "manufacturing_kg",
        "use_kg",
    ];
    table.write_record(columns)?;
    for object in &footprint.objects {
        table.serialize((
            &object.id,
            &object.name,
            object.class,
            object.category,
            object.manufacturing,
            object.r#use,
        ))?;
    }
    Ok(table.flush()?)
}

fn series_csv(over_time: &OverTime, out: &mut dyn Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let columns = over_time.series.iter();
    let columns = columns.map(|column| format!("{:?} {:?} kg", column.category, column.phase));
    table.write_record(std::iter::once("start_utc".to_owned()).chain(columns))?;
    for (row, start) in over_time.starts.iter().enumerate() {
        let values = over_time
            .series
            .iter()
            .map(|column| column.values[row].to_string());
        table.write_record(std::iter::once(start.clone()).chain(values))?;
    }
    Ok(table.flush()?)
}

fn csv(body: Body, name: &str) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    (attachment(name, "csv"), content_type, body).into_response()
}

pub(crate) async fn computed(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let name = format!("{} computed", system.name());
    let text = systems.results.compute(&system, |engine| {
        let mut text = Limited(Vec::new());
        match write_computed(engine, &mut text, |_| {}) {
            Ok(()) => Ok(Some(text.0)),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(None),
            Err(_) => Err(Failure::Cancelled),
        }
    });
    let text = text.await?.ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "All computed attributes take more than 64 MiB: let `system-builder compute` print them, \
             or ask for one object after the other.",
        )
    })?;
    Ok((attachment(&name, "json"), json(Body::from(text))))
}

/// A text of 64 MiB at most. It is held until it is sent: a client that reads slowly must not
/// hold a turn to compute.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.0.len() + buffer.len() > 64 << 20 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object with what is computed of it.
#[derive(Serialize)]
struct ObjectWithComputed<'o> {
    #[serde(flatten)]
    object: ObjectView<'o>,
    computed: Vec<ComputedAttribute>,
}

#[derive(Serialize)]
struct ComputedAttribute {
    name: &'static str,
    /// The formula in words.
    formula: &'static str,
    /// The section of the specification.
    section: &'static str,
    value: Summary,
}

pub(crate) async fn object(
    State(systems): State<Arc<Systems>>,
    Path((id, object_id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let place = place_of(&system, &id, &object_id)?;
    let text = systems.results.compute(&system, move |engine| {
        let mut computed = Vec::new();
        for (attribute, asked) in engine.attributes(place) {
            if attribute.guard == Guard::Only {
                continue;
            }
            let value = match asked.compute().and_then(Summary::of) {
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => Summary::failure(failure),
                Ok(value) => value,
            };
            computed.push(ComputedAttribute {
                name: attribute.name,
                formula: attribute.formula,
                section: attribute.section,
                value,
            });
        }
        let object = engine.model().object(&object_id);
        let object = object.map(|object| ObjectWithComputed { object, computed });
        let mut text = Limited(Vec::new());
        Ok(serde_json::to_writer(&mut text, &object).map(|()| text.0))
    });
    let text = text.await?.map_err(|_| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The object's computed attributes take more than 64 MiB: let `system-builder compute` \
             print them.",
        )
    })?;
    Ok(json(Body::from(text)))
}

fn place_of(system: &System, id: &str, object_id: &str) -> Result<usize, Problem> {
    system.place(object_id).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "System `{id}` has no object `{object_id}`: \
                 `/api/systems/{id}/objects` lists those it has."
            ),
        )
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesQuery {
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

pub(crate) async fn series(
    State(systems): State<Arc<Systems>>,
    Path((id, object_id)): Path<(String, String)>,
    Query(query): Query<SeriesQuery>,
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
        return Ok(csv(systems.downloads.body(write).await, &name));
    }
    let write = move |out: &mut dyn Write| serde_json::to_writer(out, &view);
    Ok(json(systems.downloads.body(write).await).into_response())
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SankeyQuery {
    /// Columns, with commas between them.
    #[serde(default)]
    skip: String,
    /// Categories, with commas between them.
    #[serde(default)]
    exclude: String,
    phase: Option<Phase>,
    threshold: Option<f64>,
}

pub(crate) async fn diagram(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
    Query(query): Query<SankeyQuery>,
) -> Result<Response, Problem> {
    let system = systems.get(&id)?;
    let options = query.options()?;
    let attribution = systems.results.attribution(&system).await?;
    // There may be a quarter of a million ways to follow.
    let write = move |out: &mut dyn Write| {
        serde_json::to_writer(out, &sankey(&system, &attribution, &options))
    };
    Ok(json(systems.downloads.body(write).await).into_response())
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
