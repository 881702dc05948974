//! Generative models behind other people's APIs, with impacts by EcoLogits.

use super::declare::{
    Answers, Category, Checks, Column, ModelOf, Tables, attributes, class, family,
};
use super::{AnyJob, JOB};
use crate::catalogues::{self, LanguageModel, VideoModel};
use crate::engine::{At, Failure};
use crate::objects::{AttributeFault, Change, Ref};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{GB_RAM, HOUR, KG, KG_PER_KWH, KWH, MB, NUMBER, OCCURRENCES};
use crate::values::{
    CpuCores, Flag, Ram, Ratio, Resolution, Scalar, Stored, Text, Time, not_permitted,
};

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

class! {
    /// A model that makes videos.
    EcoLogitsVideoGenExternalAPI {
        server: Ref<EcoLogitsVideoGenExternalAPIServer>,
        provider: Text,
        model_name: Text,
    }
}

class! {
    /// What runs a video model. It bears the footprints and has no inputs.
    EcoLogitsVideoGenExternalAPIServer {}
}

class! {
    /// Having a video made.
    EcoLogitsVideoGenExternalAPIJob {
        data_stored: Scalar<Stored>,
        ram_needed: Scalar<Ram>,
        compute_needed: Scalar<CpuCores>,
        external_api: Ref<EcoLogitsVideoGenExternalAPI>,
        resolution: Resolution,
        duration: Scalar<Time>,
        with_audio: Flag,
    }
}

family! {
    /// What runs models of other people.
    AnyApiServer { EcoLogitsGenAIExternalAPIServer, EcoLogitsVideoGenExternalAPIServer }
}

family! {
    /// An API of other people.
    AnyApi { EcoLogitsGenAIExternalAPI, EcoLogitsVideoGenExternalAPI }
}

impl Answers for EcoLogitsGenAIExternalAPI {
    const CATEGORY: Option<Category> = Some(Category::ExternalAPIs);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::each(Self::check);
    const TABLES: Tables<Self> = &[LANGUAGE_API];
}

impl Answers for EcoLogitsGenAIExternalAPIServer {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[API_SERVER];
}

impl Answers for EcoLogitsGenAIExternalAPIJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[LANGUAGE_JOB, API_JOB, JOB];
}

impl Answers for EcoLogitsVideoGenExternalAPI {
    const CATEGORY: Option<Category> = Some(Category::ExternalAPIs);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::each(Self::check);
    const TABLES: Tables<Self> = &[VIDEO_API];
}

impl Answers for EcoLogitsVideoGenExternalAPIServer {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[API_SERVER];
}

impl Answers for EcoLogitsVideoGenExternalAPIJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHANGE: Option<Change> = Some(Change {
        version: 26,
        subject: "generates videos",
    });
    const CHECKS: Checks<Self> = Checks::then(Self::check);
    const TABLES: Tables<Self> = &[VIDEO_JOB, API_JOB, JOB];
}

/// What a request to a model of other people costs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Request {
    /// In kWh.
    energy: f64,
    /// In kg.
    pub(crate) usage: f64,
    /// In kg.
    pub(crate) embodied: f64,
}

/// Hardware serves for three years, in hours (E6.2).
const HARDWARE_LIFE: f64 = 3.0 * 365.0 * 24.0;

attributes! {
    /// What every job of an API has.
    API_JOB of AnyJob {
        "4.6" hourly_occurrences_across_usage_patterns [OCCURRENCES]
            = "sum over patterns of hourly occurrences" => |job| {
                sum(job.usage_patterns().into_iter().map(|pattern| job.hourly_occurrences(pattern)))
            };
    }
}

attributes! {
    API_SERVER of AnyApiServer {
        "E6.1" instances_manufacturing_footprint [KG]
            = "sum over jobs of requests in progress × embodied footprint of a request × 1 hour ÷ latency" =>
            |server| server.manufacturing_footprint();
        "E6.1" instances_energy [KWH]
            = "sum over jobs of requests in progress × energy of a request × 1 hour ÷ latency" =>
            |server| server.total("instances_energy", |request| request.energy);
        "E6.1" use_footprint [KG]
            = "sum over jobs of requests in progress × usage footprint of a request × 1 hour ÷ latency" =>
            |server| server.use_footprint();
    }
}

