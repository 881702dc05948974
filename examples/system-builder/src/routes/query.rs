//! Query parameters, with a sentence for each that can't be read.

use crate::problem::Problem;
use axum::{
    extract::{FromRequestParts, Query as AnyQuery},
    http::{StatusCode, Uri, request::Parts},
};
use serde::de::DeserializeOwned;

/// The parameters of a query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        read(query).map(Self).map_err(|whole| {
            // Each by itself: the first that is wrong hides the others.
            let each = query.split('&').filter(|pair| !pair.is_empty());
            let each = each.filter_map(|pair| read::<T>(pair).err());
            let mut wrong: Vec<_> = each.filter(|error| !is_missing(error)).collect();
            if wrong.is_empty() {
                wrong.push(whole);
            }
            let sentences: Vec<_> = wrong.into_iter().map(sentence).collect();
            Problem::new(StatusCode::BAD_REQUEST, sentences.join(" "))
        })
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, String> {
    // axum reads parameters from an address only.
    let uri = Uri::builder().path_and_query(format!("/?{query}")).build();
    let uri = uri.map_err(|error| error.to_string())?;
    let read = AnyQuery::<T>::try_from_uri(&uri);
    read.map(|AnyQuery(read)| read)
        .map_err(|error| error.body_text())
}

fn is_missing(error: &str) -> bool {
    error.contains("missing field")
}

/// `step: unknown variant` and so on, as a sentence.
fn sentence(error: String) -> String {
    let error = error
        .rsplit_once("query string: ")
        .map_or(&*error, |(_, what)| what);
    match error.split_once(": ") {
        Some((name, what)) => format!("Query parameter `{name}`: {what}."),
        None => format!("Query: {error}."),
    }
}
