//! Requests to servers.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{CpuServer, JOB};
use crate::objects::Ref;
use crate::values::{CpuCores, Data, Ram, Scalar, Stored, Time};

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

impl Answers for Job {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[JOB];
}
