//! Generative models behind other people's APIs, with impacts by EcoLogits.

use crate::model::class::class;
use crate::model::relations::Ref;
use crate::model::values::{CpuCores, Flag, Ram, Ratio, Resolution, Scalar, Stored, Text, Time};

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
