//! What a value says about itself.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::parts::Parts;
use super::reading::Reading;
use super::source::SourceParts;
use crate::bytes::{block, share, text};
use crate::error::Fault;

/// Label, source, confidence and comment of a value. They change no number.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// What the value is, for people.
    pub label: Arc<str>,
    /// Where it comes from.
    pub source: Option<Source>,
    /// How sure its author is: `low`, `medium` or `high`.
    pub confidence: Option<Arc<str>>,
    /// Anything else.
    pub comment: Option<Arc<str>>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// The id of an entry of the file's `Sources`, or one of the built-in ids.
    Cited(Arc<str>),
    /// A source of this value alone.
    Inline(Box<InlineSource>),
}

/// A source that is no entry of `Sources`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InlineSource {
    /// Its id, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// An address.
    pub link: Option<Box<str>>,
}

impl Note {
    pub(super) fn from_parts(parts: &mut Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let label = parts.label.take().unwrap_or_default();
        if label.is_empty() {
            return Err(Fault::invalid(
                "has no `label`, give it a text that says what it is",
            ));
        }
        let source = match parts.source.take() {
            None => None,
            Some(SourceParts::Id(id)) => {
                let id = reading.cite(&id);
                Some(Source::Cited(id))
            }
            Some(SourceParts::Inline { name: None, .. }) => {
                return Err(Fault::invalid(
                    "has a source without `name`, give it one or name an entry of `Sources`",
                ));
            }
            Some(SourceParts::Inline {
                id,
                name: Some(name),
                link,
            }) => Some(Source::Inline(Box::new(InlineSource {
                id: id.map(Into::into),
                name: name.into(),
                link: link.map(Into::into),
            }))),
        };
        Ok(Self {
            label: reading.text(&label),
            source,
            confidence: parts.confidence.take().map(|text| reading.text(&text)),
            comment: parts.comment.take().map(|text| reading.text(&text)),
        })
    }

    /// The note of a value that the file leaves out.
    pub(super) fn of_absent() -> Self {
        Self {
            label: "no value".into(),
            source: None,
            confidence: None,
            comment: None,
        }
    }

    pub(super) fn heap(&self) -> usize {
        let source = self.source.as_ref().map_or(0, |source| match source {
            Source::Cited(id) => share(id),
            Source::Inline(source) => {
                let others = [&source.id, &source.link].into_iter().flatten();
                block(size_of::<InlineSource>())
                    + text(&source.name)
                    + others.map(|other| text(other)).sum::<usize>()
            }
        });
        let others = [&self.confidence, &self.comment].into_iter().flatten();
        share(&self.label) + source + others.map(share).sum::<usize>()
    }

    pub(super) fn write<M: SerializeMap>(&self, json: &mut M) -> Result<(), M::Error> {
        json.serialize_entry("label", &*self.label)?;
        if let Some(source) = &self.source {
            json.serialize_entry("source", source)?;
        }
        if let Some(confidence) = &self.confidence {
            json.serialize_entry("confidence", &**confidence)?;
        }
        if let Some(comment) = &self.comment {
            json.serialize_entry("comment", &**comment)?;
        }
        Ok(())
    }
}
