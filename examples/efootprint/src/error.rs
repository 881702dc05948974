//! What can be wrong with a file, and how it is said.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// Why a file was not read.
#[derive(Debug)]
pub enum ReadError {
    /// The input failed.
    Io(io::Error),
    /// The input is not JSON, from this place on (both count from 1).
    Json {
        /// Line.
        line: usize,
        /// Column, in bytes.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// The JSON is not an e-footprint system.
    Invalid(Box<Defect>),
}

/// The first thing found that keeps a file from being a system.
#[derive(Debug, Clone, PartialEq)]
pub struct Defect {
    /// What sort of thing.
    pub kind: DefectKind,
    /// The class of the object it was found in.
    pub class: Option<String>,
    /// The id of that object.
    pub object: Option<String>,
    /// The attribute of that object.
    pub attribute: Option<String>,
    /// A full sentence with place, cause and way out.
    pub message: String,
}

/// Sorts of [`Defect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefectKind {
    /// A unit that the registry does not hold.
    UnknownUnit,
    /// A unit that measures something else than the attribute.
    WrongDimension,
    /// An attribute, or the System itself, is not there.
    MissingAttribute,
    /// A reference to an object or source that is not in the file.
    MissingReference,
    /// An id that appears twice where it may appear once.
    DuplicateReference,
    /// A reference to an object of a class that has no place there.
    WrongClass,
    /// Groups that contain one another.
    CircularReference,
    /// An object whose `id` is not its key.
    IdMismatch,
    /// A time series that does not decode.
    CorruptSeries,
    /// A text, list or series longer than any system needs.
    TooLong,
    /// Values nested deeper than any system needs.
    TooDeep,
    /// A file of an older or newer major version.
    UnsupportedVersion,
    /// A value of the wrong type, or out of range.
    InvalidValue,
}

impl DefectKind {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownUnit => "unknown-unit",
            Self::WrongDimension => "wrong-dimension",
            Self::MissingAttribute => "missing-attribute",
            Self::MissingReference => "missing-reference",
            Self::DuplicateReference => "duplicate-reference",
            Self::WrongClass => "wrong-class",
            Self::CircularReference => "circular-reference",
            Self::IdMismatch => "id-mismatch",
            Self::CorruptSeries => "corrupt-series",
            Self::TooLong => "too-long",
            Self::TooDeep => "too-deep",
            Self::UnsupportedVersion => "unsupported-version",
            Self::InvalidValue => "invalid-value",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "The file could not be read: {error}"),
            // It is something else from its first byte on.
            Self::Json {
                column: 0, message, ..
            } => write!(f, "The file is not JSON: {message}"),
            Self::Json {
                line,
                column,
                message,
            } => {
                write!(
                    f,
                    "Line {line}, column {column}: the file is not JSON: {message}"
                )
            }
            Self::Invalid(defect) => defect.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Json { .. } => None,
            Self::Invalid(defect) => Some(&**defect),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Defect {}

/// A defect that does not know its place yet.
///
/// The text continues ``Server `s`: attribute `power` ``: it starts with a verb.
#[derive(Debug)]
pub struct Fault {
    pub(crate) kind: DefectKind,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(kind: DefectKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::new(DefectKind::InvalidValue, text)
    }
}

/// Where in a file something is: class, object, attribute, as far as known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Location {
    pub(crate) class: Option<&'static str>,
    pub(crate) object: Option<String>,
    pub(crate) attribute: Option<&'static str>,
}

impl Location {
    pub(crate) fn defect(&self, fault: Fault) -> Box<Defect> {
        Box::new(Defect {
            kind: fault.kind,
            class: self.class.map(str::to_owned),
            object: self.object.clone(),
            attribute: self.attribute.map(str::to_owned),
            message: format!(
                "{self} {}{}",
                fault.text,
                if fault.text.ends_with('?') { "" } else { "." }
            ),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.class, &self.object, self.attribute) {
            (Some(class), Some(object), Some(attribute)) => {
                write!(f, "{class} {}: attribute `{attribute}`", quoted(object))
            }
            (Some(class), Some(object), None) => write!(f, "{class} {}", quoted(object)),
            (Some(class), None, _) => write!(f, "Class `{class}`"),
            _ => f.write_str("The file"),
        }
    }
}

/// Text of the file, made fit for a sentence: in backquotes, control characters escaped, cut where
/// it gets long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;

    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", printable(&text[..end])),
        None => format!("`{}`", printable(text)),
    }
}

/// A name, made fit for a sentence.
pub(crate) use self::printable as shown;

/// Text that no terminal takes for more than text: characters that move the cursor, change colours
/// or turn the direction of writing are escaped.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            )
    };
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::new();
    for character in text.chars() {
        match character {
            // A joiner of emoji or of letters.
            '\u{200c}' | '\u{200d}' => printable.push(character),
            hidden if is_hidden(hidden) => printable.extend(hidden.escape_default()),
            other => printable.push(other),
        }
    }
    Cow::Owned(printable)
}

/// The beginning and the end of a message that may repeat text of the file.
pub(crate) fn excerpt(message: &str) -> String {
    const KEPT: usize = 150;

    let length = message.chars().count();
    if length <= 2 * KEPT {
        return message.to_owned();
    }
    let end = message.chars().skip(length - KEPT);
    message.chars().take(KEPT).chain(['…']).chain(end).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_short_and_printable() {
        assert_eq!(quoted("kg"), "`kg`");
        assert_eq!(quoted("a\nb\u{1b}"), r"`a\nb\u{1b}`");
        assert_eq!(quoted(&"x".repeat(1000)), format!("`{}…`", "x".repeat(80)));
    }
}
