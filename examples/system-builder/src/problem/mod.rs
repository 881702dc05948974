//! What a client is told when its request is refused.

mod describe;

pub(crate) use self::describe::{Described, describe};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use efootprint::{Defect, Failure, ReadError};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// A refusal as a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
///
/// As a response it is only a note of what to say: [`describe`] says it, in the format the client
/// prefers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[serde(serialize_with = "status_code")]
    status: StatusCode,
    detail: String,
    /// `code`, and the place: `class`, `object`, `attribute`, or `line` and `column`.
    #[serde(flatten)]
    members: Map<String, Value>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem that says no more than its status does.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status,
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
        }
    }

    /// A problem with a type of its own, named by a code such as `unknown-unit`.
    fn coded(status: StatusCode, code: &str, detail: String) -> Self {
        let mut title = code.replace('-', " ").replace("json", "JSON");
        title[..1].make_ascii_uppercase();
        Self {
            kind: format!("tag:system-builder,2026:{code}"),
            title,
            ..Self::new(status, detail).with("code", code)
        }
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// What a system asks for and can't have: the first such thing, and all of them.
    pub(crate) fn impossible(
        first: &efootprint::Problem,
        all: &[Arc<efootprint::Problem>],
    ) -> Self {
        let members = |problem: &efootprint::Problem| match serde_json::to_value(problem) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let code = members(first)
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let mut problem = Self::coded(
            StatusCode::UNPROCESSABLE_ENTITY,
            &code,
            first.detail.clone(),
        );
        for (name, value) in members(first) {
            if name != "kind" && name != "detail" {
                problem = problem.with(&name, value);
            }
        }
        let all = all.iter().map(|problem| Value::Object(members(problem)));
        problem.with("problems", Value::Array(all.collect()))
    }

    /// Says when to ask again.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server failed at this request and keeps serving others; its log has the cause.",
        )
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::new(
                StatusCode::BAD_REQUEST,
                format!("The upload broke off: {error}."),
            ),
            ReadError::Json { column: 0, .. } => {
                Self::coded(StatusCode::BAD_REQUEST, "not-json", format!("{error}."))
            }
            ReadError::Json {
                line,
                column,
                message,
            } => Self::coded(StatusCode::BAD_REQUEST, "not-json", message)
                .with("line", line)
                .with("column", column),
            ReadError::Invalid(defect) => Self::from(*defect),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match &failure {
            Failure::Problem(problem) => Self::impossible(problem, std::slice::from_ref(problem)),
            Failure::BeyondNumbers | Failure::TooLong | Failure::TooManyWays => Self::coded(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too-large",
                failure.to_string(),
            ),
            // Only who has gone away cancels.
            Failure::Cancelled => Self::internal(),
        }
    }
}

impl From<Defect> for Problem {
    fn from(defect: Defect) -> Self {
        let code = defect.kind.code();
        let mut problem = Self::coded(StatusCode::UNPROCESSABLE_ENTITY, code, defect.message);
        for (member, value) in [
            ("class", defect.class),
            ("object", defect.object),
            ("attribute", defect.attribute),
        ] {
            if let Some(value) = value {
                problem = problem.with(member, value);
            }
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn status_code<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