impl<'e> At<'e, AnyApiServer> {
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.referrers::<AnyApi>()
            .flat_map(|api| api.referrers::<AnyJob>())
    }

    fn total(
        self,
        attribute: &'static str,
        of_request: impl Fn(Request) -> f64,
    ) -> Result<Hours, Failure> {
        self.footprint(attribute, || {
            sum(self.jobs().map(|job| self.of_job(job, &of_request)))
        })
    }

    /// What one job takes by the hour.
    fn of_job(
        self,
        job: At<'e, AnyJob>,
        of_request: impl Fn(Request) -> f64,
    ) -> Result<Option<Series>, Failure> {
        let Some(requests) = job.hourly_avg_occurrences_across()? else {
            return Ok(None);
        };
        let request = self.of_request_in_progress(job)?;
        Ok(Some(requests.times(of_request(request))))
    }

    /// What an hour of a request in progress takes.
    pub(crate) fn of_request_in_progress(self, job: At<'e, AnyJob>) -> Result<Request, Failure> {
        let (request, latency) = (job.request(), job.request_duration()?.total());
        Ok(Request {
            energy: request.energy / latency,
            usage: request.usage / latency,
            embodied: request.embodied / latency,
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.total("instances_manufacturing_footprint", |request| {
            request.embodied
        })
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.total("use_footprint", |request| request.usage)
    }
}

impl At<'_, AnyJob> {
    /// What a request costs. To servers of one's own it costs nothing here.
    fn request(self) -> Request {
        match self.get() {
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => self.at(job).request(),
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => self.at(job).request(),
            AnyJob::Job(_) | AnyJob::GPUJob(_) | AnyJob::VideoStreamingJob(_) => Request::default(),
        }
    }
}

attributes! {
    LANGUAGE_API of EcoLogitsGenAIExternalAPI {
        "E6.2" model_total_params [NUMBER]
            = "by EcoLogits, in billions" => |api| api.get().model().total_params;
        "E6.2" model_active_params [NUMBER]
            = "by EcoLogits, in billions" => |api| api.get().model().active_params;
        "E6.2" tokens_per_second [NUMBER] = "by EcoLogits" => |api| api.get().model().tokens_per_second;
        "E6.2" time_to_first_token [HOUR] = "by EcoLogits" =>
            |api| api.get().model().time_to_first_token.map(|seconds| seconds / 3600.0);
        "E6.2" data_center_pue [NUMBER] = "by EcoLogits" => |api| api.get().model().pue;
        "E6.2" average_carbon_intensity [KG_PER_KWH]
            = "of the electricity where the data center is" => |api| api.get().model().carbon_intensity;
    }
}

impl EcoLogitsGenAIExternalAPI {
    /// Whether the catalogue has the model.
    pub(super) fn check(&self, _: &ModelOf<Self>) -> Result<(), AttributeFault> {
        let known = catalogues::language_model(&self.provider.value, &self.model_name.value);
        known
            .map(drop)
            .map_err(|unknown| unknown.fault(&self.provider, "model_name", &self.model_name))
    }

