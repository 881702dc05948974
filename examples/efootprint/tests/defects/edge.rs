//! What takes several objects of a fleet to see.

use crate::edit::{defect, defect_of, edited, refused, scalar};
use efootprint::DefectKind;
use serde_json::json;

#[test]
fn a_component_need_is_in_the_unit_of_its_component() {
    refused(
        "/RecurrentEdgeComponentNeed/needram/recurrent_need/unit",
        json!("cpu_core"),
        DefectKind::WrongDimension,
        "RecurrentEdgeComponentNeed `needram`: attribute `recurrent_need` has unit `cpu_core`, \
         expected a RAM size such as `GB_ram`.",
    );
    refused(
        "/RecurrentEdgeComponentNeed/needw/recurrent_need/unit",
        json!("occurrence"),
        DefectKind::WrongDimension,
        "RecurrentEdgeComponentNeed `needw`: attribute `recurrent_need` has unit `occurrence`, \
         expected what the component provides such as `GB_ram`.",
    );
}

#[test]
fn groups_do_not_contain_themselves() {
    let defect = defect(
        "/EdgeDeviceGroup/G/sub_group_counts",
        json!({"Root": scalar(json!(1), "dimensionless")}),
    );
    assert_eq!(defect.kind, DefectKind::CircularReference);
    assert!(
        defect.message.ends_with(
            "attribute `sub_group_counts` leads back to a group it started from; take one of the sub-groups out."
        ),
        "{defect}"
    );
}

#[test]
fn a_group_above_a_circle_is_not_the_one_to_mend() {
    let group = |id: &str, below: &str| {
        json!({
            "name": id, "id": id, "edge_device_counts": {},
            "sub_group_counts": {below: scalar(json!(1), "dimensionless")},
        })
    };
    let mut file = edited([]);
    let groups = file["EdgeDeviceGroup"].as_object_mut().unwrap();
    groups.insert("A".into(), group("A", "B"));
    groups.insert("B".into(), group("B", "C"));
    groups.insert("C".into(), group("C", "B"));
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::CircularReference);
    let named = defect.object.as_deref();
    assert!(matches!(named, Some("B" | "C")), "{defect:?}");
}
