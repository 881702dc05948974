//! The page at `/`: what there is to ask for.

use axum::response::Html;

/// What to ask for, and what comes of it. A path with a method is not a link.
const ROUTES: &[(&str, &str)] = &[
    ("/steady", "allocates and frees before it answers"),
    ("/leak", "allocates 128 MiB and never frees them"),
    ("/leak?bytes=64", "the same with 64 bytes"),
    ("/leak?kib=4", "and with 4 KiB"),
    ("/cache?key=a", "keeps the last eight keys, 128 MiB each"),
    ("/burst", "parses 24 MiB of JSON and drops it"),
    ("/mmap", "maps a file, reads all of it and keeps the map"),
    ("/stream", "sends chunks of 1 MiB with a pause between"),
    ("/download", "sends one buffer of 128 MiB"),
    ("/asset", "sends one buffer of 128 MiB that it keeps"),
    ("POST /upload", "takes a body"),
    ("/panic", "allocates, then panics"),
    (
        "/spawn",
        "answers at once; a task holds 128 MiB for a second",
    ),
    ("/sleep", "holds 128 MiB for a second before it answers"),
    ("/double", "adds to a map that is never emptied"),
    ("/rare", "one of 100 requests leaks 6,400 bytes"),
    ("/bounded", "a cache of 1,000 entries"),
    ("/lru", "a cache of 1 MiB"),
    ("/stairs", "one of 400 requests keeps 200,000 bytes"),
    ("/background", "starts a task that grows from then on"),
    ("/memory", "the dashboard: which route did what"),
];

pub(crate) async fn page() -> Html<String> {
    let rows = ROUTES.iter().map(|(route, what)| {
        let route = match route.starts_with('/') {
            true => format!("<a href=\"{route}\">{route}</a>"),
            false => (*route).to_owned(),
        };
        format!("<tr><td>{route}<td>{what}\n")
    });
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>The zoo of tower-memory</title>\n\
         <h1>One route per memory behaviour</h1>\n\
         <p>Each takes its size as <code>mib</code>, <code>kib</code> or <code>bytes</code>, and its pauses as \
         <code>ms</code>.\n\
         <table>\n{}</table>\n",
        rows.collect::<String>()
    ))
}
