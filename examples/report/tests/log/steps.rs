//! Figures over time.

use super::*;

/// A low every ten minutes of twelve hours, in MiB at each hour.
fn day(low: impl Fn(u64) -> u64) -> String {
    let at = |n: u64| Entry {
        before: 2 * low(n / 6) * MIB,
        live: low(n / 6) * MIB,
        ..quiet("/", n * HOUR / 6)
    };
    log(&(0..72).map(at).collect::<Vec<_>>())
}

#[test]
fn memory_that_rises_through_the_period_is_a_trend_and_only_then_is_a_leak_spoken_of() {
    let trend = |low: &dyn Fn(u64) -> u64| unbroken(&Folder::with(day(low)).report().0);
    let rising = trend(&|hour| 100 + 20 * hour);
    assert!(
        rising.contains("The live heap rises: its low in each third of the period is 100.0 MiB, 180.0 MiB, 260.0 MiB (+20.0 MiB an hour)."),
        "{rising}"
    );
    assert!(
        rising.contains("as with a leak, or a cache that is still filling"),
        "{rising}"
    );
    let saw = trend(&|hour| 100 + 20 * (hour % 4));
    assert!(
        saw.contains("The live heap doesn't rise throughout"),
        "{saw}"
    );
    let step = trend(&|hour| if hour < 8 { 100 } else { 300 });
    assert!(
        step.contains("The live heap doesn't rise throughout"),
        "{step}"
    );
    let falling = trend(&|hour| 400 - 20 * hour);
    assert!(falling.contains("The live heap falls"), "{falling}");
    let single = unbroken(
        &Folder::with(log(&[grown("/leaky", 0, 900, "retained")]))
            .report()
            .0,
    );
    assert!(single.contains("Too short for a trend"), "{single}");
    for text in [saw, step, falling, single] {
        assert!(!text.replace("/leaky", "").contains("leak"), "{text}");
    }
}

#[test]
fn each_hour_names_the_route_that_grew_most_in_it() {
    let said = [
        grown("/small", 10 * HOUR, 110, "allocator_held"),
        grown("/large", 10 * HOUR + 5, 900, "allocator_held"),
        grown("/small", 10 * HOUR + 9, 110, "allocator_held"),
        grown("/late", 33 * HOUR + HOUR / 2, 200, "mapped"),
    ];
    let (report, page) = Folder::with(log(&said)).report();
    let lines = |hour: &str| {
        unbroken(
            report
                .lines()
                .find(|line| line.starts_with(hour))
                .expect("an hour"),
        )
    };
    assert_eq!(
        lines("2026-01-01 10:00"),
        "2026-01-01 10:00 3 0 1.1 GiB 0 B 1.2 GiB 100.0 MiB /large"
    );
    assert_eq!(
        lines("2026-01-02 09:00"),
        "2026-01-02 09:00 1 0 200.0 MiB 0 B 500.0 MiB 100.0 MiB /late"
    );
    assert_eq!(page.matches("<rect ").count(), 2);
    // A step of time begins where its name says.
    let said: Vec<_> = (0..60).map(|n| quiet("/", n * HOUR + HOUR / 2)).collect();
    let (report, _) = Folder::with(log(&said)).report();
    let steps = report
        .lines()
        .skip_while(|line| !line.starts_with("BY 4 HOURS"));
    let steps: Vec<_> = steps
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(unbroken)
        .collect();
    assert_eq!(steps.len(), 15);
    assert!(steps[1].starts_with("2026-01-01 04:00 4 0 "), "{steps:?}");
}

#[test]
fn growth_that_others_caused_names_no_route_in_its_hour() {
    let said = [
        grown("/bystander", 10 * HOUR, 900, "other_requests"),
        grown("/upload", 10 * HOUR + 1, 300, "allocator_held"),
        grown("/bystander", 11 * HOUR, 900, "other_requests"),
    ];
    let (report, page) = Folder::with(log(&said)).report();
    let hour = |from: &str| {
        let line = report.lines().find(|line| line.starts_with(from));
        unbroken(line.expect("an hour"))
    };
    assert!(hour("2026-01-01 10:00").ends_with(" /upload"), "{report}");
    assert!(hour("2026-01-01 11:00").ends_with(" MiB"), "{report}");
    let (_, hours) = page.split_once("id=\"steps\"").expect("steps");
    assert!(!hours.contains("/bystander"), "{hours}");
}

#[test]
fn of_growths_of_one_size_the_earlier_are_told_first() {
    let said = (0..30)
        .rev()
        .map(|n| grown(&format!("/{n}/"), n * HOUR, 128, "mapped"));
    let (report, _) = Folder::with(log(&said.collect::<Vec<_>>())).report();
    let told = report.lines().filter(|line| line.contains(" +128.0 MiB "));
    let told: Vec<_> = told
        .map(|line| line.split(' ').find(|word| word.starts_with('/')))
        .collect();
    let expected: Vec<_> = (0..10).map(|n| format!("/{n}/")).collect();
    assert!(told.iter().flatten().eq(&expected), "{told:?}");
}

#[test]
fn ten_years_are_told_in_longer_steps() {
    let years = (0..3650_u64).map(|day| {
        let line = quiet("/", 0).flat();
        let (year, day) = (2016 + day / 360, day % 360);
        line.replace(
            "2026-01-01",
            &format!("{year}-{:02}-{:02}", 1 + day / 30, 1 + day % 30),
        )
    });
    // No February has 30 days.
    let log: String = years
        .filter(|line| !line.contains("-02-3") && !line.contains("-02-29"))
        .collect();
    let (report, page) = Folder::with(log).report();
    assert!(report.contains("\nBY 256 DAYS "), "{report}");
    assert!(
        page.contains(">By 4 days<"),
        "the page has the finest that is kept"
    );
}
