//! The files, checked by promtool, amtool and mtail.

use super::{folder, has, run};

const RULES: [&str; 4] = ["limit.yml", "from-log.yml", "from-metrics.yml", "rules.yml"];

#[test]
fn the_rules_are_valid() {
    if has(&["promtool"]) {
        let arguments = ["check", "rules"].into_iter().chain(RULES);
        run("promtool", &arguments.collect::<Vec<_>>());
    }
}

fn holds(tests: &str) {
    if has(&["promtool"]) {
        run("promtool", &["test", "rules", tests]);
    }
}

#[test]
fn the_rules_fire_and_stay_silent_as_their_tests_say() {
    holds("rules.test.yml");
}

#[test]
fn the_rules_name_the_routes_whose_live_heap_keeps_rising_and_no_others() {
    holds("route-live.test.yml");
}

#[test]
fn the_rules_for_metrics_fire_and_stay_silent_as_their_tests_say() {
    holds("metrics.test.yml");
}

#[test]
fn the_configurations_of_prometheus_are_valid() {
    if has(&["promtool"]) {
        for config in ["prometheus.yml", "prometheus-metrics.yml"] {
            run("promtool", &["check", "config", config]);
        }
    }
}

#[test]
fn the_configuration_of_alertmanager_is_valid() {
    if has(&["amtool"]) {
        run("amtool", &["check-config", "alertmanager.yml"]);
    }
}

#[test]
fn the_program_of_mtail_compiles() {
    if has(&["mtail"]) {
        let arguments = "--compile_only --progs . --address 127.0.0.1 --port 0";
        run("mtail", &arguments.split(' ').collect::<Vec<_>>());
    }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect("text")
}

/// Names in a text that begin with this.
fn names<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(start).map(move |(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn the_rules_for_metrics_ask_for_names_that_prometheus_gets() {
    let source = include_str!("../../src/metrics.rs");
    let list = source.split("/// ```text\n").nth(1).expect("a list");
    let list = list.split("/// ```\n").next().expect("its end");
    let listed: Vec<_> = list
        .lines()
        .map(|line| line.trim_start_matches("/// "))
        .collect();
    let rules = file("from-metrics.yml");
    let rules = rules.split("  - name: ").skip(1).collect::<String>();
    // Groups and recorded names apart.
    let asked = names(&rules, "tower_memory_").chain(names(&rules, "process_memory_"));
    let asked = asked.filter(|name| rules.contains(&format!("{name}{{")));
    let asked: Vec<_> = asked.collect();
    assert!(asked.len() > 10, "{asked:?}");
    for name in asked {
        assert!(listed.contains(&name), "{name} is not among {listed:?}");
    }
}

#[test]
fn each_verdict_of_a_warning_has_words_of_its_own() {
    let source = include_str!("../../src/verdict/mod.rs");
    let list = source.split("NAMES: [&str;").nth(1).expect("a list");
    let list = list.split("];").next().expect("its end");
    let verdicts = list.split('"').skip(1).step_by(2);
    for verdict in verdicts {
        // These are no warnings, raise no alert of their own, or share the words on heap
        // meters.
        let without = ["within_threshold", "unreadable", "other_requests", "mapped"];
        if without.contains(&verdict) || ["overlapped", "unmetered"].contains(&verdict) {
            continue;
        }
        for rules in ["from-log.yml", "from-metrics.yml"] {
            let case = format!("eq $labels.verdict \"{verdict}\"");
            assert!(file(rules).contains(&case), "{verdict} in {rules}");
        }
    }
}
