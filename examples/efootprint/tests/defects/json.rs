//! What is no system at all.

use crate::edit::defect_of;
use efootprint::{DefectKind, ReadError, read};
use serde_json::json;

#[test]
fn a_file_that_is_not_json_is_refused_with_line_and_column() {
    for (text, place, message) in [
        ("{\n  \"System\": {,}\n}", (2, 14), "key must be a string"),
        ("{\"a\": 1,\n\n \"b\" 2}", (3, 6), "expected `:`"),
        ("{\"System\": {}} trailing", (1, 16), "trailing characters"),
        ("{\"a\": nan}", (1, 8), "expected ident"),
    ] {
        match read(text.as_bytes()) {
            Err(ReadError::Json {
                line,
                column,
                message: said,
            }) => {
                assert_eq!(((line, column), said.as_str()), (place, message), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_is_something_else_than_json_is_called_so() {
    for (bytes, is) in [
        (&b""[..], "it is empty"),
        (b" \n\t", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"\x1f\x8b\x08\x00", "it is compressed (gzip)"),
        (b"\x28\xb5\x2f\xfd\x20", "it is compressed (zstd)"),
        (b"PK\x03\x04\x14", "it is compressed (zip)"),
        (b"\xff\xfe{\x00", "it is UTF-16 text"),
    ] {
        let error = read(bytes).unwrap_err();
        assert!(matches!(error, ReadError::Json { .. }), "{error:?}");
        let begin = format!("The file is not JSON: {is}, expected");
        assert!(error.to_string().starts_with(&begin), "{bytes:?}: {error}");
    }
}

#[test]
fn numbers_that_json_has_no_word_for_are_called_so() {
    for (text, is) in [
        ("{\"a\": NaN}", "holds `NaN`"),
        ("{\"a\": [-Infinity]}", "holds `Infinity`"),
    ] {
        match read(text.as_bytes()) {
            Err(ReadError::Invalid(defect)) => {
                let begin = format!("The file {is}, which JSON has no word for");
                assert!(defect.message.starts_with(&begin), "{text}: {defect}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn json_that_is_no_object_is_no_system() {
    for text in ["[]", "3", "null", "\"System\""] {
        let defect = defect_of(&serde_json::from_str(text).unwrap());
        assert_eq!(defect.kind, DefectKind::InvalidValue);
        assert!(
            defect.message.contains("expected an e-footprint system"),
            "{}",
            defect.message
        );
    }
}

#[test]
fn a_failing_input_is_told_from_a_bad_file() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }

    match read(Broken) {
        Err(ReadError::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_without_a_system_is_refused() {
    let defect = defect_of(&json!({"efootprint_version": "27.0.0"}));
    assert_eq!(defect.kind, DefectKind::MissingAttribute);
    assert_eq!(
        defect.message,
        "The file has no `System`, expected one or more."
    );
}
