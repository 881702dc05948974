//! Requests to GPU servers.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{GPUServer, JOB};
use crate::objects::Ref;
use crate::values::{Data, Gpus, Ram, Scalar, Stored, Time};

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

impl Answers for GPUJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[JOB];
}
