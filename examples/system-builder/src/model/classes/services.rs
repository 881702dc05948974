//! Services installed on servers.

use super::CpuServer;
use crate::model::class::class;
use crate::model::relations::Ref;
use crate::model::values::{
    CpuCores, CpuPerDataRate, Data, Frequency, OrEmpty, Ram, Resolution, Scalar, Stored, Time,
};

class! {
    /// Video streaming. It takes a part of its server's capacity for itself.
    VideoStreaming {
        server: Ref<CpuServer>,
        base_ram_consumption: OrEmpty<Scalar<Ram>>,
        base_compute_consumption: OrEmpty<Scalar<CpuCores>> = OrEmpty::default(),
        bits_per_pixel: Scalar<Data>,
        static_delivery_cpu_cost: Scalar<CpuPerDataRate>,
        ram_buffer_per_user: Scalar<Ram>,
    }
}

class! {
    /// Watching a video.
    VideoStreamingJob {
        data_stored: Scalar<Stored>,
        service: Ref<VideoStreaming>,
        video_duration: Scalar<Time>,
        resolution: Resolution,
        refresh_rate: Scalar<Frequency>,
    }
}
