//! Files of older versions, converted, against what the reference implementation computes of them.

use std::path::Path;
use std::{env, fs};

use crate::computed::computed;
use crate::expected::{Expected, difference, read_expected};

/// In what the results of a file differ from the expected ones, and how many were compared.
pub(crate) fn differences(file: &[u8], expected: &Expected) -> (Vec<String>, usize) {
    let computed = computed(file);
    let mut compared = 0;
    let mut differences = Vec::new();
    for (id, object) in &expected.objects {
        let attributes = &computed["objects"][id]["attributes"];
        for (attribute, want) in &object.attributes {
            compared += 1;
            if let Some(why) = difference(&attributes[attribute], want, attribute) {
                differences.push(format!("{} {id}.{attribute}: {why}", object.class));
            }
        }
    }
    (differences, compared)
}

/// How many attributes are compared of a file of that version.
#[track_caller]
fn assert_equal(version: &str, attributes: usize) {
    let path = format!("tests/versions/{version}.json");
    let file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let expected: Expected = read_expected(&format!("{version}.expected.json"));
    let (differences, compared) = differences(&file, &expected);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(compared, attributes);
    let model = efootprint::read(&file[..]).unwrap();
    let number = version.trim_start_matches(['v', '0']);
    let first = format!("The file is of version {number} and was converted to 27.");
    assert_eq!(model.remarks()[0], first);
    // What is written is of today, and the same system.
    let mut written = Vec::new();
    model.write(&mut written).unwrap();
    let again = efootprint::read(&written[..]).unwrap();
    assert!(again == model && again.remarks().is_empty());
}

macro_rules! versions {
    ($($test:ident: $version:literal, $attributes:literal;)*) => {$(
        #[test]
        fn $test() {
            assert_equal($version, $attributes);
        }
    )*};
}

versions! {
    a_file_of_version_9_is_the_system_that_the_reference_makes_of_it: "v09", 166;
    a_file_of_version_10_is_the_system_that_the_reference_makes_of_it: "v10", 175;
    a_file_of_version_11_is_the_system_that_the_reference_makes_of_it: "v11", 250;
    a_file_of_version_12_is_the_system_that_the_reference_makes_of_it: "v12", 280;
    a_file_of_version_13_is_the_system_that_the_reference_makes_of_it: "v13", 280;
    a_file_of_version_14_is_the_system_that_the_reference_makes_of_it: "v14", 351;
    a_file_of_version_15_is_the_system_that_the_reference_makes_of_it: "v15", 320;
    a_file_of_version_16_is_the_system_that_the_reference_makes_of_it: "v16", 320;
    a_file_of_version_17_is_the_system_that_the_reference_makes_of_it: "v17", 306;
    a_file_of_version_18_is_the_system_that_the_reference_makes_of_it: "v18", 336;
    a_file_of_version_19_is_the_system_that_the_reference_makes_of_it: "v19", 309;
    a_file_of_version_20_is_the_system_that_the_reference_makes_of_it: "v20", 310;
    a_file_of_version_21_is_the_system_that_the_reference_makes_of_it: "v21", 310;
    a_file_of_version_22_is_the_system_that_the_reference_makes_of_it: "v22", 333;
    a_file_of_version_23_is_the_system_that_the_reference_makes_of_it: "v23", 333;
}

/// Holds every `NAME.json` of the folder `EFOOTPRINT_FILES` against its `NAME.expected.json`.
#[test]
fn files_of_a_folder_are_the_systems_that_the_reference_makes_of_them() {
    let Some(folder) = env::var_os("EFOOTPRINT_FILES") else {
        eprintln!("skipped: `EFOOTPRINT_FILES` names no folder of files and expected values");
        return;
    };
    let paths = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".expected.json")
    });
    paths.sort();
    let (mut loaded, mut equal, mut expected_of) = (0, 0, 0);
    let mut told = Vec::new();
    for path in &paths {
        let file = fs::read(path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        let expected = fs::read(path.with_extension("expected.json"));
        let expected = expected
            .ok()
            .map(|json| serde_json::from_slice(&json).unwrap());
        expected_of += usize::from(expected.is_some());
        match (efootprint::read(&file[..]), expected) {
            (Err(error), expected) => {
                let fails = expected.map_or("", |_| ", which the reference reads");
                told.push(format!("{name}: {error}{fails}"));
            }
            (Ok(_), None) => loaded += 1,
            (Ok(_), Some(expected)) => {
                loaded += 1;
                let (differences, compared) = differences(&file, &expected);
                equal += usize::from(differences.is_empty());
                let differ = differences.len();
                for difference in differences.into_iter().take(5) {
                    told.push(format!("{name}: {differ} of {compared}: {difference}"));
                }
            }
        }
    }
    let all = paths.len();
    eprintln!("{all} files, {loaded} load, {equal} of {expected_of} equal");
    eprintln!("{}", told.join("\n"));
    // Some differ for the reference's noise: where it takes one large 32-bit number from another,
    // and where it bills idle instances.
    assert!(equal * 100 >= expected_of * 97, "{equal} of {expected_of}");
}
