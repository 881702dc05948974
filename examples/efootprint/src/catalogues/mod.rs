//! What other projects know of servers and models, as tables that are part of the program.
//!
//! [Boavizta]'s cloud instances are of `boaviztapi` 2.5.0, the language and video models of
//! [EcoLogits] 0.11.3.
//!
//! [Boavizta]: https://github.com/Boavizta/boaviztapi
//! [EcoLogits]: https://github.com/genai-impact/ecologits

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use crate::error::quoted;
use csv::StringRecord;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A table by provider and by name, which are its first columns.
struct Table<Row> {
    headers: StringRecord,
    providers: BTreeMap<&'static str, HashMap<&'static str, Line<Row>>>,
}

/// A line of a table. It is made out when it is asked for: a table has thousands.
struct Line<Row> {
    text: &'static str,
    row: OnceLock<Row>,
}

/// A cloud instance (E2.2).
#[derive(Deserialize)]
pub(crate) struct Instance {
    #[serde(rename = "carbon_footprint_manufacturing_kg")]
    pub(crate) manufacturing: f64,
    #[serde(rename = "power_w")]
    pub(crate) power: f64,
    #[serde(rename = "ram_gb")]
    pub(crate) ram: f64,
    #[serde(rename = "compute_vcpu")]
    pub(crate) cores: f64,
}

/// A language model and where it runs (E6.4).
#[derive(Deserialize)]
pub(crate) struct LanguageModel {
    /// In billions.
    #[serde(rename = "total_params_used_billion")]
    pub(crate) total_params: f64,
    /// In billions.
    #[serde(rename = "active_params_used_billion")]
    pub(crate) active_params: f64,
    pub(crate) tokens_per_second: Option<f64>,
    /// In seconds.
    #[serde(rename = "time_to_first_token_s")]
    pub(crate) time_to_first_token: Option<f64>,
    #[serde(rename = "datacenter_pue")]
    pub(crate) pue: f64,
    /// In kg for each kWh.
    #[serde(rename = "grid_gwp_kg_per_kwh")]
    pub(crate) carbon_intensity: f64,
}

/// A video model and where it runs (E6.4).
#[derive(Deserialize)]
pub(crate) struct VideoModel {
    pub(crate) reg_n: f64,
    pub(crate) reg_m: f64,
    pub(crate) reg_m1: f64,
    pub(crate) reg_m2: f64,
    pub(crate) reg_n1: f64,
    pub(crate) reg_n2: f64,
    pub(crate) reg_g: f64,
    pub(crate) non_audio_weight: f64,
    /// Labels, with semicolons between them.
    pub(crate) resolutions: String,
    pub(crate) accelerator_count: f64,
    /// In watts.
    pub(crate) server_power_p2_5_w: f64,
    /// In watts.
    pub(crate) server_power_p97_5_w: f64,
    pub(crate) server_embodied_gwp_kg: f64,
    pub(crate) accelerator_embodied_gwp_kg: f64,
    #[serde(rename = "datacenter_pue")]
    pub(crate) pue: f64,
    /// In kg for each kWh.
    #[serde(rename = "grid_gwp_kg_per_kwh")]
    pub(crate) carbon_intensity: f64,
}

static INSTANCES: LazyLock<Table<Instance>> =
    LazyLock::new(|| Table::of(include_str!("boavizta_cloud_instances.csv")));
static LANGUAGE_MODELS: LazyLock<Table<LanguageModel>> =
    LazyLock::new(|| Table::of(include_str!("ecologits_models.csv")));
static VIDEO_MODELS: LazyLock<Table<VideoModel>> =
    LazyLock::new(|| Table::of(include_str!("ecologits_video_models.csv")));

/// The instance of that type, or what to say of the two names.
pub(crate) fn instance(provider: &str, instance_type: &str) -> Result<&'static Instance, Unknown> {
    INSTANCES.find(provider, instance_type)
}

/// The language model of that name.
pub(crate) fn language_model(
    provider: &str,
    name: &str,
) -> Result<&'static LanguageModel, Unknown> {
    LANGUAGE_MODELS.find(provider, name)
}

/// The video model of that name.
pub(crate) fn video_model(provider: &str, name: &str) -> Result<&'static VideoModel, Unknown> {
    VIDEO_MODELS.find(provider, name)
}

/// A name that a table doesn't have, and the most like it that it has.
#[derive(Debug)]
pub(crate) enum Unknown {
    /// No such provider, and those that there are.
    Provider(Vec<&'static str>),
    /// The provider has nothing of that name.
    Name(Option<&'static str>),
}

impl Unknown {
    /// Which of the two attributes is unknown, and what to say of the object.
    pub(crate) fn told(
        self,
        provider: &str,
        attribute: &'static str,
        name: &str,
    ) -> (&'static str, String) {
        let provider = quoted(provider);
        match self {
            Self::Provider(providers) => {
                let providers = providers.join(", ");
                let detail = format!(
                    "has the `provider` {provider}, which the catalogue doesn't have or has no \
                     more; choose one of {providers}."
                );
                ("provider", detail)
            }
            Self::Name(alike) => {
                let (name, alike) = (quoted(name), alike.unwrap_or_default());
                let detail = format!(
                    "has the `{attribute}` {name}, which the catalogue doesn't have of {provider}, \
                     or has no more; choose one that it has, such as `{alike}`."
                );
                (attribute, detail)
            }
        }
    }
}

impl<Row: DeserializeOwned> Table<Row> {
    fn of(text: &'static str) -> Self {
        let mut lines = text.lines();
        let headers = record(lines.next().unwrap_or_default());
        let mut providers: BTreeMap<_, HashMap<_, _>> = BTreeMap::new();
        for text in lines {
            let mut fields = text.split(',');
            if let (Some(provider), Some(name)) = (fields.next(), fields.next()) {
                let row = OnceLock::new();
                let names = providers.entry(provider).or_default();
                names.insert(name, Line { text, row });
            }
        }
        Self { headers, providers }
    }

    fn find(&self, provider: &str, name: &str) -> Result<&Row, Unknown> {
        let Some(names) = self.providers.get(provider) else {
            return Err(Unknown::Provider(self.providers.keys().copied().collect()));
        };
        if let Some(line) = names.get(name) {
            return Ok(line.row.get_or_init(|| self.row(line.text)));
        }
        let alike = names.keys().copied();
        let alike = alike.map(|known| (strsim::jaro_winkler(known, name), known));
        let alike = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
        Err(Unknown::Name(alike.map(|(_, known)| known)))
    }

    fn row(&self, line: &str) -> Row {
        let row = record(line).deserialize(Some(&self.headers));
        row.unwrap_or_else(|error| unreachable!("the table is part of the program: {error}"))
    }
}

/// The fields of a line.
fn record(line: &str) -> StringRecord {
    let mut record = StringRecord::new();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(line.as_bytes());
    match reader.read_record(&mut record) {
        Ok(_) => record,
        Err(error) => unreachable!("the table is part of the program: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_can_be_made_out() {
        fn make_out<Row: DeserializeOwned>(table: &Table<Row>, text: &str) {
            let lines = table.providers.values().flat_map(HashMap::values);
            let lines = lines.map(|line| table.row(line.text));
            assert_eq!(lines.count(), text.lines().count() - 1);
        }
        make_out(&INSTANCES, include_str!("boavizta_cloud_instances.csv"));
        make_out(&LANGUAGE_MODELS, include_str!("ecologits_models.csv"));
        make_out(&VIDEO_MODELS, include_str!("ecologits_video_models.csv"));
    }
}
