//! How the footprints of devices are split.

use super::rows::{Row, Stream, Way};
use crate::classes::{
    AnyEdgeComponent, AnyEdgeDevice, Device, EdgeUsagePattern, Path, Phase, Resource,
    UsageJourneyStep, UsedInPatterns,
};
use crate::engine::{At, Failure};
use crate::series::sum;

pub(crate) fn split_device(device: At<'_, Device>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for pattern in device.usage_patterns() {
        let country = pattern.of().country();
        let hourly_use = device.hourly_energy() * pattern.of().carbon_intensity();
        let hourly_manufacturing = device.hourly_manufacturing_footprint()?;
        for (journey, _) in pattern.journeys() {
            for step in journey.steps() {
                device.check_cancelled()?;
                let step: At<'_, UsageJourneyStep> = step.step;
                let at_step = step.hourly_avg_occurrences(pattern, journey)?;
                let hours = at_step.map_or(0.0, |at_step| at_step.sum());
                for (phase, of_hour) in [
                    (Phase::Manufacturing, hourly_manufacturing),
                    (Phase::Use, hourly_use),
                ] {
                    rows.push(Row {
                        source: device.index() as u32,
                        stream: Stream::Single,
                        phase,
                        value: hours * of_hour,
                        way: Way {
                            step: Some(step.index() as u32),
                            journey: journey.index() as u32,
                            pattern: pattern.index() as u32,
                            country: country.index() as u32,
                            ..Way::default()
                        },
                    });
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn split_edge_device(
    device: At<'_, AnyEdgeDevice>,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    for pattern in device.usage_patterns() {
        let components = device.components();
        let (needed, unused): (Vec<At<'_, AnyEdgeComponent>>, Vec<_>) = components
            .iter()
            .partition(|component| component.usage_patterns().contains(&pattern));
        for component in &needed {
            split_component(device, *component, components.len(), pattern, rows)?;
        }
        if unused.is_empty() && !components.is_empty() {
            continue;
        }
        // What nothing is asked of is carried by all that is asked of the device.
        let structure = device
            .structure_footprint(pattern)?
            .map_or(0.0, |series| series.sum());
        let share = match components.len() {
            0 => 1.0,
            all => unused.len() as f64 / all as f64,
        };
        let mut pool = structure * share;
        for component in unused {
            let footprint = component.unused_footprint(pattern)?;
            pool += device.number() * footprint.map_or(0.0, |footprint| footprint.sum());
        }
        carry(device, &needed, pattern, pool, rows);
    }
    Ok(())
}

/// Splits the footprint of one component of a device in one pattern by the needs of it.
fn split_component<'e>(
    device: At<'e, AnyEdgeDevice>,
    component: At<'e, AnyEdgeComponent>,
    components: usize,
    pattern: At<'e, EdgeUsagePattern>,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let number = device.number() as f32;
    let structure_share = 1.0 / components as f32;
    let (Some(own), Some(structure), devices) = (
        component.manufacturing_footprint(pattern)?,
        device.structure_footprint(pattern)?,
        pattern.deployments()?,
    ) else {
        return Ok(());
    };
    let manufacturing = own.with(&structure, |own, structure| {
        number * own + structure_share * structure
    })?;
    let standing = if component.resource() == Resource::Storage {
        devices.filled_with(0.0)
    } else {
        let hourly = component.standing_power()? / 1000.0 * pattern.of().carbon_intensity();
        devices.times(hourly * device.number())
    };
    let by_load = match component.use_footprint(pattern)? {
        Some(used) => used.with(&standing, |used, standing| number * used - standing)?,
        None => devices.filled_with(0.0),
    };
    let needs = component.needs_in(pattern);
    let count = needs.len() as f32;
    let levels = needs
        .iter()
        .map(|need| need.level(pattern))
        .collect::<Result<Vec<_>, _>>()?;
    let all = sum(levels.iter().cloned().map(Ok::<_, Failure>))?;
    for (need, level) in needs.iter().zip(levels) {
        let (Some(level), Some(all)) = (level, &all) else {
            continue;
        };
        let share = level.with(
            all,
            |level, all| if all == 0.0 { 1.0 / count } else { level / all },
        )?;
        for (phase, value) in [
            (Phase::Manufacturing, manufacturing.dot(&share)),
            (
                Phase::Use,
                standing.sum() / f64::from(count) + by_load.dot(&share),
            ),
        ] {
            let all: f64 = need.times(pattern);
            for (device_need, path) in need.paths().filter(|(_, path)| path.pattern == pattern) {
                rows.push(Row {
                    source: device.index() as u32,
                    stream: Stream::Single,
                    phase,
                    value: value * path.times / all,
                    way: Way {
                        component_need: Some(need.index() as u32),
                        device_need: Some(device_need.index() as u32),
                        ..way_of(&path)
                    },
                });
            }
        }
    }
    Ok(())
}

/// Splits what the unused parts of a device took among all that is asked of it.
fn carry<'e>(
    device: At<'e, AnyEdgeDevice>,
    needed: &[At<'e, AnyEdgeComponent>],
    pattern: At<'e, EdgeUsagePattern>,
    pool: f64,
    rows: &mut Vec<Row>,
) {
    let needs: Vec<_> = needed
        .iter()
        .flat_map(|component| component.needs_in(pattern))
        .collect();
    let server_needs = device.server_needs();
    let server_needs: Vec<_> = server_needs
        .filter(|need| need.usage_patterns().contains(&pattern))
        .collect();
    let share = pool / (needs.len() + server_needs.len()) as f64;
    let mut add = |value: f64, way: Way| {
        rows.push(Row {
            source: device.index() as u32,
            stream: Stream::Single,
            phase: Phase::Manufacturing,
            value,
            way,
        });
    };
    for need in needs {
        let all: f64 = need.times(pattern);
        for (device_need, path) in need.paths().filter(|(_, path)| path.pattern == pattern) {
            let way = Way {
                component_need: Some(need.index() as u32),
                device_need: Some(device_need.index() as u32),
                ..way_of(&path)
            };
            add(share * path.times / all, way);
        }
    }
    for need in server_needs {
        let all: f64 = need.times(pattern);
        for path in need.paths().filter(|path| path.pattern == pattern) {
            let way = Way {
                server_need: Some(need.index() as u32),
                ..way_of(&path)
            };
            add(share * path.times / all, way);
        }
    }
}

fn way_of(path: &Path<'_>) -> Way {
    Way {
        function: Some(path.function.index() as u32),
        journey: path.journey.index() as u32,
        pattern: path.pattern.index() as u32,
        country: path.pattern.of().country().index() as u32,
        ..Way::default()
    }
}
