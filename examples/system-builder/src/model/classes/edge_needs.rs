//! What devices in the field have to do, week by week.

use super::{
    AnyEdgeComponent, AnyEdgeDevice, EdgeAppliance, EdgeApplianceComponent, EdgeComputer,
    EdgeComputerCPUComponent, EdgeComputerRAMComponent, EdgeStorage,
};
use crate::model::Model;
use crate::model::class::{class, family};
use crate::model::error::Fault;
use crate::model::relations::{List, Ref};
use crate::model::values::{
    ComponentNeed, CpuCores, Quantity, Ram, Stored, Weekly, Workload, wrong_unit,
};

class! {
    /// What is needed of a device.
    RecurrentEdgeDeviceNeed {
        edge_device: Ref<AnyEdgeDevice>,
        recurrent_edge_component_needs: List<AnyEdgeComponentNeed>,
    }
}

family! {
    /// A need of a device, of any class.
    AnyEdgeDeviceNeed { RecurrentEdgeDeviceNeed, RecurrentEdgeProcess, RecurrentEdgeWorkload }
}

class! {
    /// What is needed of a component.
    RecurrentEdgeComponentNeed {
        edge_component: Ref<AnyEdgeComponent>,
        recurrent_need: Weekly<ComponentNeed>,
    }
}

class! {
    /// What is written to a storage each hour, less what is deleted.
    RecurrentEdgeStorageNeed {
        edge_component: Ref<EdgeStorage>,
        recurrent_need: Weekly<Stored>,
    }
}

family! {
    /// A need of a component, of any class.
    AnyEdgeComponentNeed {
        RecurrentEdgeComponentNeed, RecurrentEdgeStorageNeed, RecurrentEdgeProcessRAMNeed,
        RecurrentEdgeProcessCPUNeed, RecurrentEdgeProcessStorageNeed, RecurrentEdgeWorkloadNeed,
    }
}

class! {
    /// A program on an edge computer. Its three needs take their weeks from it.
    RecurrentEdgeProcess {
        edge_device: Ref<EdgeComputer>,
        recurrent_edge_component_needs: List<ProcessNeed>,
        recurrent_compute_needed: Weekly<CpuCores>,
        recurrent_ram_needed: Weekly<Ram>,
        recurrent_storage_needed: Weekly<Stored>,
    }
}

family! {
    /// A need of a process.
    ProcessNeed { RecurrentEdgeProcessRAMNeed, RecurrentEdgeProcessCPUNeed, RecurrentEdgeProcessStorageNeed }
}

class! {
    /// The memory of a process.
    RecurrentEdgeProcessRAMNeed {
        edge_component: Ref<EdgeComputerRAMComponent>,
    }
}

class! {
    /// The cores of a process.
    RecurrentEdgeProcessCPUNeed {
        edge_component: Ref<EdgeComputerCPUComponent>,
    }
}

class! {
    /// The storage of a process.
    RecurrentEdgeProcessStorageNeed {
        edge_component: Ref<EdgeStorage>,
    }
}

class! {
    /// The load of an appliance. Its need takes its week from it.
    RecurrentEdgeWorkload {
        edge_device: Ref<EdgeAppliance>,
        recurrent_edge_component_needs: List<RecurrentEdgeWorkloadNeed>,
        recurrent_workload: Weekly<Workload>,
    }
}

class! {
    /// The load of an appliance's component.
    RecurrentEdgeWorkloadNeed {
        edge_component: Ref<EdgeApplianceComponent>,
    }
}

impl RecurrentEdgeComponentNeed {
    /// Whether the need is of what the component provides.
    pub(super) fn check(&self, model: &Model) -> Result<(), Fault> {
        fn unit_is<Q: Quantity>(need: &Weekly<ComponentNeed>) -> Result<(), Fault> {
            if Q::admits(&need.unit) {
                Ok(())
            } else {
                Err(wrong_unit::<Q>(&need.unit))
            }
        }

        let need = &self.recurrent_need;
        match model.get(self.edge_component) {
            AnyEdgeComponent::EdgeRAMComponent(_)
            | AnyEdgeComponent::EdgeComputerRAMComponent(_) => unit_is::<Ram>(need),
            AnyEdgeComponent::EdgeCPUComponent(_)
            | AnyEdgeComponent::EdgeComputerCPUComponent(_) => unit_is::<CpuCores>(need),
            AnyEdgeComponent::EdgeWorkloadComponent(_)
            | AnyEdgeComponent::EdgeApplianceComponent(_) => unit_is::<Workload>(need),
            AnyEdgeComponent::EdgeStorage(_) => unit_is::<Stored>(need),
        }
    }
}
