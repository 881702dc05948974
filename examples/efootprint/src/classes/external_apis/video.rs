//! Video models behind APIs.

use super::{API_JOB, API_SERVER, HARDWARE_LIFE, Request};
use crate::catalogues::{self, VideoModel};
use crate::classes::JOB;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::quoted;
use crate::objects::Ref;
use crate::units::measure::{HOUR, KG, KG_PER_KWH, KWH, MB, NUMBER};
use crate::values::{CpuCores, Flag, Ram, Resolution, Scalar, Stored, Text, Time};

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

impl Answers for EcoLogitsVideoGenExternalAPI {
    const CATEGORY: Option<Category> = Some(Category::ExternalAPIs);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[VIDEO_API];
}

impl Answers for EcoLogitsVideoGenExternalAPIServer {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[API_SERVER];
}

impl Answers for EcoLogitsVideoGenExternalAPIJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[VIDEO_JOB, API_JOB, JOB];
}

attributes! {
    VIDEO_API of EcoLogitsVideoGenExternalAPI {
        guard "E6.3" data_center_pue [NUMBER] = "by EcoLogits" => |api| api.model().map(|model| model.pue);
        "E6.3" average_carbon_intensity [KG_PER_KWH]
            = "of the electricity where the data center is" => |api| api.model().map(|model| model.carbon_intensity);
    }
}

impl At<'_, EcoLogitsVideoGenExternalAPI> {
    /// What the catalogue has of the model.
    fn model(self) -> Result<&'static VideoModel, Failure> {
        let api = self.get();
        let (provider, name) = (&*api.provider.value, &*api.model_name.value);
        let model = catalogues::video_model(provider, name);
        self.known(model, provider, "model_name", name)
    }
}

attributes! {
    VIDEO_JOB of EcoLogitsVideoGenExternalAPIJob {
        guard "E6.3" generation_latency [HOUR]
            = "regression over frames and pixels × weight of audio" => |job| job.generation_latency();
        "E6.3" request_duration [HOUR] = "generation latency" => |job| job.generation_latency();
        "E6.3" server_accelerator_energy [KWH]
            = "latency × power of the server" => |job| job.it_energy();
        "E6.3" request_energy [KWH] = "PUE × energy of the server" => |job| job.request().map(|request| request.energy);
        "E6.3" request_usage_gwp [KG]
            = "energy × carbon intensity" => |job| job.request().map(|request| request.usage);
        "E6.3" server_accelerator_embodied_gwp [KG]
            = "that of the server + that of its accelerators" => |job| job.hardware();
        "E6.3" request_embodied_gwp [KG]
            = "latency ÷ life of the hardware × its embodied footprint" => |job| job.request().map(|request| request.embodied);
        "E6.3" data_transferred [MB]
            = "duration × 0.1 bit × pixels × 24 frames a second" => |job| job.data_transferred();
    }
}

/// Frames of a second.
const FRAMES: f64 = 24.0;

impl At<'_, EcoLogitsVideoGenExternalAPIJob> {
    /// The model, if it makes videos of that resolution.
    fn model(self) -> Result<&'static VideoModel, Failure> {
        let model = self.at(self.get().external_api).model()?;
        let resolution = &*self.get().resolution.value;
        if model
            .resolutions
            .split(';')
            .any(|known| known == resolution)
        {
            return Ok(model);
        }
        let (resolution, offered) = (quoted(resolution), model.resolutions.replace(';', ", "));
        let detail = format!(
            "has the `resolution` {resolution}, which its model doesn't make or makes no more; \
             choose one of {offered}."
        );
        let kind = ProblemKind::NotInCatalogue;
        Err(self.problem(kind, "resolution", detail).into())
    }

    fn pixels(self) -> f64 {
        let resolution = &self.get().resolution;
        f64::from(resolution.width) * f64::from(resolution.height)
    }

    fn seconds(self) -> f64 {
        self.get().duration.hours() * 3600.0
    }

    pub(in crate::classes) fn generation_latency(self) -> Result<f64, Failure> {
        let (model, pixels) = (self.model()?, self.pixels());
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
        Ok(seconds * audio / 3600.0)
    }

    fn it_energy(self) -> Result<f64, Failure> {
        let model = self.model()?;
        let kilowatts = (model.server_power_p2_5_w + model.server_power_p97_5_w) / 2.0 / 1000.0;
        Ok(self.generation_latency()? * kilowatts)
    }

    fn hardware(self) -> Result<f64, Failure> {
        let model = self.model()?;
        let accelerators = model.accelerator_count * model.accelerator_embodied_gwp_kg;
        Ok(model.server_embodied_gwp_kg + accelerators)
    }

    pub(super) fn request(self) -> Result<Request, Failure> {
        let (model, latency) = (self.model()?, self.generation_latency()?);
        let energy = model.pue * self.it_energy()?;
        Ok(Request {
            energy,
            usage: energy * model.carbon_intensity,
            embodied: latency / HARDWARE_LIFE * self.hardware()?,
        })
    }

    /// In MB.
    pub(in crate::classes) fn data_transferred(self) -> f64 {
        self.seconds() * 0.1 * self.pixels() * FRAMES / 8e6
    }
}
