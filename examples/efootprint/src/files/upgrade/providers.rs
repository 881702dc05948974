//! What changed of applications and models: web applications and language models of one's own are
//! gone, and those of providers come.

use std::collections::HashMap;

use super::super::tree::{Json, Map};
use super::told::{Change, Told};
use super::{add_object, amount};
use crate::catalogues;

/// 15 → 16: requests to web applications are plain jobs.
pub(super) fn end_web_applications(file: &mut Map, told: &mut Told) {
    let servers: HashMap<String, Json> = file
        .objects_mut(&["WebApplication"])
        .filter_map(|(id, application)| Some((id.to_owned(), application.remove("server")?)))
        .collect();
    file.remove("WebApplication");
    let Some(Json::Map(jobs)) = file.remove("WebApplicationJob") else {
        return;
    };
    for (id, mut old) in jobs.0 {
        let Some(old) = old.as_map_mut() else {
            continue;
        };
        let mut job = Map::default();
        for attribute in ["data_transferred", "data_stored"] {
            if let Some(value) = old.remove(attribute) {
                job.set(attribute, value);
            }
        }
        job.set("request_duration", amount(1.0, "second"));
        job.set("compute_needed", amount(0.1, "cpu_core"));
        job.set("ram_needed", amount(50.0, "megabyte_ram"));
        // A service that is nowhere is named, and so refused.
        let service = old.remove("service");
        let server = service.as_ref().and_then(Json::as_text);
        let server = server.and_then(|service| servers.get(service)).cloned();
        if let Some(server) = server.or(service) {
            job.set("server", server);
        }
        let name = old.text("name").unwrap_or_default();
        add_object(file, "Job", &id, name, job);
        told.tell(Change::WebJob);
    }
}

const API: &str = "EcoLogitsGenAIExternalAPI";

/// 15 → 16: language models run on servers of their providers.
pub(super) fn move_to_providers(file: &mut Map, told: &mut Told) {
    if let Some(Json::Map(models)) = file.remove("GenAIModel") {
        for (id, mut old) in models.0 {
            let Some(old) = old.as_map_mut() else {
                continue;
            };
            let mut api = Map::default();
            for attribute in ["provider", "model_name"] {
                if let Some(value) = old.remove(attribute) {
                    api.set(attribute, value);
                }
            }
            let name = old.text("name").unwrap_or_default();
            add_object(file, API, &id, name, api);
            told.tell(Change::Provider);
        }
    }
    if let Some(Json::Map(jobs)) = file.remove("GenAIJob") {
        for (id, mut old) in jobs.0 {
            let Some(old) = old.as_map_mut() else {
                continue;
            };
            let mut job = Map::default();
            for (from, to) in [
                ("service", "external_api"),
                ("output_token_count", "output_token_count"),
            ] {
                if let Some(value) = old.remove(from) {
                    job.set(to, value);
                }
            }
            job.set("data_stored", amount(0.0, "megabyte"));
            job.set("compute_needed", amount(0.0, "cpu_core"));
            job.set("ram_needed", amount(0.0, "gigabyte_ram"));
            let name = old.text("name").unwrap_or_default();
            add_object(file, "EcoLogitsGenAIExternalAPIJob", &id, name, job);
        }
    }
}

/// 15 → 16, and some files that are later: an API has a server.
pub(super) fn make_servers(file: &mut Map, _: &mut Told) {
    let mut servers = Vec::new();
    for (id, api) in file.objects_mut(&[API]) {
        if api.has("server") {
            continue;
        }
        let server = format!("{id}_server");
        let name = format!("{} server", api.text("name").unwrap_or_default());
        api.set("server", server.as_str());
        servers.push((server, name));
    }
    for (id, name) in servers {
        let class = "EcoLogitsGenAIExternalAPIServer";
        add_object(file, class, &id, &name, Map::default());
    }
}

/// 25 → 26: videos have a resolution that their model makes.
pub(super) fn replace_resolutions(file: &mut Map, told: &mut Told) {
    let value_of = |object: &Map, attribute: &str| {
        let value = object.get(attribute).and_then(Json::as_map)?;
        value.text("value").map(str::to_owned)
    };
    let models: HashMap<String, &'static str> = file
        .objects(&["EcoLogitsVideoGenExternalAPI"])
        .filter_map(|(id, api)| {
            let (provider, name) = (value_of(api, "provider")?, value_of(api, "model_name")?);
            let model = catalogues::video_model(&provider, &name).ok()?;
            Some((id.to_owned(), &*model.resolutions))
        })
        .collect();
    for (_, job) in file.objects_mut(&["EcoLogitsVideoGenExternalAPIJob"]) {
        let api = job.text("external_api").unwrap_or_default();
        let Some(resolutions) = models.get(api) else {
            continue;
        };
        let Some(value) = job.get_mut("resolution").and_then(Json::as_map_mut) else {
            continue;
        };
        let old = value.text("value").unwrap_or_default().to_owned();
        let mut offered = resolutions.split(';');
        let Some(first) = offered
            .clone()
            .next()
            .filter(|_| offered.all(|one| one != old))
        else {
            continue;
        };
        let mut comment = format!("Replaced `{old}`, which the model doesn't make.");
        for key in ["source", "confidence"] {
            match value.remove(key) {
                Some(Json::Text(was)) => comment += &format!(" Its {key} was `{was}`."),
                Some(Json::Map(was)) => {
                    let name = was.text("name").unwrap_or_default();
                    comment += &format!(" Its {key} was `{name}`.");
                }
                _ => {}
            }
        }
        if let Some(Json::Text(own)) = value.remove("comment") {
            comment += &format!(" {own}");
        }
        value.set("value", first);
        value.set("source", "automatic_replacement");
        value.set("comment", comment.as_str());
        told.tell(Change::Resolution);
    }
}
