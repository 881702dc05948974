//! Series on the wire: little-endian `f32`, in one zstd frame, in base64.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{DefectKind, Fault};
use crate::hours::LONGEST_SERIES;

/// The fault of a series that is too long; `subject` is a verb.
pub(super) fn too_long(verb: &str) -> Fault {
    Fault::new(
        DefectKind::TooLong,
        format!("{verb} {LONGEST_SERIES} hours (200 years), shorten it"),
    )
}

fn corrupt(what: &str) -> Fault {
    Fault::new(
        DefectKind::CorruptSeries,
        format!("has corrupt `compressed_values`: {what}"),
    )
}

/// The values of `compressed_values`. Allocates no more than the frame declares, and that only
/// within bounds.
pub(super) fn decompress(base64: &str) -> Result<Box<[f32]>, Fault> {
    let frame = STANDARD
        .decode(base64)
        .map_err(|error| corrupt(&format!("not base64 ({error})")))?;
    let declared = match zstd::zstd_safe::get_frame_content_size(&frame) {
        Ok(Some(declared)) => declared,
        Ok(None) => return Err(corrupt("the zstd frame does not declare its content size")),
        Err(_) => return Err(corrupt("not a zstd frame")),
    };
    if declared > (LONGEST_SERIES * size_of::<f32>()) as u64 {
        return Err(too_long("declares more than"));
    }
    let declared = declared as usize;
    if !declared.is_multiple_of(size_of::<f32>()) {
        return Err(corrupt(&format!(
            "{declared} bytes are no whole number of 32-bit values"
        )));
    }
    if zstd::zstd_safe::find_frame_compressed_size(&frame).ok() != Some(frame.len()) {
        return Err(corrupt("not exactly one complete zstd frame"));
    }
    let bytes =
        zstd::bulk::decompress(&frame, declared).map_err(|error| corrupt(&error.to_string()))?;
    if bytes.len() != declared {
        return Err(corrupt("the zstd frame holds less than it declares"));
    }
    let (values, _) = bytes.as_chunks();
    Ok(values
        .iter()
        .map(|&value| f32::from_le_bytes(value))
        .collect())
}

/// The `compressed_values` of a series.
pub(crate) fn compress(values: &[f32]) -> io::Result<String> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    // Level 0 is the library's default, and a frame made at once declares its content size.
    Ok(STANDARD.encode(zstd::bulk::compress(&bytes, 0)?))
}

/// Refuses infinity and NaN, which would spread to every total.
pub(super) fn finite(values: &[f32]) -> Result<(), Fault> {
    // Several at once: looking for the first takes one after the other.
    if values
        .iter()
        .fold(true, |all, value| all & value.is_finite())
    {
        return Ok(());
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(hour) => Err(Fault::invalid(format!(
            "is {} in hour {hour}, expected a finite number",
            values[hour]
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(frame: &[u8]) -> Fault {
        decompress(&STANDARD.encode(frame)).unwrap_err()
    }

    #[test]
    fn a_frame_written_elsewhere_is_read() {
        let values = decompress("KLUv/SAYwQAAAACAPwAAAEAAAEBAAACAQAAAoEAAAMBA").unwrap();
        assert_eq!(*values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn three_years_of_equal_values_take_a_line() {
        assert!(compress(&[1.0; 26_280]).unwrap().len() < 64);
    }

    #[test]
    fn a_declared_size_out_of_reason_is_refused_before_decoding() {
        let gigabytes = [
            &[0x28, 0xb5, 0x2f, 0xfd, 0xe0][..],
            &(1u64 << 40).to_le_bytes(),
        ]
        .concat();
        assert_eq!(refusal(&gigabytes).kind, DefectKind::TooLong);
    }

    #[test]
    fn a_frame_that_is_not_what_it_declares_is_refused() {
        let whole = STANDARD
            .decode(compress(&[1.0, 2.0, 3.5]).unwrap())
            .unwrap();
        let mut understated = whole.clone();
        understated[5] = 8;
        let mut overstated = whole.clone();
        overstated[5] = 16;
        let odd = zstd::bulk::compress(&[1, 2, 3, 4, 5], 0).unwrap();
        let sizeless = zstd::stream::encode_all(&[0; 8][..], 0).unwrap();
        let twice = [&whole[..], &whole].concat();
        let cut = whole[..whole.len() - 1].to_vec();
        for frame in [
            understated,
            overstated,
            odd,
            sizeless,
            twice,
            cut,
            b"no zstd".to_vec(),
            vec![],
        ] {
            assert_eq!(
                refusal(&frame).kind,
                DefectKind::CorruptSeries,
                "{frame:x?}"
            );
        }
        assert_eq!(
            decompress("KLUv/").unwrap_err().kind,
            DefectKind::CorruptSeries
        );
    }

    proptest! {
        #[test]
        fn series_survive_compression(values in prop::collection::vec(prop::num::f32::NORMAL, 0..500)) {
            prop_assert_eq!(&*decompress(&compress(&values).unwrap()).unwrap(), &values[..]);
        }

        #[test]
        fn any_bytes_decode_or_are_refused(mut frame in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decompress(&STANDARD.encode(&frame));
            frame.splice(0..0, [0x28, 0xb5, 0x2f, 0xfd]);
            let _ = decompress(&STANDARD.encode(&frame));
        }
    }
}
