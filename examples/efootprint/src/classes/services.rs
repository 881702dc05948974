//! Services installed on servers.

use super::declare::{Answers, Category, Checks, Column, ModelOf, Tables, attributes, class};
use super::{AnyJob, CpuServer, JOB};
use crate::engine::{At, Failure};
use crate::objects::{AttributeFault, Ref};
use crate::series::{Hours, sum};
use crate::units::measure::{BITS_PER_SECOND, CORES, GB_RAM, HOUR, MB};
use crate::values::Amount;
use crate::values::{
    CpuCores, CpuPerDataRate, Data, Frequency, OrEmpty, Ram, Resolution, Scalar, Stored, Time,
    not_permitted,
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

/// The resolutions of videos, as labels.
const RESOLUTIONS: [&str; 7] = [
    "480p (640 x 480)",
    "720p (1280 x 720)",
    "1080p (1920 x 1080)",
    "1440p (2560 x 1440)",
    "2K (2048 x 1080)",
    "4K (3840 x 2160)",
    "8K (7680 x 4320)",
];

impl Answers for VideoStreaming {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl Answers for VideoStreamingJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::each(Self::check);
    const TABLES: Tables<Self> = &[VIDEO_STREAMING_JOB, JOB];
}

attributes! {
    VIDEO_STREAMING_JOB of VideoStreamingJob {
        "E1.3" request_duration [HOUR] = "duration of the video" => |job| job.get().video_duration.hours();
        "E1.3" dynamic_bitrate [BITS_PER_SECOND]
            = "pixels × bits per pixel × refresh rate" => |job| job.bitrate();
        "E1.3" data_transferred [MB]
            = "duration × bitrate" => |job| job.data_transferred();
        "E1.3" compute_needed [CORES]
            = "delivery cost of the service × bitrate" => |job| job.compute_needed();
        "E1.3" ram_needed [GB_RAM]
            = "buffer of the service for each user" => |job| job.ram_needed().total();
    }
}

impl VideoStreamingJob {
    /// Whether a video may have that resolution.
    pub(super) fn check(&self, _: &ModelOf<Self>) -> Result<(), AttributeFault> {
        if RESOLUTIONS.contains(&&*self.resolution.value) {
            return Ok(());
        }
        let expected = format!("one of {}", RESOLUTIONS.join(", "));
        Err((
            "resolution",
            not_permitted(&self.resolution.value, &expected),
        ))
    }
}

impl<'e> At<'e, VideoStreaming> {
    pub(super) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.referrers::<AnyJob>()
    }

    /// RAM that it takes of each instance, in GB.
    pub(crate) fn base_ram(self) -> f64 {
        self.get()
            .base_ram_consumption
            .as_option()
            .map_or(0.0, Scalar::<Ram>::gb)
    }

    /// Compute that it takes of each instance, in cores.
    pub(crate) fn base_compute(self) -> f64 {
        self.get()
            .base_compute_consumption
            .as_option()
            .map_or(0.0, Scalar::<CpuCores>::cores)
    }

    /// Requests in progress, of all its jobs.
    pub(crate) fn total_job_volume(self) -> Result<Hours, Failure> {
        sum(self.jobs().map(At::<AnyJob>::hourly_avg_occurrences_across))
    }
}

impl<'e> At<'e, VideoStreamingJob> {
    fn service(self) -> At<'e, VideoStreaming> {
        self.at(self.get().service)
    }

    /// In bits a second.
    fn bitrate(self) -> f64 {
        let job = self.get();
        let pixels = f64::from(job.resolution.width) * f64::from(job.resolution.height);
        pixels * self.service().get().bits_per_pixel.bits() * job.refresh_rate.per_second()
    }

    /// In MB.
    pub(super) fn data_transferred(self) -> f64 {
        self.get().video_duration.hours() * 3600.0 * self.bitrate() / 8e6
    }

    /// In cores.
    pub(super) fn compute_needed(self) -> f64 {
        self.service()
            .get()
            .static_delivery_cpu_cost
            .core_seconds_per_bit()
            * self.bitrate()
    }

    /// In GB.
    pub(super) fn ram_needed(self) -> Amount {
        self.service()
            .get()
            .ram_buffer_per_user
            .amount_in("gigabyte_ram")
    }
}
