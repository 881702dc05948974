//! Cloud servers of Boavizta's catalogue.

use crate::catalogues;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyServer, SERVER, ServerSize, Storage};
use crate::engine::{At, Failure};
use crate::objects::Ref;
use crate::units::measure::{CORES, GB_RAM, KG, WATT};
use crate::values::{
    CarbonIntensity, CpuCores, OrEmpty, Power, Ram, Ratio, Scalar, ServerType, Text, Time,
};

class! {
    /// A server whose manufacturing, power, RAM and cores follow from provider and instance type.
    BoaviztaCloudServer {
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        server_type: ServerType,
        idle_power: Scalar<Power>,
        power_usage_effectiveness: Scalar<Ratio>,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        utilization_rate: Scalar<Ratio>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<CpuCores>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
        storage: Ref<Storage>,
        provider: Text,
        instance_type: Text,
        impact_url: Option<Box<str>> = None,
    }
}

impl Answers for BoaviztaCloudServer {
    const CATEGORY: Option<Category> = Some(Category::Servers);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[BOAVIZTA_CLOUD_SERVER, SERVER];
}

attributes! {
    BOAVIZTA_CLOUD_SERVER of AnyServer {
        guard "E2.1" carbon_footprint_manufacturing [KG]
            = "of the instance, by Boavizta" => |server| server.sizing().map(|size| size.manufacturing);
        "E2.1" power [WATT]
            = "of the instance, by Boavizta" => |server| server.sizing().map(|size| size.power);
        "E2.1" ram [GB_RAM]
            = "of the instance, by Boavizta" => |server| server.sizing().map(|size| size.ram);
        "E2.1" compute [CORES]
            = "of the instance, by Boavizta" => |server| server.sizing().map(|size| size.compute);
    }
}

impl At<'_, BoaviztaCloudServer> {
    pub(super) fn sizing(self) -> Result<ServerSize, Failure> {
        let server = self.get();
        let (provider, name) = (&*server.provider.value, &*server.instance_type.value);
        let instance = catalogues::instance(provider, name);
        let instance = self.known(instance, provider, "instance_type", name)?;
        Ok(ServerSize {
            manufacturing: instance.manufacturing,
            power: instance.power,
            idle_power: server.idle_power.watts(),
            ram: instance.ram,
            compute: instance.cores,
        })
    }
}
