//! What changed of deployments in the field.

use std::collections::HashMap;

use super::super::tree::{Json, Map};
use super::told::{Change, Told};
use super::{add_object, amount, made, rename_attribute, rename_block};

/// 11 → 12: the devices of then are the computers of now.
pub(super) fn rename_computers(file: &mut Map, _: &mut Told) {
    rename_block(file, "EdgeProcess", "RecurrentEdgeProcess");
    rename_block(file, "EdgeDevice", "EdgeComputer");
}

/// 11 → 12: what a journey asks of its computer is asked by a function of it.
pub(super) fn make_functions(file: &mut Map, _: &mut Told) {
    let mut functions = Vec::new();
    let mut computers = HashMap::new();
    for (id, journey) in file.objects_mut(&["EdgeUsageJourney"]) {
        let Some(processes) = journey.remove("edge_processes") else {
            continue;
        };
        let computer = journey.remove("edge_device");
        let computer = computer.or_else(|| journey.remove("edge_computer"));
        for process in processes.as_list().into_iter().flatten() {
            if let (Some(process), Some(computer)) = (process.as_text(), &computer) {
                computers.insert(process.to_owned(), computer.clone());
            }
        }
        let function = format!("ef_{id}");
        let name = journey.text("name").unwrap_or_default();
        let name = format!("Edge function for edge usage journey {name}");
        journey.set("edge_functions", Json::List(vec![function.as_str().into()]));
        functions.push((function, name, processes));
    }
    for (id, name, processes) in functions {
        let needs = [("recurrent_edge_resource_needs", processes)];
        let needs = Map(needs.map(|(key, value)| (key.into(), value)).into());
        add_object(file, "EdgeFunction", &id, &name, needs);
    }
    for (id, process) in file.objects_mut(&["RecurrentEdgeProcess"]) {
        if let Some(computer) = computers.remove(id) {
            process.set("edge_device", computer);
        }
        if !process.has("recurrent_storage_needed") {
            let week = format!("[{}0]", "0, ".repeat(167));
            let nothing = Json::from([
                ("recurring_values", week.as_str().into()),
                ("unit", "megabyte".into()),
                ("label", "unnamed source".into()),
                ("source", "hypothesis".into()),
            ]);
            process.set("recurrent_storage_needed", nothing);
        }
    }
}

/// 13 → 14: functions need devices, where they needed resources.
pub(super) fn rename_needs(file: &mut Map, _: &mut Told) {
    let (from, to) = (
        "recurrent_edge_resource_needs",
        "recurrent_edge_device_needs",
    );
    rename_attribute(file, &["EdgeFunction"], from, to);
}

/// 14 → 15: deployments have a network, and functions may ask something of servers.
pub(super) fn connect(file: &mut Map, told: &mut Told) {
    const NETWORK: &str = "default_wifi_network_for_edge";

    if file.has("EdgeUsagePattern") {
        let mut intensity = amount(0.05, "kilowatt_hour / gigabyte");
        if let Some(intensity) = intensity.as_map_mut() {
            intensity.set("label", "Default wifi network bandwidth energy intensity");
        }
        let network = Map(vec![("bandwidth_energy_intensity".into(), intensity)]);
        let name = "Default wifi network for edge";
        add_object(file, "Network", NETWORK, name, network);
    }
    for (_, deployment) in file.objects_mut(&["EdgeUsagePattern"]) {
        deployment.set("network", NETWORK);
        told.tell(Change::Network);
    }
    for (_, function) in file.objects_mut(&["EdgeFunction"]) {
        function.set("recurrent_server_needs", Json::List(Vec::new()));
    }
}

