//! A program that serves and logs, as a user starts it.

#![allow(dead_code, unreachable_pub)] // Each file is a crate of its own and uses its part.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// Fails a test that hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// On a free port, killed when it is dropped.
pub struct Program {
    child: Child,
    output: Receiver<String>,
    pub address: String,
}

impl Program {
    /// Its first line names the address.
    pub fn start(path: &str) -> Self {
        let mut command = Command::new(path);
        // It has colours, too, when it is built together with a package that enables them.
        command
            .args(["--listen", "127.0.0.1:0"])
            .env("NO_COLOR", "1");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (sender, output) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut program = Self {
            child,
            output,
            address: String::new(),
        };
        let first = program.line();
        let (_, address) = first.split_once("http://").expect("an address");
        let (address, _) = address.split_once('/').unwrap_or((address, ""));
        program.address = address.to_owned();
        program
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its next line of output.
    pub fn line(&self) -> String {
        let line = self.output.recv_timeout(DEADLINE);
        line.expect("it goes on, and prints in time")
    }

    /// The response to a request over HTTP/1.1, with its head.
    pub fn post(&self, path: &str, kind: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it accepts");
        stream.set_read_timeout(Some(DEADLINE)).expect("not zero");
        let size = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: {kind}\r\ncontent-length: {size}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        stream.write_all(body).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text, in time");
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// If its address is taken, a program exits with code 1, and prints the address and what to do.
pub fn assert_says_that_its_address_is_taken(path: &str) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = socket.local_addr().expect("bound").to_string();
    let mut command = Command::new(path);
    let output = command.args(["--listen", &taken]).output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&taken), "{said}");
    assert!(said.contains("--listen 127.0.0.1:0"), "{said}");
}
