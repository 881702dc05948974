//! Versions of the file format.

use crate::error::{DefectKind, Fault, quoted};
use crate::objects::Change;

/// The version of the files written.
pub(crate) const WRITTEN: &str = "27.0.0";

/// The major versions read: the inputs of 25 and 26 look like those of 27, and those of 24 speak of
/// fabrication where it is manufacturing today.
const READ: std::ops::RangeInclusive<u64> = 24..=27;

const WAY_OUT: &str = "open it with the e-footprint library 27 and save it again";

/// The major version of a file that can be read.
pub(crate) fn major(version: &str) -> Result<u64, Fault> {
    let major = version
        .split_once('.')
        .filter(|(major, _)| major.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|(major, _)| major.parse().ok());
    let version = quoted(version);
    let text = match major {
        Some(major) if READ.contains(&major) => return Ok(major),
        Some(major) if major > *READ.end() => {
            format!(
                "is of version {version}, newer than the 27 expected; save it with the e-footprint library 27"
            )
        }
        Some(_) => format!("is of version {version}, older than the 27 expected; {WAY_OUT}"),
        None => format!("has `efootprint_version` {version}, expected one such as `{WRITTEN}`"),
    };
    Err(Fault::new(DefectKind::UnsupportedVersion, text))
}

/// The fault of a file of that major version with an object that a later version changed.
pub(crate) fn before(Change { version, subject }: Change, major: u64) -> Fault {
    let text = format!("is of version {major} and {subject}, which {version} changed; {WAY_OUT}");
    Fault::new(DefectKind::UnsupportedVersion, text)
}
