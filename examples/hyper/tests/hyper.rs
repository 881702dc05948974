//! The example as a person starts it.

#[path = "../../../tests/support/program.rs"]
mod program;

use program::{Program, assert_says_that_its_address_is_taken};

const HYPER: &str = env!("CARGO_BIN_EXE_hello-hyper");

#[test]
fn an_upload_that_is_kept_is_reported_as_retained_by_its_template() {
    let hyper = Program::start(HYPER);
    let path = "/files/of-a-client";
    let answer = hyper.post(path, "application/octet-stream", &vec![7; 20 << 20]);
    assert!(answer.ends_with("20971520 bytes\n"), "{answer}");
    let warning = hyper.line();
    for part in [
        "WARN",
        "on POST /files/{name}: 20.0 MiB allocated by this request is still live",
        "verdict=\"retained\"",
    ] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
}

#[test]
fn an_address_that_is_taken_is_named_with_what_to_do() {
    assert_says_that_its_address_is_taken(HYPER);
}
