//! `hello` as a person starts it.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

#[path = "../../../tests/support/program.rs"]
mod program;

use program::{Program, assert_says_that_its_address_is_taken};

const HELLO: &str = env!("CARGO_BIN_EXE_hello");

/// What the README's lines make, but for the number of its objects.
fn upload(objects: usize) -> String {
    let object = |id| format!(r#"{{"id":"{id}","tags":["a","b"]}}"#);
    let objects: Vec<_> = (1..=objects).map(object).collect();
    format!("[{}]", objects.join(","))
}

#[test]
fn an_upload_that_grows_the_process_is_warned_of_and_told_from_a_leak() {
    let hello = Program::start(HELLO);
    let upload = upload(200_000);
    let answer = hello.post("/upload", "application/json", upload.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("200000 objects\n"), "{answer}");
    let warning = hello.line();
    for part in [
        "WARN",
        "tower_memory",
        "memory grew",
        "on POST /upload: ",
        "verdict=\"allocator_held\"",
        "heap.retained=0",
    ] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
}

#[test]
fn an_address_that_is_taken_is_named_with_what_to_do() {
    assert_says_that_its_address_is_taken(HELLO);
}