/// 13 → 14, in the words of 27: computers and appliances have their parts as objects, and what is
/// asked of them is asked of the parts.
pub(super) fn make_parts(file: &mut Map, told: &mut Told) {
    let mut made = Made::default();
    let mut disks = HashMap::new();
    for (id, computer) in file.objects_mut(&["EdgeComputer"]) {
        let disk = computer.text("storage").unwrap_or_default().to_owned();
        disks.insert(id.to_owned(), disk.clone());
        if computer.has("components") {
            continue;
        }
        let name = computer.text("name").unwrap_or_default().to_owned();
        let (cpu, ram) = (format!("{id}_cpu"), format!("{id}_ram"));
        let manufacturing = || manufacturing(0.0);
        made.add(
            "EdgeComputerCPUComponent",
            &cpu,
            format!("{name} CPU"),
            vec![manufacturing(), units()],
        );
        let power = ("power_per_unit".into(), amount(0.0, "watt"));
        let idle_power = ("idle_power_per_unit".into(), amount(0.0, "watt"));
        made.add(
            "EdgeComputerRAMComponent",
            &ram,
            format!("{name} RAM"),
            vec![manufacturing(), power, idle_power, units()],
        );
        computer.set("components", ids([&cpu, &ram, &disk]));
        told.tell(Change::Parts);
    }
    for (id, appliance) in file.objects_mut(&["EdgeAppliance"]) {
        if appliance.has("components") {
            continue;
        }
        let name = appliance.text("name").unwrap_or_default();
        let part = format!("{id}_appliance");
        made.add(
            "EdgeApplianceComponent",
            &part,
            format!("{name} appliance"),
            vec![manufacturing(0.0), units()],
        );
        appliance.set("components", ids([&part]));
        told.tell(Change::Parts);
    }
    for (id, process) in file.objects_mut(&["RecurrentEdgeProcess"]) {
        let device = process.text("edge_device").unwrap_or_default().to_owned();
        if process.has(NEEDS) {
            continue;
        }
        let name = process.text("name").unwrap_or_default().to_owned();
        let parts = [
            ("RecurrentEdgeProcessRAMNeed", "RAM", "ram", None),
            ("RecurrentEdgeProcessCPUNeed", "CPU", "cpu", None),
            (
                "RecurrentEdgeProcessStorageNeed",
                "storage",
                "storage",
                disks.get(&device),
            ),
        ];
        let needs = parts.map(|(class, what, short, part)| {
            let need = format!("{id}_{short}_need");
            let part = part.cloned().unwrap_or_else(|| format!("{device}_{short}"));
            made.need(class, &need, format!("{name} {what} need"), &part);
            need
        });
        process.set(NEEDS, ids([&needs[0], &needs[1], &needs[2]]));
        told.tell(Change::Parts);
    }
    for (id, workload) in file.objects_mut(&["RecurrentEdgeWorkload"]) {
        if workload.has(NEEDS) {
            continue;
        }
        let name = workload.text("name").unwrap_or_default();
        let device = workload.text("edge_device").unwrap_or_default();
        let (need, part) = (format!("{id}_workload_need"), format!("{device}_appliance"));
        let name = format!("{name} workload need");
        made.need("RecurrentEdgeWorkloadNeed", &need, name, &part);
        workload.set(NEEDS, ids([&need]));
        told.tell(Change::Parts);
    }
    for (class, id, name, attributes) in made.0 {
        add_object(file, class, &id, &name, Map(attributes));
    }
}

const NEEDS: &str = "recurrent_edge_component_needs";

/// Objects to add: class, id, name and attributes.
#[derive(Default)]
struct Made(Vec<(&'static str, String, String, Attributes)>);

type Attributes = Vec<(Box<str>, Json)>;

impl Made {
    fn add(&mut self, class: &'static str, id: &str, name: String, attributes: Attributes) {
        self.0.push((class, id.to_owned(), name, attributes));
    }

    fn need(&mut self, class: &'static str, id: &str, name: String, part: &str) {
        self.add(
            class,
            id,
            name,
            vec![("edge_component".into(), part.into())],
        );
    }
}

fn manufacturing(kilograms: f64) -> (Box<str>, Json) {
    let value = amount(kilograms, "kilogram");
    ("carbon_footprint_manufacturing_per_unit".into(), value)
}

fn units() -> (Box<str>, Json) {
    let one = made(1.0, Some("dimensionless"), "unnamed source");
    ("nb_of_units".into(), one)
}

fn ids<const N: usize>(ids: [&str; N]) -> Json {
    Json::List(ids.map(Json::from).into())
}
