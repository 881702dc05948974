//! What other projects know of servers and models, as tables that are part of the program.
//!
//! [Boavizta]'s cloud instances are of `boaviztapi` 2.5.0, the language and video models of
//! [EcoLogits] 0.11.3.
//!
//! [Boavizta]: https://github.com/Boavizta/boaviztapi
//! [EcoLogits]: https://github.com/genai-impact/ecologits

use std::collections::HashMap;
use std::sync::LazyLock;

use super::error::{Fault, quoted};
use super::values::{Text, not_permitted};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A table by provider and by name.
type Table<Row> = HashMap<(String, String), Row>;

/// A cloud instance (E2.2).
#[derive(Deserialize)]
pub(super) struct Instance {
    #[serde(rename = "carbon_footprint_manufacturing_kg")]
    pub(super) manufacturing: f64,
    #[serde(rename = "power_w")]
    pub(super) power: f64,
    #[serde(rename = "ram_gb")]
    pub(super) ram: f64,
    #[serde(rename = "compute_vcpu")]
    pub(super) cores: f64,
}

/// A language model and where it runs (E6.4).
#[derive(Deserialize)]
pub(super) struct LanguageModel {
    /// In billions.
    #[serde(rename = "total_params_used_billion")]
    pub(super) total_params: f64,
    /// In billions.
    #[serde(rename = "active_params_used_billion")]
    pub(super) active_params: f64,
    pub(super) tokens_per_second: Option<f64>,
    /// In seconds.
    #[serde(rename = "time_to_first_token_s")]
    pub(super) time_to_first_token: Option<f64>,
    #[serde(rename = "datacenter_pue")]
    pub(super) pue: f64,
    /// In kg for each kWh.
    #[serde(rename = "grid_gwp_kg_per_kwh")]
    pub(super) carbon_intensity: f64,
}

/// A video model and where it runs (E6.4).
#[derive(Deserialize)]
pub(super) struct VideoModel {
    pub(super) reg_n: f64,
    pub(super) reg_m: f64,
    pub(super) reg_m1: f64,
    pub(super) reg_m2: f64,
    pub(super) reg_n1: f64,
    pub(super) reg_n2: f64,
    pub(super) reg_g: f64,
    pub(super) non_audio_weight: f64,
    /// Labels, with semicolons between them.
    pub(super) resolutions: String,
    pub(super) accelerator_count: f64,
    /// In watts.
    pub(super) server_power_p2_5_w: f64,
    /// In watts.
    pub(super) server_power_p97_5_w: f64,
    pub(super) server_embodied_gwp_kg: f64,
    pub(super) accelerator_embodied_gwp_kg: f64,
    #[serde(rename = "datacenter_pue")]
    pub(super) pue: f64,
    /// In kg for each kWh.
    #[serde(rename = "grid_gwp_kg_per_kwh")]
    pub(super) carbon_intensity: f64,
}

static INSTANCES: LazyLock<Table<Instance>> = LazyLock::new(|| {
    read(
        "instance_type",
        include_str!("boavizta_cloud_instances.csv"),
    )
});
static LANGUAGE_MODELS: LazyLock<Table<LanguageModel>> =
    LazyLock::new(|| read("model_name", include_str!("ecologits_models.csv")));
static VIDEO_MODELS: LazyLock<Table<VideoModel>> =
    LazyLock::new(|| read("model_name", include_str!("ecologits_video_models.csv")));

/// The instance of that type, or what to say of the two names.
pub(super) fn instance(provider: &str, instance_type: &str) -> Result<&'static Instance, Unknown> {
    find(&INSTANCES, provider, instance_type)
}

/// The language model of that name.
pub(super) fn language_model(
    provider: &str,
    name: &str,
) -> Result<&'static LanguageModel, Unknown> {
    find(&LANGUAGE_MODELS, provider, name)
}

/// The video model of that name.
pub(super) fn video_model(provider: &str, name: &str) -> Result<&'static VideoModel, Unknown> {
    find(&VIDEO_MODELS, provider, name)
}

/// A name that a table doesn't have, and the most like it that it has.
#[derive(Debug)]
pub(super) enum Unknown {
    /// No such provider, and those that there are.
    Provider(Vec<&'static str>),
    /// The provider has nothing of that name.
    Name(Option<&'static str>),
}

impl Unknown {
    /// What to say of the two attributes, and of which.
    pub(super) fn fault(
        self,
        provider: &Text,
        attribute: &'static str,
        name: &Text,
    ) -> (&'static str, Fault) {
        match self {
            Self::Provider(providers) => {
                let text =
                    not_permitted(&provider.value, &format!("one of {}", providers.join(", ")));
                ("provider", text)
            }
            Self::Name(alike) => {
                let alike = alike.unwrap_or_default();
                let expected = format!(
                    "one that {} has, such as `{alike}`",
                    quoted(&provider.value)
                );
                (attribute, not_permitted(&name.value, &expected))
            }
        }
    }
}

fn find<Row>(
    table: &'static Table<Row>,
    provider: &str,
    name: &str,
) -> Result<&'static Row, Unknown> {
    if let Some(row) = table.get(&(provider.to_owned(), name.to_owned())) {
        return Ok(row);
    }
    let names = table.keys().filter(|(of, _)| of == provider);
    let alike = names.map(|(_, known)| (strsim::jaro_winkler(known, name), known.as_str()));
    if table.keys().any(|(of, _)| of == provider) {
        let alike = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
        return Err(Unknown::Name(alike.map(|(_, known)| known)));
    }
    let mut providers: Vec<_> = table.keys().map(|(of, _)| of.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    Err(Unknown::Provider(providers))
}

fn read<Row: DeserializeOwned>(name: &str, table: &'static str) -> Table<Row> {
    let rows = || -> Result<Table<Row>, csv::Error> {
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let headers = reader.headers()?.clone();
        let column = |of: &str| headers.iter().position(|header| header == of).unwrap_or(0);
        let (provider, name) = (column("provider"), column(name));
        let mut table = HashMap::new();
        for record in reader.records() {
            let record = record?;
            let key = (record[provider].to_owned(), record[name].to_owned());
            table.insert(key, record.deserialize(Some(&headers))?);
        }
        Ok(table)
    };
    rows().unwrap_or_else(|error| unreachable!("the table is part of the program: {error}"))
}