    /// What the catalogue has of the model.
    fn model(&self) -> &'static LanguageModel {
        catalogues::language_model(&self.provider.value, &self.model_name.value)
            .unwrap_or_else(|_| unreachable!("the catalogue was consulted when the model was read"))
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
        "E6.2" request_energy [KWH] = "PUE × IT energy" => |job| job.request().energy;
        "E6.2" request_usage_gwp [KG]
            = "energy × carbon intensity" => |job| job.request().usage;
        "E6.2" server_gpu_embodied_gwp [KG]
            = "share of the server + that of its GPUs" => |job| job.hardware();
        "E6.2" request_embodied_gwp [KG]
            = "latency × embodied footprint of the hardware ÷ (its life × batch)" =>
            |job| job.request().embodied;
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
    fn model(self) -> &'static LanguageModel {
        self.at(self.get().external_api).get().model()
    }

    /// The number as it is written, whatever its unit.
    fn tokens(self) -> f64 {
        self.get().output_token_count.value
    }

    fn gpu_energy(self) -> f64 {
        let (alpha, beta, gamma) = (
            1.1665273170451914e-06_f64,
            -0.011205921025579175_f64,
            4.052928146734005e-05_f64,
        );
        let watt_hours = alpha * (beta * BATCH).exp() * self.model().active_params + gamma;
        self.tokens() * watt_hours / 1000.0
    }

    pub(super) fn generation_latency(self) -> f64 {
        let model = self.model();
        let (alpha, beta, gamma) = (
            0.0006785088094353663,
            0.0003119310311688259,
            0.019473717579473387,
        );
        let of_token = match model.tokens_per_second {
            Some(per_second) => 1.0 / per_second,
            None => alpha * model.active_params + beta * BATCH + gamma,
        };
        (self.tokens() * of_token + model.time_to_first_token.unwrap_or(0.0)) / 3600.0
    }

    fn required_memory(self) -> f64 {
        let (overhead, bits) = (1.2, 16.0);
        overhead * self.model().total_params * bits / 8.0
    }

    fn gpu_count(self) -> f64 {
        (self.required_memory() / GPU_MEMORY)
            .ceil()
            .log2()
            .ceil()
            .exp2()
    }

    fn server_energy(self) -> f64 {
        let kilowatts = 1.2;
        self.generation_latency() * kilowatts * (self.gpu_count() / GPUS_OF_SERVER) / BATCH
    }

    fn it_energy(self) -> f64 {
        self.server_energy() + self.gpu_count() * self.gpu_energy()
    }

    fn hardware(self) -> f64 {
        let (server, gpu) = (5700.0, 273.0);
        self.gpu_count() / GPUS_OF_SERVER * server + self.gpu_count() * gpu
    }

    fn request(self) -> Request {
        let (model, latency) = (self.model(), self.generation_latency());
        let energy = model.pue * self.it_energy();
        Request {
            energy,
            usage: energy * model.carbon_intensity,
            embodied: latency * self.hardware() / (HARDWARE_LIFE * BATCH),
        }
    }

    /// In MB.
    pub(super) fn data_transferred(self) -> f64 {
        5.0 * self.tokens() / 1e6
    }
}

attributes! {
    VIDEO_API of EcoLogitsVideoGenExternalAPI {
        "E6.3" data_center_pue [NUMBER] = "by EcoLogits" => |api| api.get().model().pue;
        "E6.3" average_carbon_intensity [KG_PER_KWH]
            = "of the electricity where the data center is" => |api| api.get().model().carbon_intensity;
    }
}

impl EcoLogitsVideoGenExternalAPI {
    /// Whether the catalogue has the model.
    pub(super) fn check(&self, _: &ModelOf<Self>) -> Result<(), AttributeFault> {
        let known = catalogues::video_model(&self.provider.value, &self.model_name.value);
        known
            .map(drop)
            .map_err(|unknown| unknown.fault(&self.provider, "model_name", &self.model_name))
    }

    /// What the catalogue has of the model.
    fn model(&self) -> &'static VideoModel {
        catalogues::video_model(&self.provider.value, &self.model_name.value)
            .unwrap_or_else(|_| unreachable!("the catalogue was consulted when the model was read"))
    }
}

impl EcoLogitsVideoGenExternalAPIJob {
    /// Whether the model makes videos of that resolution.
    fn check(&self, objects: &ModelOf<Self>) -> Result<(), AttributeFault> {
        let (resolution, model) = (
            &self.resolution.value,
            objects.get(self.external_api).model(),
        );
        if model
            .resolutions
            .split(';')
            .any(|known| *known == **resolution)
        {
            return Ok(());
        }
        let expected = format!("one of {}", model.resolutions.replace(';', ", "));
        Err(("resolution", not_permitted(resolution, &expected)))
    }
}

