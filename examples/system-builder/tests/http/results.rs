//! What systems emit.

use crate::server::Server;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A system of the engine's tests.
fn system(name: &str) -> Value {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    let file = fs::read(systems.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&file).unwrap()
}

async fn load(server: &Server, system: &Value) -> String {
    let created = server.post_json(system.to_string()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    created.header("location").to_owned()
}

#[tokio::test]
async fn a_footprint_has_totals_by_category_phase_and_object_and_over_time() {
    let server = Server::start().await;
    let location = load(&server, &system("mixed_example")).await;
    for step in ["hour", "day", "month", "year"] {
        let answer = server
            .get(&format!("{location}/footprint?step={step}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        let footprint = answer.json();
        assert_eq!(
            (&footprint["unit"], &footprint["complete"]),
            (&json!("kilogram"), &json!(true))
        );
        let total = footprint["total"].as_f64().unwrap();
        assert!((total - 23.9516085).abs() < 1e-4, "{total}");
        let close = |sum: f64| assert!((sum - total).abs() <= 1e-6 * total, "{step}: {sum}");
        let sum = |of: &Value, keys: [&str; 2]| -> f64 {
            let parts = of.as_array().unwrap().iter();
            parts
                .map(|part| {
                    keys.map(|key| part[key].as_f64().unwrap())
                        .iter()
                        .sum::<f64>()
                })
                .sum()
        };
        close(sum(&footprint["categories"], ["manufacturing", "use"]));
        close(sum(&footprint["objects"], ["manufacturing", "use"]));
        let phases = footprint["phases"].as_object().unwrap().values();
        close(phases.map(|phase| phase.as_f64().unwrap()).sum());
        let over_time = &footprint["over_time"];
        let series = over_time["series"].as_array().unwrap().iter();
        let values = series.flat_map(|series| series["values"].as_array().unwrap());
        close(values.map(|value| value.as_f64().unwrap()).sum());
        assert_eq!(over_time["step"], step);
    }
}

#[tokio::test]
async fn results_come_as_tables_too() {
    let server = Server::start().await;
    let location = load(&server, &system("mixed_example")).await;
    let objects = server
        .get(&format!("{location}/footprint?format=csv"))
        .await;
    assert_eq!(objects.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        objects
            .header("content-disposition")
            .contains("MySystem.csv")
    );
    let mut lines = objects.text().lines();
    assert_eq!(
        lines.next(),
        Some("id,name,class,category,manufacturing_kg,use_kg")
    );
    assert!(
        lines.any(|line| line.starts_with("Srv,Srv,Server,Servers,0.296")),
        "{}",
        objects.text()
    );
    let series = server
        .get(&format!("{location}/footprint?format=csv&step=day"))
        .await;
    let mut lines = series.text().lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("start_utc,Servers Manufacturing kg,Servers Use kg,")
    );
    assert!(lines.next().unwrap().starts_with("2025-01-01T00:00,"));
}

#[tokio::test]
async fn a_system_that_asks_for_too_much_is_refused_with_what_can_be_computed_of_it() {
    let server = Server::start().await;
    let mut system = system("mixed_example");
    system["Server"]["Srv"]["utilization_rate"]["value"] = json!(0.001);
    let location = load(&server, &system).await;
    let answer = server.get(&format!("{location}/footprint")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["title"], "Insufficient capacity");
    for (member, value) in [
        ("object", json!("Srv")),
        ("class", json!("Server")),
        ("attribute", json!("available_ram_per_instance")),
        ("available", json!(0.128)),
        ("requested", json!(2.0)),
        ("unit", json!("gigabyte_ram")),
    ] {
        assert_eq!(problem[member], value, "{member}");
    }
    assert_eq!(problem["problems"][0]["object"], "Srv");
    let partial = &problem["partial"];
    assert_eq!(partial["complete"], false);
    let objects = partial["objects"].as_array().unwrap();
    let of = |id: &str| objects.iter().find(|object| object["id"] == id).unwrap();
    assert_eq!(of("Srv")["use"], Value::Null);
    assert!(of("Lap")["use"].as_f64().unwrap() > 0.0);

    let diagram = server.get(&format!("{location}/sankey")).await.json();
    assert_eq!(diagram["complete"], false);

    let object = server.get(&format!("{location}/objects/Srv")).await;
    assert_eq!(object.status, StatusCode::OK);
    let computed = object.json()["computed"].take();
    let value = |name: &str| {
        let attributes = computed.as_array().unwrap().iter();
        attributes
            .clone()
            .find(|attribute| attribute["name"] == name)
            .unwrap()["value"]
            .clone()
    };
    assert_eq!(value("use_footprint")["kind"], "error");
    assert_eq!(value("hour_by_hour_ram_need")["kind"], "hourly");
    // It has no such number to be checked.
    assert_eq!(value("fixed_nb_of_instances_validation")["kind"], "empty");
    let series = format!("{location}/objects/Srv/series?attribute=use_footprint");
    let series = server.get(&series).await;
    assert_eq!(series.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(series.json()["object"], "Srv");
}

#[tokio::test]
async fn a_result_beyond_all_numbers_is_refused_by_its_object() {
    let server = Server::start().await;
    let mut system = system("mixed_example");
    system["Job"]["Job1"]["request_duration"] =
        json!({"value": 1e-300, "unit": "second", "label": "duration"});
    let location = load(&server, &system).await;
    let answer = server.get(&format!("{location}/footprint")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = answer.json();
    assert_eq!(problem["title"], "Beyond numbers");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("beyond all numbers"), "{detail}");
    assert_eq!(problem["partial"]["complete"], false);
    let diagram = server.get(&format!("{location}/sankey")).await.json();
    assert_eq!(diagram["complete"], false);
    assert!(diagram["total"].is_number());
}

#[tokio::test]
async fn an_hour_counts_for_the_day_in_which_it_begins() {
    let server = Server::start().await;
    let mut system = system("mixed_example");
    system["UsagePattern"]["UP"]["hourly_occurrences"] = json!({
        "values": vec![1; 48], "unit": "occurrence", "start_date": "2025-01-01 18:30:00", "label": "starts",
    });
    let location = load(&server, &system).await;
    let series = "series?attribute=utc_hourly_occurrences&step=day";
    let days = server
        .get(&format!("{location}/objects/UP/{series}"))
        .await
        .json();
    assert_eq!(days["starts"][0], "2025-01-01T18:30");
    assert_eq!(days["values"], json!([6.0, 24.0, 18.0]));
}

#[tokio::test]
async fn a_diagram_shows_what_it_is_asked_for() {
    let server = Server::start().await;
    let location = load(&server, &system("mixed_example")).await;
    let columns = async |query: &str| {
        let diagram = server
            .get(&format!("{location}/sankey?{query}"))
            .await
            .json();
        let nodes = diagram["nodes"].as_array().unwrap().iter();
        let mut columns: Vec<_> = nodes
            .map(|node| node["column"].as_str().unwrap().to_owned())
            .collect();
        columns.dedup();
        (columns, diagram["total"].as_f64().unwrap())
    };
    let whole = server.get(&format!("{location}/sankey")).await.json();
    assert_eq!(whole["complete"], true);
    let (all, total) = columns("").await;
    assert_eq!(
        all,
        [
            "system",
            "phase",
            "country",
            "pattern",
            "journey",
            "step",
            "need",
            "job",
            "category",
            "object",
            "component"
        ]
    );
    let (some, same) = columns("skip=phase,need,job,component").await;
    assert_eq!(
        some,
        [
            "system", "country", "pattern", "journey", "step", "category", "object"
        ]
    );
    assert!((same - total).abs() < 1e-9);
    let (_, r#use) = columns("phase=Use").await;
    assert!((r#use - 18.2344208).abs() < 1e-4, "{use}");
    let (_, without) = columns("exclude=ExternalAPIs").await;
    assert!((total - without - 15.9553816).abs() < 1e-4, "{without}");
    let refused = server.get(&format!("{location}/sankey?skip=nothing")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_series_is_summed_or_averaged_over_its_steps() {
    let server = Server::start().await;
    let location = load(&server, &system("mixed_example")).await;
    let object = format!("{location}/objects/Srv/series?attribute");
    let hours = server
        .get(&format!("{object}=use_footprint&step=hour"))
        .await
        .json();
    let days = server
        .get(&format!("{object}=use_footprint&step=day"))
        .await
        .json();
    let sum = |series: &Value| -> f64 {
        series["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .sum()
    };
    assert!((sum(&hours) - sum(&days)).abs() < 1e-9);
    assert_eq!(
        (&hours["unit"], &hours["mean"]),
        (&json!("kilogram"), &json!(false))
    );
    let instances = server
        .get(&format!("{object}=nb_of_instances&step=year"))
        .await
        .json();
    assert_eq!(instances["mean"], true);
    assert!(sum(&instances) <= 1.0, "{instances}");
    let table = server
        .get(&format!("{object}=nb_of_instances&step=year&format=csv"))
        .await;
    assert!(
        table
            .text()
            .starts_with("start_utc,concurrent\n2025-01-01T00:00,"),
        "{}",
        table.text()
    );
    let unknown = server.get(&format!("{object}=nothing")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn all_computed_attributes_come_as_one_file() {
    let server = Server::start().await;
    let location = load(&server, &system("web-101")).await;
    let computed = server.get(&format!("{location}/computed")).await;
    assert!(
        computed
            .header("content-disposition")
            .contains("computed.json")
    );
    let listed = server.get(&format!("{location}/objects")).await.json();
    let computed = computed.json();
    let ids = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["id"].as_str().unwrap());
    for id in ids {
        assert!(computed["objects"][id]["attributes"].is_object(), "{id}");
    }
}

#[tokio::test]
async fn a_small_file_that_describes_billions_of_branches_is_refused() {
    let server = Server::start().await;
    let mut system = system("mixed_example");
    let weights = |name: &str, count: usize| -> Value {
        let one = json!({"value": 1, "unit": "dimensionless", "label": "one"});
        (0..count)
            .map(|i| (format!("{name}{i}"), one.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let copies = |system: &mut Value, class: &str, of: &str, name: &str, count: usize| {
        for i in 0..count {
            let mut copy = system[class][of].clone();
            copy["id"] = json!(format!("{name}{i}"));
            system[class][format!("{name}{i}")] = copy;
        }
    };
    system["UsageJourneyStep"]["Step1"]["jobs"] = weights("j", 90);
    system["UsageJourney"]["UJ"]["uj_steps"] = weights("s", 90);
    system["UsagePattern"]["UP"]["usage_journeys"] = weights("y", 90);
    copies(&mut system, "Job", "Job1", "j", 90);
    copies(&mut system, "UsageJourneyStep", "Step1", "s", 90);
    copies(&mut system, "UsageJourney", "UJ", "y", 90);
    let location = load(&server, &system).await;
    let answer = server.get(&format!("{location}/footprint")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("split the system")
    );
}

#[tokio::test]
async fn twenty_years_by_the_hour_are_refused_with_a_way_out() {
    let server = Server::start().await;
    let mut system = system("web-101");
    let pattern = system["UsagePattern"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .next()
        .unwrap();
    pattern["hourly_occurrences"] = json!({"label": "starts", "form_inputs": {
        "start_date": "2025-01-01",
        "modeling_duration_value": 20, "modeling_duration_unit": "year",
        "initial_volume": 1000, "initial_volume_timespan": "month",
        "net_growth_rate_in_percentage": 1, "net_growth_rate_timespan": "month",
    }});
    let location = load(&server, &system).await;
    let hours = server.get(&format!("{location}/footprint?step=hour")).await;
    assert_eq!(hours.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        hours.json()["detail"]
            .as_str()
            .unwrap()
            .contains("`step=day`")
    );
    let days = server
        .get(&format!("{location}/footprint?step=day"))
        .await
        .json();
    assert_eq!(days["over_time"]["starts"].as_array().unwrap().len(), 7300);
}

#[tokio::test]
async fn systems_that_share_an_object_are_refused_by_its_name() {
    let server = Server::start().await;
    let mut system = system("mixed_example");
    let mut other = system["System"]["MySystem"].clone();
    other["id"] = json!("Other");
    other["name"] = json!("Other");
    system["System"]["Other"] = other;
    let location = load(&server, &system).await;
    let answer = server.get(&format!("{location}/footprint")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("in common with the system “Other”"),
        "{detail}"
    );
}

#[tokio::test]
async fn days_of_ten_thousand_years_are_refused_and_the_rest_comes_by_the_year() {
    let server = Server::start().await;
    let mut system = system("mixed_example");
    system["UsagePattern"]["UP"]["hourly_occurrences"]["start_date"] = json!("0001-01-02 00:00:00");
    system["EdgeUsagePattern"]["EUP"]["hourly_deployment_starts"]["start_date"] =
        json!("9990-01-01 00:00:00");
    let location = load(&server, &system).await;
    let footprint = format!("{location}/footprint");
    let days = server.get(&format!("{footprint}?step=day")).await;
    assert_eq!(days.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(days.body.len() < 1000, "{} bytes", days.body.len());
    let detail = days.json()["detail"].clone();
    assert!(
        detail.as_str().unwrap().contains("`step=month`"),
        "{detail}"
    );

    let refused = server.get(&footprint).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let problem = refused.json();
    assert_eq!(problem["instance"], footprint);
    let over_time = &problem["partial"]["over_time"];
    assert_eq!(over_time["step"], "year");
    assert_eq!(over_time["starts"].as_array().unwrap().len(), 9990);
}
