//! Units and attributes, named with their object.

use crate::edit::{defect_of, edited, refused};
use efootprint::{DefectKind, ReadError, read};
use serde_json::json;

#[test]
fn an_unknown_unit_is_named_with_its_object() {
    refused(
        "/Server/Srv/power/unit",
        json!("wat"),
        DefectKind::UnknownUnit,
        "Server `Srv`: attribute `power` has unknown unit `wat`, expected a unit such as `watt`.",
    );
    refused(
        "/Country/France/average_carbon_intensity/unit",
        json!("gCO2/kWh"),
        DefectKind::UnknownUnit,
        "Country `France`: attribute `average_carbon_intensity` has unknown unit `gCO2` (in `gCO2/kWh`), \
         expected a unit such as `gram / kilowatt_hour`.",
    );
}

#[test]
fn a_unit_that_measures_something_else_is_named_with_its_object() {
    refused(
        "/Server/Srv/ram/unit",
        json!("kg"),
        DefectKind::WrongDimension,
        "Server `Srv`: attribute `ram` has unit `kg`, expected a RAM size such as `GB_ram`.",
    );
    refused(
        "/Job/Job1/data_stored/unit",
        json!("MB"),
        DefectKind::WrongDimension,
        "Job `Job1`: attribute `data_stored` has unit `MB`, expected a stored volume such as `GB_stored`.",
    );
    refused(
        "/Job/Job1/compute_needed/unit",
        json!("gpu"),
        DefectKind::WrongDimension,
        "Job `Job1`: attribute `compute_needed` has unit `gpu`, \
         expected a number of processor cores such as `cpu_core`.",
    );
}

#[test]
fn a_missing_attribute_is_named_with_its_object() {
    let file = edited([("/Server/Srv/power", None)]);
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::MissingAttribute);
    assert_eq!(defect.class.as_deref(), Some("Server"));
    assert_eq!(defect.object.as_deref(), Some("Srv"));
    assert_eq!(defect.attribute.as_deref(), Some("power"));
    assert_eq!(
        defect.message,
        "Server `Srv`: attribute `power` is missing; every `Server` has it."
    );
}

#[test]
fn every_attribute_is_missed_unless_it_may_be_absent() {
    let absent = [
        "short_name",
        "fraction_of_usage_time",
        "impact_url",
        "fixed_nb_of_instances",
        "base_compute_consumption",
        "power",
        "power_per_unit",
        "idle_power_per_unit",
        "carbon_footprint_manufacturing_per_unit",
    ];
    let whole = edited([]);
    for (class, objects) in whole.as_object().unwrap() {
        if matches!(&**class, "efootprint_version" | "Sources") {
            continue;
        }
        let (id, object) = objects.as_object().unwrap().iter().next().unwrap();
        for attribute in object.as_object().unwrap().keys() {
            let mut file = whole.clone();
            file[class][id].as_object_mut().unwrap().remove(attribute);
            match read(file.to_string().as_bytes()) {
                Ok(_) => assert!(absent.contains(&&**attribute), "{class} {attribute}"),
                Err(ReadError::Invalid(defect)) => {
                    assert_eq!(defect.kind, DefectKind::MissingAttribute, "{defect:?}");
                    assert_eq!(defect.class.as_deref(), Some(&**class));
                    assert_eq!(defect.object.as_deref(), Some(&**id));
                    assert_eq!(defect.attribute.as_deref(), Some(&**attribute));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn an_object_filed_under_the_wrong_class_lacks_the_attributes_of_that_class() {
    let mut file = edited([]);
    file["Server"]["S-SSD"] = file["Storage"]["S-SSD"].take();
    file["Storage"].as_object_mut().unwrap().remove("S-SSD");
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::MissingAttribute);
    assert_eq!(
        defect.message,
        "Server `S-SSD`: attribute `carbon_footprint_manufacturing` is missing; every `Server` has it."
    );
}