attributes! {
    VIDEO_JOB of EcoLogitsVideoGenExternalAPIJob {
        "E6.3" generation_latency [HOUR]
            = "regression over frames and pixels × weight of audio" => |job| job.generation_latency();
        "E6.3" request_duration [HOUR] = "generation latency" => |job| job.generation_latency();
        "E6.3" server_accelerator_energy [KWH]
            = "latency × power of the server" => |job| job.it_energy();
        "E6.3" request_energy [KWH] = "PUE × energy of the server" => |job| job.request().energy;
        "E6.3" request_usage_gwp [KG]
            = "energy × carbon intensity" => |job| job.request().usage;
        "E6.3" server_accelerator_embodied_gwp [KG]
            = "that of the server + that of its accelerators" => |job| job.hardware();
        "E6.3" request_embodied_gwp [KG]
            = "latency ÷ life of the hardware × its embodied footprint" => |job| job.request().embodied;
        "E6.3" data_transferred [MB]
            = "duration × 0.1 bit × pixels × 24 frames a second" => |job| job.data_transferred();
    }
}

/// Frames of a second.
const FRAMES: f64 = 24.0;

impl At<'_, EcoLogitsVideoGenExternalAPIJob> {
    fn model(self) -> &'static VideoModel {
        self.at(self.get().external_api).get().model()
    }

    fn pixels(self) -> f64 {
        let resolution = &self.get().resolution;
        f64::from(resolution.width) * f64::from(resolution.height)
    }

    fn seconds(self) -> f64 {
        self.get().duration.hours() * 3600.0
    }

    pub(super) fn generation_latency(self) -> f64 {
        let (model, pixels) = (self.model(), self.pixels());
        let frames = (self.get().duration.amount_in("second").total() * FRAMES + 1.0).floor();
        let volume = pixels * frames / 1000.0;
        let seconds = model.reg_n * frames * pixels.powi(2)
            + model.reg_m * volume
            + model.reg_m1 * frames
            + model.reg_m2 * pixels.powi(2)
            + model.reg_n1 * frames.powi(2)
            + model.reg_n2 * volume.powi(2)
            + model.reg_g;
        let audio = if self.get().with_audio.value {
            1.0
        } else {
            model.non_audio_weight
        };
        seconds * audio / 3600.0
    }

    fn it_energy(self) -> f64 {
        let model = self.model();
        let kilowatts = (model.server_power_p2_5_w + model.server_power_p97_5_w) / 2.0 / 1000.0;
        self.generation_latency() * kilowatts
    }

    fn hardware(self) -> f64 {
        let model = self.model();
        model.server_embodied_gwp_kg + model.accelerator_count * model.accelerator_embodied_gwp_kg
    }

    fn request(self) -> Request {
        let (model, latency) = (self.model(), self.generation_latency());
        let energy = model.pue * self.it_energy();
        Request {
            energy,
            usage: energy * model.carbon_intensity,
            embodied: latency / HARDWARE_LIFE * self.hardware(),
        }
    }

    /// In MB.
    pub(super) fn data_transferred(self) -> f64 {
        self.seconds() * 0.1 * self.pixels() * FRAMES / 8e6
    }
}

impl AnyApi {
    /// The place of its server.
    pub(crate) fn server(self, model: &ModelOf<Self>) -> usize {
        match self {
            Self::EcoLogitsGenAIExternalAPI(api) => model.get(api).server.index(),
            Self::EcoLogitsVideoGenExternalAPI(api) => model.get(api).server.index(),
        }
    }
}

impl<'e> At<'e, AnyApi> {
    pub(crate) fn server(self) -> At<'e, AnyApiServer> {
        match self.get() {
            AnyApi::EcoLogitsGenAIExternalAPI(api) => self.at(self.at(api).get().server).of(),
            AnyApi::EcoLogitsVideoGenExternalAPI(api) => self.at(self.at(api).get().server).of(),
        }
    }
}
