//! How answers are written.

use crate::problem::Problem;
use axum::{
    body::Body,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use efootprint::footprint::Step;
use jiff::civil::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::io::{self, Write};

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

/// Most steps of time in an answer: eleven years by the hour.
const MOST_STEPS: i64 = 100_000;

/// Refuses an answer that few programs would like to read.
pub(super) fn check_length(step: Step, start: DateTime, end: DateTime) -> Result<(), Problem> {
    if step == Step::Hour && end.duration_since(start).as_hours() > MOST_STEPS {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("The series has more than {MOST_STEPS} hours: ask for `step=day`."),
        ));
    }
    Ok(())
}

/// A text of 64 MiB at most. It is held until it is sent: a client that reads slowly must not
/// hold a turn to compute.
pub(super) struct Limited(pub(super) Vec<u8>);

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
