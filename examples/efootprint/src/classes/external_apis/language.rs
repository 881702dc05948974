//! Language models behind APIs.

use super::{API_JOB, API_SERVER, HARDWARE_LIFE, Request};
use crate::catalogues::{self, LanguageModel};
use crate::classes::JOB;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::engine::{At, Failure};
use crate::objects::Ref;
use crate::units::measure::{GB_RAM, HOUR, KG, KG_PER_KWH, KWH, MB, NUMBER};
use crate::values::{CpuCores, Ram, Ratio, Scalar, Stored, Text};

class! {
    /// A language model.
    EcoLogitsGenAIExternalAPI {
        server: Ref<EcoLogitsGenAIExternalAPIServer>,
        provider: Text,
        model_name: Text,
    }
}

class! {
    /// What runs a language model. It bears the footprints and has no inputs.
    EcoLogitsGenAIExternalAPIServer {}
}

class! {
    /// Having a language model write a text.
    EcoLogitsGenAIExternalAPIJob {
        data_stored: Scalar<Stored>,
        ram_needed: Scalar<Ram>,
        compute_needed: Scalar<CpuCores>,
        external_api: Ref<EcoLogitsGenAIExternalAPI>,
        output_token_count: Scalar<Ratio>,
    }
}

impl Answers for EcoLogitsGenAIExternalAPI {
    const CATEGORY: Option<Category> = Some(Category::ExternalAPIs);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[LANGUAGE_API];
}

impl Answers for EcoLogitsGenAIExternalAPIServer {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[API_SERVER];
}

impl Answers for EcoLogitsGenAIExternalAPIJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[LANGUAGE_JOB, API_JOB, JOB];
}

attributes! {
    LANGUAGE_API of EcoLogitsGenAIExternalAPI {
        guard "E6.2" model_total_params [NUMBER]
            = "by EcoLogits, in billions" => |api| api.model().map(|model| model.total_params);
        "E6.2" model_active_params [NUMBER]
            = "by EcoLogits, in billions" => |api| api.model().map(|model| model.active_params);
        "E6.2" tokens_per_second [NUMBER] = "by EcoLogits" => |api| api.model().map(|model| model.tokens_per_second);
        "E6.2" time_to_first_token [HOUR] = "by EcoLogits" =>
            |api| api.model().map(|model| model.time_to_first_token.map(|seconds| seconds / 3600.0));
        "E6.2" data_center_pue [NUMBER] = "by EcoLogits" => |api| api.model().map(|model| model.pue);
        "E6.2" average_carbon_intensity [KG_PER_KWH]
            = "of the electricity where the data center is" => |api| api.model().map(|model| model.carbon_intensity);
    }
}

impl At<'_, EcoLogitsGenAIExternalAPI> {
    /// What the catalogue has of the model.
    fn model(self) -> Result<&'static LanguageModel, Failure> {
        let api = self.get();
        let (provider, name) = (&*api.provider.value, &*api.model_name.value);
        let model = catalogues::language_model(provider, name);
        self.known(model, provider, "model_name", name)
    }
}

attributes! {
    LANGUAGE_JOB of EcoLogitsGenAIExternalAPIJob {
        "E6.2" gpu_energy [KWH]
            = "tokens × (αE × exp(βE × batch) × active parameters + γE), for one GPU" =>
            |job| job.gpu_energy();
        "E6.2" generation_latency [HOUR]
            = "tokens × time of a token + time to the first token" => |job| job.generation_latency();
        "E6.2" request_duration [HOUR] = "generation latency" => |job| job.generation_latency();
        "E6.2" model_required_memory [GB_RAM]
            = "1.2 × parameters × 16 bits" => |job| job.required_memory();
        "E6.2" gpu_required_count [NUMBER]
            = "required memory ÷ memory of a GPU, up to the next power of two" => |job| job.gpu_count();
        "E6.2" server_energy [KWH]
            = "latency × power of the server × share of its GPUs ÷ batch" => |job| job.server_energy();
        "E6.2" request_it_energy [KWH]
            = "server energy + GPUs × GPU energy" => |job| job.it_energy();
        "E6.2" request_energy [KWH] = "PUE × IT energy" => |job| job.request().map(|request| request.energy);
        "E6.2" request_usage_gwp [KG]
            = "energy × carbon intensity" => |job| job.request().map(|request| request.usage);
        "E6.2" server_gpu_embodied_gwp [KG]
            = "share of the server + that of its GPUs" => |job| job.hardware();
        "E6.2" request_embodied_gwp [KG]
            = "latency × embodied footprint of the hardware ÷ (its life × batch)" =>
            |job| job.request().map(|request| request.embodied);
        "E6.2" data_transferred [MB] = "5 bytes × tokens" => |job| job.data_transferred();
    }
}

