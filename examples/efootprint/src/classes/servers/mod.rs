//! Servers and their storage.

mod boavizta;
mod gpu_server;
mod instances;
mod server;
mod storage;

pub use self::boavizta::*;
pub use self::gpu_server::*;
pub(in crate::classes) use self::instances::SERVER;
pub use self::server::*;
pub use self::storage::*;
use crate::classes::declare::family;
use crate::classes::{AnyJob, VideoStreaming};
use crate::engine::{At, Failure};
use crate::units::measure::{CORES, GB_RAM, GPUS, Measure, Told};
use crate::values::{Ratio, Scalar, Strategy};

family! {
    /// A server that computes on processor cores.
    CpuServer { Server, BoaviztaCloudServer }
}

family! {
    /// A server of any class.
    AnyServer { Server, GPUServer, BoaviztaCloudServer }
}

/// What a server is made of, and what a service leaves of it.
pub(crate) struct ServerSize {
    /// In kg.
    pub(crate) manufacturing: f64,
    /// In watts.
    pub(crate) power: f64,
    /// In watts.
    pub(crate) idle_power: f64,
    /// In GB.
    pub(crate) ram: f64,
    /// In processor cores or GPUs.
    pub(crate) compute: f64,
}

/// The inputs that all classes of servers have.
struct Running<'e> {
    server_type: Strategy,
    lifespan: f64,
    utilization_rate: f64,
    power_usage_effectiveness: f64,
    /// In kg for each kWh.
    carbon_intensity: f64,
    base_ram: f64,
    base_compute: f64,
    fixed_nb_of_instances: Option<f64>,
    storage: At<'e, Storage>,
}

/// `Running` of a server, whatever its class; its compute is counted by `$unit`.
macro_rules! running {
    ($at:ident, $server:expr, $unit:ident) => {{
        let server = $server;
        Running {
            server_type: server.server_type.value,
            lifespan: server.lifespan.hours(),
            utilization_rate: server.utilization_rate.number(),
            power_usage_effectiveness: server.power_usage_effectiveness.number(),
            carbon_intensity: server.average_carbon_intensity.kg_per_kwh(),
            base_ram: server.base_ram_consumption.gb(),
            base_compute: server.base_compute_consumption.$unit(),
            fixed_nb_of_instances: server.fixed_nb_of_instances.as_option().map(Scalar::<Ratio>::number),
            storage: $at.at(server.storage),
        }
    }};
}

impl<'e> At<'e, AnyServer> {
    fn running(self) -> Running<'e> {
        match self.get() {
            AnyServer::Server(server) => running!(self, self.at(server).get(), cores),
            AnyServer::GPUServer(server) => running!(self, self.at(server).get(), gpus),
            AnyServer::BoaviztaCloudServer(server) => running!(self, self.at(server).get(), cores),
        }
    }

    pub(crate) fn sizing(self) -> Result<ServerSize, Failure> {
        match self.get() {
            AnyServer::Server(server) => Ok(self.at(server).sizing()),
            AnyServer::GPUServer(server) => Ok(self.at(server).sizing()),
            AnyServer::BoaviztaCloudServer(server) => self.at(server).sizing(),
        }
    }

    /// The unit that its RAM is told in.
    fn ram_told(self) -> Told {
        match self.get() {
            AnyServer::Server(server) => {
                Told::like(&self.at(server).get().ram.unit, "gigabyte_ram")
            }
            AnyServer::GPUServer(_) | AnyServer::BoaviztaCloudServer(_) => GB_RAM.into(),
        }
    }

    /// The unit that its compute is told in.
    fn compute_told(self) -> Told {
        match self.get() {
            AnyServer::Server(server) => {
                Told::like(&self.at(server).get().compute.unit, "cpu_core")
            }
            AnyServer::GPUServer(server) => Told::like(&self.at(server).get().compute.unit, "gpu"),
            AnyServer::BoaviztaCloudServer(_) => CORES.into(),
        }
    }

    pub(crate) fn compute_unit(self) -> Measure {
        match self.get() {
            AnyServer::Server(_) | AnyServer::BoaviztaCloudServer(_) => CORES,
            AnyServer::GPUServer(_) => GPUS,
        }
    }

    pub(crate) fn server_type(self) -> Strategy {
        self.running().server_type
    }

    pub(crate) fn storage(self) -> At<'e, Storage> {
        self.running().storage
    }

    pub(crate) fn services(self) -> impl Iterator<Item = At<'e, VideoStreaming>> {
        self.referrers()
    }

    /// The jobs that name the server, and those of its services.
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.referrers::<AnyJob>()
            .chain(self.services().flat_map(At::<VideoStreaming>::jobs))
    }
}
