//! How often jobs run, and what they move and store.

use crate::classes::declare::attributes;
use crate::classes::{AnyJob, AnyUsagePattern, Coordinate};
use crate::engine::{At, Entries, Failure};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, MB, MB_STORED, OCCURRENCES};
use crate::values::Amount;

attributes! {
    /// What every job has, whatever its class.
    JOB of AnyJob {
        "4.6" hourly_occurrences_per_usage_pattern [OCCURRENCES]
            = "over the steps with this job: occurrences of the pattern, later by the time that passes before the step, × times" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_occurrences(pattern))
            }));
        "4.6" hourly_avg_occurrences_per_usage_pattern [CONCURRENT]
            = "requests in progress: hourly occurrences, for the request duration" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_avg_occurrences(pattern))
            }));
        "7" hourly_avg_occurrences_per_coordinate [CONCURRENT]
            = "requests in progress that one place in the usage tree starts" =>
            |job| Entries(job.hourly_avg_occurrences_by_place().map(|(place, requests)| {
                (place.path(), requests)
            }));
        "4.6" hourly_avg_occurrences_across_usage_patterns [CONCURRENT]
            = "sum over patterns" => |job| job.hourly_avg_occurrences_across();
        "4.6" hourly_data_transferred_per_usage_pattern [MB]
            = "requests in progress × data transferred × 1 hour ÷ request duration" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_data_transferred(pattern))
            }));
        "7" hourly_data_transferred_per_coordinate [MB]
            = "the same, for requests that one place in the usage tree starts" =>
            |job| Entries(job.hourly_avg_occurrences_by_place().map(move |(place, requests)| {
                (place.path(), requests.and_then(|requests| job.hourly_data_transferred_by(requests)))
            }));
        "4.6" hourly_data_transferred_across_usage_patterns [MB]
            = "sum over patterns" => |job| sum(job.usage_patterns().into_iter().map(|pattern| {
                job.hourly_data_transferred(pattern)
            }));
        "4.6" hourly_data_stored_per_usage_pattern [MB_STORED]
            = "requests in progress × data stored × 1 hour ÷ request duration" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_data_stored(pattern))
            }));
        "4.6" hourly_data_stored_across_usage_patterns [MB_STORED]
            = "sum over patterns" => |job| job.hourly_data_stored_across();
    }
}

impl<'e> At<'e, AnyJob> {
    /// What it moves over networks. That takes what its server takes too, and is best known before
    /// that is forgotten.
    pub(crate) fn move_data(self) -> Result<(), Failure> {
        for pattern in self.usage_patterns() {
            pattern.network().use_footprint_of(self)?;
        }
        Ok(())
    }

    fn hourly_occurrences_at(self, place: &Coordinate<'e>) -> Result<Option<Series>, Failure> {
        self.check_cancelled()?;
        match *place {
            Coordinate::Step {
                pattern,
                delay,
                times,
                ..
            } => match pattern.utc_hourly_occurrences()? {
                Some(starts) => Ok(Some(starts.times(times).later(delay)?)),
                None => Ok(None),
            },
            Coordinate::Need {
                pattern,
                need,
                times,
            } => {
                let devices = pattern.nb_deployments_in_parallel()?;
                let volume = need.unitary_hourly_volume(pattern)?;
                Ok(match devices.zip(volume) {
                    Some((devices, volume)) => {
                        let times = times as f32;
                        Some(volume.with(&devices, |volume, devices| volume * devices * times)?)
                    }
                    None => None,
                })
            }
        }
    }

    pub(crate) fn hourly_occurrences(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Hours, Failure> {
        let places = self.places_in(pattern);
        sum(places.iter().map(|place| self.hourly_occurrences_at(place)))
    }

    pub(crate) fn hourly_avg_occurrences(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("hourly_avg_occurrences", pattern.index(), || {
            let duration = self.request_duration()?.total();
            match self.hourly_occurrences(pattern)? {
                Some(occurrences) => Ok(occurrences.aged(0.0, duration)?),
                None => Ok(None),
            }
        })
    }

    /// Requests in progress that each place starts. There may be many places.
    pub(crate) fn hourly_avg_occurrences_by_place(
        self,
    ) -> impl Iterator<Item = (Coordinate<'e>, Result<Hours, Failure>)> {
        let patterns = self.usage_patterns().into_iter();
        patterns.flat_map(move |pattern| {
            let places = self.places_in(pattern);
            let is_only = places.len() == 1;
            places.into_iter().map(move |place| {
                let requests = match is_only {
                    true => self.hourly_avg_occurrences(pattern),
                    false => self.hourly_avg_occurrences_at(&place),
                };
                (place, requests)
            })
        })
    }

    fn hourly_avg_occurrences_at(self, place: &Coordinate<'e>) -> Result<Hours, Failure> {
        let duration = self.request_duration()?.total();
        Ok(match self.hourly_occurrences_at(place)? {
            Some(occurrences) => occurrences.aged(0.0, duration)?.map(Into::into),
            None => None,
        })
    }

    pub(crate) fn hourly_avg_occurrences_across(self) -> Result<Hours, Failure> {
        self.shared("hourly_avg_occurrences_across_usage_patterns", || {
            let patterns = self.usage_patterns().into_iter();
            sum(patterns.map(|pattern| pattern.adding(self.hourly_avg_occurrences(pattern))))
        })
    }

    /// What an hour of requests in progress moves of `data`, which a request moves.
    fn hourly(self, data: &Amount, requests: &Series) -> Result<Series, Failure> {
        let duration = self.request_duration()?;
        let rate = (data.value / duration.value) as f32;
        let conversion = (data.factor / duration.factor) as f32;
        Ok(requests.map(|requests| requests * rate * conversion))
    }

    pub(crate) fn hourly_data_transferred(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Option<Series>, Failure> {
        self.hourly_data_transferred_by(self.hourly_avg_occurrences(pattern)?)
    }

    fn hourly_data_transferred_by(self, requests: Hours) -> Result<Option<Series>, Failure> {
        let data = self.data_transferred();
        requests
            .map(|requests| self.hourly(&data, &requests))
            .transpose()
    }

    fn hourly_data_stored(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Option<Series>, Failure> {
        let requests = self.hourly_avg_occurrences(pattern)?;
        requests
            .map(|requests| self.hourly_data_stored_by(&requests))
            .transpose()
    }

    /// What an hour of a request in progress transfers, in MB.
    pub(crate) fn data_of_request_in_progress(self) -> Result<f64, Failure> {
        Ok(self.data_transferred().total() / self.request_duration()?.total())
    }

    /// What so many requests in progress store by the hour.
    pub(crate) fn hourly_data_stored_by(self, requests: &Series) -> Result<Series, Failure> {
        self.hourly(&self.data_stored(), requests)
    }

    pub(crate) fn hourly_data_stored_across(self) -> Result<Hours, Failure> {
        self.shared("hourly_data_stored_across_usage_patterns", || {
            let patterns = self.usage_patterns().into_iter();
            sum(patterns.map(|pattern| pattern.adding(self.hourly_data_stored(pattern))))
        })
    }
}