/// Requests that a GPU works on at once.
const BATCH: f64 = 64.0;
/// What a GPU remembers, in GB.
const GPU_MEMORY: f64 = 80.0;
/// GPUs of a server.
const GPUS_OF_SERVER: f64 = 8.0;

impl At<'_, EcoLogitsGenAIExternalAPIJob> {
    fn model(self) -> Result<&'static LanguageModel, Failure> {
        self.at(self.get().external_api).model()
    }

    /// The number as it is written, whatever its unit.
    fn tokens(self) -> f64 {
        self.get().output_token_count.value
    }

    fn gpu_energy(self) -> Result<f64, Failure> {
        let (alpha, beta, gamma) = (
            1.1665273170451914e-06_f64,
            -0.011205921025579175_f64,
            4.052928146734005e-05_f64,
        );
        let watt_hours = alpha * (beta * BATCH).exp() * self.model()?.active_params + gamma;
        Ok(self.tokens() * watt_hours / 1000.0)
    }

    pub(in crate::classes) fn generation_latency(self) -> Result<f64, Failure> {
        let model = self.model()?;
        let (alpha, beta, gamma) = (
            0.0006785088094353663,
            0.0003119310311688259,
            0.019473717579473387,
        );
        let of_token = match model.tokens_per_second {
            Some(per_second) => 1.0 / per_second,
            None => alpha * model.active_params + beta * BATCH + gamma,
        };
        Ok((self.tokens() * of_token + model.time_to_first_token.unwrap_or(0.0)) / 3600.0)
    }

    fn required_memory(self) -> Result<f64, Failure> {
        let (overhead, bits) = (1.2, 16.0);
        Ok(overhead * self.model()?.total_params * bits / 8.0)
    }

    fn gpu_count(self) -> Result<f64, Failure> {
        let count = self.required_memory()? / GPU_MEMORY;
        Ok(count.ceil().log2().ceil().exp2())
    }

    fn server_energy(self) -> Result<f64, Failure> {
        let kilowatts = 1.2;
        let share = self.gpu_count()? / GPUS_OF_SERVER;
        Ok(self.generation_latency()? * kilowatts * share / BATCH)
    }

    fn it_energy(self) -> Result<f64, Failure> {
        Ok(self.server_energy()? + self.gpu_count()? * self.gpu_energy()?)
    }

    fn hardware(self) -> Result<f64, Failure> {
        let (server, gpu) = (5700.0, 273.0);
        let count = self.gpu_count()?;
        Ok(count / GPUS_OF_SERVER * server + count * gpu)
    }

    pub(super) fn request(self) -> Result<Request, Failure> {
        let (model, latency) = (self.model()?, self.generation_latency()?);
        let energy = model.pue * self.it_energy()?;
        Ok(Request {
            energy,
            usage: energy * model.carbon_intensity,
            embodied: latency * self.hardware()? / (HARDWARE_LIFE * BATCH),
        })
    }

    /// In MB.
    pub(in crate::classes) fn data_transferred(self) -> f64 {
        5.0 * self.tokens() / 1e6
    }
}
