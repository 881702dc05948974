//! People using the service.

use super::{
    Country, Device, EcoLogitsGenAIExternalAPIJob, EcoLogitsVideoGenExternalAPIJob,
    EdgeUsagePattern, GPUJob, Job, Network, VideoStreamingJob,
};
use crate::model::class::{class, family};
use crate::model::relations::{List, Ref, Weighted};
use crate::model::values::{Hourly, PositiveWeight, Scalar, Starts, Time, Weight};

class! {
    /// What a file describes. Patterns listed twice count once.
    System {
        usage_patterns: List<UsagePattern>,
        edge_usage_patterns: List<EdgeUsagePattern>,
    }
}

class! {
    /// People of one country going through journeys.
    UsagePattern {
        hourly_occurrences: Hourly<Starts>,
        usage_journeys: Weighted<UsageJourney, PositiveWeight>,
        devices: List<Device>,
        network: Ref<Network>,
        country: Ref<Country>,
    }
}

class! {
    /// Steps one after the other; their order is their order in time.
    UsageJourney {
        uj_steps: Weighted<UsageJourneyStep, Weight>,
    }
}

class! {
    /// A time spent, and the jobs that run at its start.
    UsageJourneyStep {
        user_time_spent: Scalar<Time>,
        jobs: Weighted<AnyJob, Weight>,
    }
}

family! {
    /// A job of any class.
    AnyJob { Job, GPUJob, VideoStreamingJob, EcoLogitsGenAIExternalAPIJob, EcoLogitsVideoGenExternalAPIJob }
}
