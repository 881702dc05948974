//! How answers are written.

use crate::{budget::Share, problem::Problem, stream::Spool};
use axum::{
    body::Body,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytesize::ByteSize;
use efootprint::footprint::Step;
use jiff::civil::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::sync::Arc;

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    #[default]
    Json,
    Csv,
}

pub(super) fn json(body: Body) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body)
}

/// Offers the response as a file named after the system
/// ([RFC 6266](https://www.rfc-editor.org/rfc/rfc6266)).
pub(super) fn attachment(name: &str, extension: &str) -> [(HeaderName, String); 1] {
    // File systems take about this much.
    let name: String = name.chars().take(80).collect();
    let plain = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let exact = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    let value = format!(
        "attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{exact}.{extension}"
    );
    [(header::CONTENT_DISPOSITION, value)]
}

pub(super) fn csv(body: Body, name: &str) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    (attachment(name, "csv"), content_type, body).into_response()
}

/// Most steps of time in an answer: eleven years by the hour, 270 by the day.
const MOST_STEPS: i64 = 100_000;

/// Refuses an answer that few programs would like to read.
pub(super) fn check_length(step: Step, start: DateTime, end: DateTime) -> Result<(), Problem> {
    if fits(step, start, end) {
        return Ok(());
    }
    let (steps, instead) = match step {
        Step::Hour => ("hours", "day"),
        Step::Day => ("days", "month"),
        Step::Month | Step::Year => ("months", "year"),
    };
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("The series has more than {MOST_STEPS} {steps}: ask for `step={instead}`."),
    ))
}

/// Months, or years where that would be too many.
pub(super) fn usual_step(period: Option<(DateTime, DateTime)>) -> Step {
    match period {
        Some((start, end)) if !fits(Step::Month, start, end) => Step::Year,
        _ => Step::Month,
    }
}

fn fits(step: Step, start: DateTime, end: DateTime) -> bool {
    let hours = end.duration_since(start).as_hours();
    let longest = match step {
        Step::Hour => MOST_STEPS,
        Step::Day => 24 * MOST_STEPS,
        Step::Month => 28 * 24 * MOST_STEPS,
        // There are 9,999 years.
        Step::Year => i64::MAX,
    };
    hours <= longest
}

/// Most bytes of a text that is made as a whole. It is held until it is sent: a client that reads
/// slowly must not hold a turn to compute.
const MOST_TEXT: usize = 64 << 20;

/// An empty text, which counts against the share.
pub(super) fn text(share: Arc<Share>) -> Spool {
    Spool::new(share, MOST_TEXT)
}

/// Why a text could not be made whole.
pub(super) fn too_long(share: &Share, subject: &str, way_out: &str) -> Problem {
    share.refusal(subject).unwrap_or_else(|| {
        let most = ByteSize(MOST_TEXT as u64);
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{subject} takes more than {most}: {way_out}."),
        )
    })
}

/// A text that was made as a whole, of the length that it has.
pub(super) fn json_text(text: Spool) -> impl IntoResponse {
    let length = [(header::CONTENT_LENGTH, text.length().to_string())];
    (length, json(text.into_body()))
}
