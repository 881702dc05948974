//! Needs of devices.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class, family};
use crate::classes::{
    AnyEdgeComponentNeed, AnyEdgeDevice, EdgeAppliance, EdgeComputer, EdgeFunction, Path,
    ProcessNeed, RecurrentEdgeProcess, RecurrentEdgeWorkload, occurrences_in,
};
use crate::engine::At;
use crate::objects::{List, Ref, Target};

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

impl Answers for RecurrentEdgeDeviceNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Need);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl<'e> At<'e, AnyEdgeDeviceNeed> {
    /// Its needs of components, in the order of the file. One may be listed twice.
    pub(crate) fn component_needs(self) -> Vec<At<'e, AnyEdgeComponentNeed>> {
        fn all<'e, T>(
            at: At<'e, AnyEdgeDeviceNeed>,
            list: &[Ref<T>],
        ) -> Vec<At<'e, AnyEdgeComponentNeed>>
        where
            T: Target<Object = <AnyEdgeComponentNeed as Target>::Object>,
            Ref<AnyEdgeComponentNeed>: From<Ref<T>>,
        {
            list.iter().map(|need| at.at(*need).of()).collect()
        }
        match self.get() {
            AnyEdgeDeviceNeed::RecurrentEdgeDeviceNeed(need) => {
                let needs = self.at(need).get().recurrent_edge_component_needs.iter();
                needs.map(|need| self.at(*need)).collect()
            }
            AnyEdgeDeviceNeed::RecurrentEdgeProcess(need) => {
                let needs = self.at(need).get().recurrent_edge_component_needs.iter();
                let needs = needs.map(|need| match self.at(*need).get() {
                    ProcessNeed::RecurrentEdgeProcessRAMNeed(need) => self.at(need).of(),
                    ProcessNeed::RecurrentEdgeProcessCPUNeed(need) => self.at(need).of(),
                    ProcessNeed::RecurrentEdgeProcessStorageNeed(need) => self.at(need).of(),
                });
                needs.collect()
            }
            AnyEdgeDeviceNeed::RecurrentEdgeWorkload(need) => {
                all(self, &self.at(need).get().recurrent_edge_component_needs)
            }
        }
    }

    /// The device that it is a need of.
    pub(crate) fn edge_device(self) -> At<'e, AnyEdgeDevice> {
        match self.get() {
            AnyEdgeDeviceNeed::RecurrentEdgeDeviceNeed(need) => {
                self.at(self.at(need).get().edge_device)
            }
            AnyEdgeDeviceNeed::RecurrentEdgeProcess(need) => self
                .at::<EdgeComputer>(self.at(need).get().edge_device)
                .of(),
            AnyEdgeDeviceNeed::RecurrentEdgeWorkload(need) => self
                .at::<EdgeAppliance>(self.at(need).get().edge_device)
                .of(),
        }
    }

    pub(crate) fn paths(self) -> impl Iterator<Item = Path<'e>> {
        self.referrers::<EdgeFunction>().flat_map(move |function| {
            let listed = &function.get().recurrent_edge_device_needs;
            let times = occurrences_in(listed, |of| self.at(of) == self);
            function.paths().map(move |path| Path {
                times: path.times * times,
                ..path
            })
        })
    }
}
