//! Devices in the field, counted.

use super::AnyEdgeDevice;
use crate::model::class::class;
use crate::model::relations::Weighted;
use crate::model::values::Weight;

class! {
    /// Devices and groups of them that are deployed together.
    EdgeDeviceGroup {
        sub_group_counts: Weighted<EdgeDeviceGroup, Weight>,
        edge_device_counts: Weighted<AnyEdgeDevice, Weight>,
    }
}
