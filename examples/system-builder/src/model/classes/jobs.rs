//! Requests to servers.

use super::{BoaviztaCloudServer, GPUServer, Server};
use crate::model::class::{class, family};
use crate::model::relations::Ref;
use crate::model::values::{CpuCores, Data, Gpus, Ram, Scalar, Stored, Time};

class! {
    /// A request to a server.
    Job {
        data_transferred: Scalar<Data>,
        data_stored: Scalar<Stored>,
        request_duration: Scalar<Time>,
        ram_needed: Scalar<Ram>,
        compute_needed: Scalar<CpuCores>,
        server: Ref<CpuServer>,
    }
}

class! {
    /// A request to a GPU server.
    GPUJob {
        data_transferred: Scalar<Data>,
        data_stored: Scalar<Stored>,
        request_duration: Scalar<Time>,
        ram_needed: Scalar<Ram>,
        compute_needed: Scalar<Gpus>,
        server: Ref<GPUServer>,
    }
}

family! {
    /// A server that computes on processor cores.
    CpuServer { Server, BoaviztaCloudServer }
}
