//! The example as a person starts it.

#[path = "../src/codec.rs"]
mod codec;
#[path = "../../../tests/support/program.rs"]
mod program;

use codec::Plain;
use program::{Program, assert_says_that_its_address_is_taken};
use tonic::{Request, client::Grpc, transport::Endpoint};

const TONIC: &str = env!("CARGO_BIN_EXE_hello-tonic");

#[tokio::test]
async fn a_message_that_is_kept_is_reported_as_retained_by_its_method() {
    let tonic = Program::start(TONIC);
    let endpoint = Endpoint::from_shared(format!("http://{}", tonic.address));
    let channel = endpoint.expect("an address").connect().await;
    let mut grpc = Grpc::new(channel.expect("it serves"));
    grpc.ready().await.expect("a connection");
    let message = Request::new(vec![7; 20 << 20]);
    let path = "/notes.v1.Notes/Keep".parse().expect("a path");
    let answer = grpc.unary(message, path, Plain).await.expect("an answer");
    assert_eq!(answer.into_inner(), b"1");
    let warning = tonic.line();
    for part in [
        "WARN",
        "on POST /notes.v1.Notes/Keep: 20.0 MiB allocated by this request is still live",
        "rpc.grpc.status_code=0",
        "verdict=\"retained\"",
    ] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
}

#[test]
fn an_address_that_is_taken_is_named_with_what_to_do() {
    assert_says_that_its_address_is_taken(TONIC);
}
