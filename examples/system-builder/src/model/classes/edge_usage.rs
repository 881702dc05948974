//! Fleets of devices in the field.

use super::{AnyEdgeDevice, AnyEdgeDeviceNeed, AnyJob, Country, Network};
use crate::model::class::class;
use crate::model::relations::{List, Ref, Weighted};
use crate::model::values::{Hourly, Scalar, Starts, Time, Volume, Weekly, Weight};

class! {
    /// Deployments in one country. A journey listed twice needs everything twice.
    EdgeUsagePattern {
        hourly_deployment_starts: Hourly<Starts>,
        edge_usage_journeys: List<EdgeUsageJourney>,
        usage_span: Scalar<Time>,
        network: Ref<Network>,
        country: Ref<Country>,
    }
}

class! {
    /// Functions of a deployment. One listed twice is needed twice.
    EdgeUsageJourney {
        edge_functions: List<EdgeFunction>,
    }
}

class! {
    /// What a function needs of devices and of servers.
    EdgeFunction {
        recurrent_edge_device_needs: List<AnyEdgeDeviceNeed>,
        recurrent_server_needs: List<RecurrentServerNeed>,
    }
}

class! {
    /// Jobs that a device starts, week by week.
    RecurrentServerNeed {
        edge_device: Ref<AnyEdgeDevice>,
        recurrent_volume_per_edge_device: Weekly<Volume>,
        jobs: Weighted<AnyJob, Weight>,
    }
}
