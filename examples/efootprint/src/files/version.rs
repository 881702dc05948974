//! Versions of the file format.

use serde::de::MapAccess;

use crate::error::{DefectKind, Fault, quoted};
use crate::objects::{AnyClass, ObjectReading};

/// The version of the files written.
pub(crate) const WRITTEN: &str = "27.0.0";

/// The major versions read.
const READ: std::ops::RangeInclusive<u64> = 9..=27;

/// The first version whose inputs look like those of today. Older files are converted.
pub(super) const STREAMED: u64 = 26;

/// Reads the version of a file, and so whether it can be read.
pub(super) fn read<'de, C: AnyClass, A: MapAccess<'de>>(
    json: &mut A,
    reading: &mut ObjectReading<C>,
) -> Result<Option<u64>, A::Error> {
    let version: Option<String> = json.next_value()?;
    let major = version.map(|version| major(&version)).transpose();
    major.map_err(|fault| reading.refuse(fault))
}

/// The major version of a file that can be read.
fn major(version: &str) -> Result<u64, Fault> {
    let (major, _) = version.split_once('.').unwrap_or((version, ""));
    let is_number = !major.is_empty() && major.bytes().all(|digit| digit.is_ascii_digit());
    let major = is_number.then(|| major.parse().unwrap_or(u64::MAX));
    let version = quoted(version);
    let text = match major {
        Some(major) if READ.contains(&major) => return Ok(major),
        Some(major) if major > *READ.end() => format!(
            "is of version {version}, newer than the {} expected; save it with the e-footprint \
             library {}",
            READ.end(),
            READ.end()
        ),
        Some(_) => format!(
            "is of version {version}, older than the {} that can be converted; nothing reads it \
             any more, model the system anew",
            READ.start()
        ),
        None => format!("has `efootprint_version` {version}, expected one such as `{WRITTEN}`"),
    };
    Err(Fault::new(DefectKind::UnsupportedVersion, text))
}

/// The fault of a file that doesn't say its version.
pub(super) fn missing() -> Fault {
    let text = format!(
        "has no `efootprint_version`, expected one such as `{WRITTEN}`; add that of the \
         e-footprint library that saved it"
    );
    Fault::new(DefectKind::UnsupportedVersion, text)
}
