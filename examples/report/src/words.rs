//! How figures, times and what the log says are written, for terminal and page alike.

use super::steps::HOUR;
use bytesize::ByteSize;
use jiff::Timestamp;

/// Binary units with one decimal, as in the log.
pub(crate) fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

pub(crate) fn size_or_dash(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".to_owned(), size)
}

/// What may be negative, or unknown.
pub(crate) fn net(bytes: Option<i64>) -> String {
    match bytes {
        Some(bytes @ ..0) => format!("-{}", size(bytes.unsigned_abs())),
        bytes => size_or_dash(bytes.map(i64::unsigned_abs)),
    }
}

/// With a sign in front of what is not zero.
pub(crate) fn change(bytes: Option<i64>) -> String {
    match bytes {
        Some(1..) => format!("+{}", net(bytes)),
        bytes => net(bytes),
    }
}

/// With commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// `1 line`, `2 lines`.
pub(crate) fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// To the second.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The minute since 1970.
pub(crate) fn minute(minute: i64) -> String {
    let at = Timestamp::from_second(minute.saturating_mul(60)).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A step of so many minutes: `minute`, `5 minutes`, `hour`, `2 hours`, `day`, `2 days`.
pub(crate) fn step(width: i64) -> String {
    const DAY: i64 = 24 * HOUR;
    match width {
        1 => "minute".to_owned(),
        HOUR => "hour".to_owned(),
        DAY => "day".to_owned(),
        width if width % DAY == 0 => format!("{} days", width / DAY),
        width if width % HOUR == 0 => format!("{} hours", width / HOUR),
        width => format!("{width} minutes"),
    }
}

/// So many of them: `6 minutes`, `6 steps of 5 minutes`, `6 hours`.
pub(crate) fn steps(number: usize, width: i64) -> String {
    let step = step(width);
    match step.contains(' ') {
        true => format!("{number} steps of {step}"),
        false => format!("{number} {step}s"),
    }
}

/// What is in the log may be anything: characters that a terminal obeys, or that turn the text around, are escaped.
pub(crate) fn visible(text: &str) -> String {
    let escape = |character: char| match character {
        '"' | '\'' | '\\' => character.to_string(),
        character => character.escape_debug().to_string(),
    };
    text.chars().map(escape).collect()
}
