//! Files that are no log, can't be read, or can't be written.

use super::*;

#[test]
fn a_log_without_anything_of_tower_memory_is_no_report_and_leaves_no_page() {
    let ours = quiet("/a", 0).flat();
    let time = r#""timestamp":"2026-01-01T00:00:00.000000Z""#;
    let without_time = ours.replace(&format!("{time},"), "");
    let seconds = ours.replace(time, r#""timestamp":"1767225600.000000""#);
    let number = ours.replace(time, r#""timestamp":1767225600"#);
    let docker = json!({ "log": ours, "stream": "stdout", "time": "2026-01-01T00:00:00Z" });
    let docker = format!("{docker}\n");
    for (text, said) in [
        ("", "0 lines"),
        (
            &*foreign(1),
            "does the service log tower_memory at WARN or DEBUG?",
        ),
        (
            "WARN tower_memory: memory grew\n",
            "expected tracing-subscriber's JSON",
        ),
        (
            &without_time,
            "1 unreadable though they name tower_memory, skipped; expected a `timestamp` of RFC 3339",
        ),
        (&seconds, "expected a `timestamp` of RFC 3339"),
        (&number, "expected a `timestamp` of RFC 3339"),
        (
            &docker,
            "1 unreadable though they name tower_memory, skipped; docker wrapped them: docker logs NAME | tower-memory-report -",
        ),
    ] {
        let folder = Folder::with(text);
        let run = folder.run(&["app.log"]);
        assert_eq!((run.code, &*run.out), (Some(1), ""));
        assert!(run.err.contains(said), "{}", run.err);
        assert_eq!(folder.names(), ["app.log"]);
    }
}

#[test]
fn a_growth_is_explained_by_its_fields_whatever_its_message_says() {
    let grown = grown("/a", 0, 200, "allocator_held").flat();
    let (from, to) = grown.split_once("memory grew").expect("a message");
    let (_, to) = to.split_once("on GET /a").expect("its end");
    let reworded = format!("{from}on GET /a: 7 bytes (1 more warning suppressed){to}");
    for (overlapping, told) in [
        (
            0,
            "200.0 MiB 2026-01-01 00:00:00 GET /a 200 allocator_held allocator_held, for a reason. Do something",
        ),
        (
            1,
            "allocator_held while 1 other request ran: allocator_held, for a reason. Do something",
        ),
        (
            2,
            "allocator_held while 2 other requests ran: allocator_held, for a reason. Do something",
        ),
    ] {
        let others = format!("\"requests.overlapping\":{overlapping}");
        let (report, page) =
            Folder::with(reworded.replace("\"requests.overlapping\":0", &others)).report();
        assert!(unbroken(&report).contains(told), "{report}");
        assert!(page.contains("for a reason. Do something"), "{page}");
        assert!(!report.contains("7 bytes"), "{report}");
    }
}

#[test]
fn what_can_not_be_read_is_named_with_a_way_out() {
    let folder = Folder::new();
    folder.put("app.log.gz", b"\x1f\x8b\x08\0\0");
    for (file, said) in [
        (
            "none.log",
            "tower-memory-report: can't open none.log: No such file",
        ),
        (".", "tower-memory-report: . is a folder"),
        (
            "app.log.gz",
            "tower-memory-report: app.log.gz is compressed: pipe it, as in `zcat FILE | tower-memory-report -`",
        ),
    ] {
        let run = folder.run(&[file]);
        assert_eq!((run.code, &*run.out), (Some(2), ""));
        assert!(run.err.starts_with(said), "{}", run.err);
    }
    assert_eq!(folder.names(), ["app.log.gz"]);
}

#[test]
fn an_older_report_is_replaced_and_nothing_else() {
    let folder = Folder::with(log(&[quiet("/a", 0)]));
    folder.put("notes.html", "<!DOCTYPE html><p>mine");
    for named in ["notes.html", "app.log"] {
        let run = folder.run(&["app.log", "--html", named]);
        assert_eq!((run.code, &*run.out), (Some(2), ""));
        assert!(
            run.err
                .contains("is no report: name another file with --html"),
            "{}",
            run.err
        );
    }
    assert_eq!(folder.get("notes.html"), "<!DOCTYPE html><p>mine");
    let first = folder.report().1;
    folder.put("app.log", log(&[quiet("/b", 0)]));
    assert_ne!(folder.report().1, first);
    assert_eq!(folder.names(), ["app.log", "app.report.html", "notes.html"]);
}

#[test]
fn a_page_that_can_not_be_written_is_told_with_the_reason_and_a_way_out() {
    let folder = Folder::with(log(&[quiet("/a", 0)]));
    for (page, said) in [
        (
            "-",
            "tower-memory-report: can't write the page to standard output: name a file with --html\n",
        ),
        (
            ".",
            "tower-memory-report: . is a folder: name a file in it with --html\n",
        ),
        (
            "app.log/app.html",
            "tower-memory-report: can't write app.log/app.html: Not a directory (os error 20); name another file with --html\n",
        ),
        (
            "none/app.html",
            "tower-memory-report: can't write none/app.html: No such file or directory (os error 2); name another file with --html\n",
        ),
    ] {
        let run = folder.run(&["app.log", "--html", page]);
        assert_eq!((run.code, &*run.out, &*run.err), (Some(2), "", said));
        assert_eq!(folder.names(), ["app.log"]);
    }
}

#[test]
fn what_can_not_be_opened_or_written_is_told_before_anything_is_read() {
    let folder = Folder::new();
    // Who reads of it stops there.
    folder.put("app.log.gz", b"\x1f\x8b\x08\0\0");
    for (arguments, said) in [
        (
            &["none.log"][..],
            "tower-memory-report: can't open none.log: ",
        ),
        (
            &["--html", "none/app.html"],
            "tower-memory-report: can't write none/app.html: ",
        ),
    ] {
        let run = folder.run(&[&["app.log.gz"], arguments].concat());
        assert!(run.err.starts_with(said), "{}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("it starts").success());
    let writer = thread::spawn(move || fs::write(pipe, log(&[quiet("/a", 0)])));
    let report = folder.run(&["pipe"]).report();
    assert_eq!(row(&report, "/a")[1], "1");
    writer.join().expect("no panic").expect("all was read");
}

#[test]
fn who_reads_only_the_first_lines_gets_the_page_all_the_same() {
    let folder = Folder::with(log(&[quiet("/a", 0)]));
    let mut command = folder.command(&["app.log"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(folder.names(), ["app.log", "app.report.html"]);
}
