//! The page and the text.

use super::*;

const NASTY: &str = r#"/<script>alert(1)</script>&\u001b[31m\u202e\"'"#;

#[test]
fn what_a_log_says_can_neither_become_markup_nor_command_the_terminal() {
    let mut said = warning(grown(NASTY, 0, 128, "retained"), 0);
    said.status = 500;
    let folder = Folder::with(said.flat().replace("GET", "<b>"));
    let (report, page) = folder.report();
    assert!(
        !page.contains("<script") && !page.contains("<b>/"),
        "{page}"
    );
    assert!(
        page.contains("/&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u{1b}[31m\\u{202e}&quot;'"),
        "{page}"
    );
    for text in [&report, &page] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert!(
        report.contains(r#"/<script>alert(1)</script>&\u{1b}[31m\u{202e}"'"#),
        "{report}"
    );
}

#[test]
fn the_page_loads_nothing_and_allows_its_own_style_alone() {
    let page = Folder::with(log(&[grown("/leak", 0, 128, "retained")]))
        .report()
        .1;
    for absent in [
        "<script", "http://", "https://", "@import", "url(", " style=", "<img",
    ] {
        assert!(!page.contains(absent), "{absent}");
    }
    let (_, style) = page.split_once("<style>").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(
        page.contains(&format!("style-src 'sha256-{hash}'")),
        "html.rs needs sha256-{hash}"
    );
    assert!(page.contains("content=\"default-src 'none';"));
}

#[test]
fn the_report_fits_a_hundred_columns() {
    let said: Vec<_> = (0..2000)
        .map(|n| {
            let mut said = grown(
                &"wide/".repeat(n as usize % 30),
                n * HOUR / 9,
                n % 1024,
                "allocator_held",
            );
            said.verdict = ["retained", "peaked", "mapped", "unmetered"][n as usize % 4];
            said
        })
        .collect();
    let (report, _) = Folder::with(log(&said)).report();
    for line in report.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}
