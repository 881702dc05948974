// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]
//! What clients can make a service of 300 MiB hold.

use crate::{
    binary::{Binary, command},
    cgroup::Cgroup,
    client::{SMALL, ask, connect, get, in_time, is_open, location, post, rest},
};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;

async fn server_in(group: &Cgroup, flags: &[&str]) -> Binary {
    let mut start = command();
    start.args([
        "--listen",
        "127.0.0.1:0",
        "--store-limit",
        "96MiB",
        "--compute-at-once",
        "1",
    ]);
    start.args(flags);
    Binary::start(&mut group.around(&start)).await
}

async fn is_well(server: &Binary) {
    let answer = ask(server.address, &post(SMALL)).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

/// Some kilobytes that stand for so many series of 199 years, 7 MB each, all of one system.
fn crafted(series: usize) -> String {
    let file = include_str!("../../../efootprint/tests/systems/web-101.json");
    let mut file: Value = serde_json::from_str(file).unwrap();
    let system = &mut file["System"].as_object_mut().unwrap()["a83979cd-f7e"];
    system["usage_patterns"] = (0..series).map(|number| format!("p{number}")).collect();
    let mut pattern = file["UsagePattern"]["a06b7bc5-d5f"].take();
    pattern["hourly_occurrences"] = json!({
        "form_inputs": {
            "start_date": "2025-01-01",
            "modeling_duration_value": 199.0, "modeling_duration_unit": "year",
            "initial_volume": 1.0, "initial_volume_timespan": "month",
            "net_growth_rate_in_percentage": 1.0, "net_growth_rate_timespan": "year",
        },
        "label": "from a test",
    });
    let pattern = |number| {
        let mut pattern = pattern.clone();
        pattern["id"] = format!("p{number}").into();
        (format!("p{number}"), pattern)
    };
    file["UsagePattern"] = (0..series).map(pattern).collect::<Map<_, _>>().into();
    file.to_string()
}

fn statuses(answers: &[String]) -> Vec<&str> {
    let status = |answer: &str| answer.get(9..12).map(str::len).unwrap_or(0);
    let answers = answers.iter();
    answers
        .map(|answer| &answer[9..9 + status(answer)])
        .collect()
}

#[tokio::test]
async fn small_files_that_stand_for_much_are_refused_before_they_are_built() {
    let Some(group) = Cgroup::new() else { return };
    let server = server_in(&group, &[]).await;
    let file = post(&crafted(19));
    assert!(file.len() < 20_000, "{} bytes", file.len());
    for _ in 0..3 {
        let answers = join_all((0..3).map(|_| ask(server.address, &file))).await;
        for status in statuses(&answers) {
            assert!(["413", "503"].contains(&status), "{answers:?}");
        }
    }
    is_well(&server).await;
    println!("{} MiB at most", group.peak().unwrap());
    assert!(group.peak().unwrap() < 150, "{} MiB", group.peak().unwrap());
    server.signal("KILL").await;
    let _ = server.exit().await;

    // The limit does it.
    let group = Cgroup::new().unwrap();
    let server = server_in(&group, &["--work-limit", "8GiB"]).await;
    join_all((0..3).map(|_| ask(server.address, &file))).await;
    assert!(group.peak().unwrap() > 150, "{} MiB", group.peak().unwrap());
    server.signal("KILL").await;
    let _ = server.exit().await;
}

#[tokio::test]
async fn systems_that_fit_are_computed_in_what_there_is() {
    let Some(group) = Cgroup::new() else { return };
    let server = server_in(&group, &[]).await;
    let answer = ask(server.address, &post(&crafted(5))).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let system = location(&answer);
    let paths = ["footprint", "footprint?step=day", "sankey", "computed"];
    let asked = paths.map(|path| get(&format!("{system}/{path}")));
    for answer in join_all(asked.iter().map(|get| ask(server.address, get))).await {
        let status = &answer[9..12];
        assert!(["200", "413", "422", "503"].contains(&status), "{answer}");
    }
    is_well(&server).await;
    println!("{} MiB at most", group.peak().unwrap());
    server.signal("KILL").await;
    let _ = server.exit().await;
}

#[tokio::test]
async fn heads_of_parts_that_never_end_are_refused() {
    let Some(group) = Cgroup::new() else { return };
    let server = server_in(&group, &[]).await;
    let head = "POST /api/systems HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
        content-type: multipart/form-data; boundary=edge\r\ncontent-length: 30000000\r\n\r\n\
        --edge\r\ncontent-disposition: form-data; x=";
    let sending = async || {
        let mut stream = connect(server.address, head).await;
        let (mut reader, mut writer) = stream.split();
        let writing = async {
            let part = vec![b'x'; 1 << 16];
            // More than the server takes.
            for _ in 0..400 {
                if in_time(writer.write_all(&part)).await.is_err() {
                    return true;
                }
            }
            false
        };
        let mut answer = Vec::new();
        let reading = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer);
        let (broken, _) = in_time(async { tokio::join!(writing, reading) }).await;
        broken || answer.starts_with(b"HTTP/1.1 413 ")
    };
    for refused in join_all((0..24).map(|_| sending())).await {
        assert!(refused);
    }
    is_well(&server).await;
    println!("{} MiB at most", group.peak().unwrap());
    assert!(group.peak().unwrap() < 100, "{} MiB", group.peak().unwrap());
    server.signal("KILL").await;
    let _ = server.exit().await;
}

#[tokio::test]
async fn five_hundred_heads_without_an_end_take_little() {
    let Some(group) = Cgroup::new() else { return };
    let server = server_in(&group, &["--silence", "3600", "--connections", "2000"]).await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}",
        "x".repeat(30_000)
    );
    let mut open = Vec::new();
    for _ in 0..500 {
        open.push(connect(server.address, &head).await);
    }
    is_well(&server).await;
    assert!(open.iter().all(is_open));
    println!("{} MiB at most", group.peak().unwrap());
    assert!(group.peak().unwrap() < 100, "{} MiB", group.peak().unwrap());
    // They are held no further than to this length.
    for stream in &mut open {
        let _ = stream.write_all("x".repeat(30_000).as_bytes()).await;
    }
    for mut stream in open {
        let answer = rest(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }
    server.signal("KILL").await;
    let _ = server.exit().await;
}
