//! Whole files: read, looked at, written and read again.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::{Path, PathBuf};

use system_builder::model::{Model, read};

fn systems() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systems");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn model(path: &Path) -> Model {
    read(File::open(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn written(model: &Model) -> Vec<u8> {
    let mut file = Vec::new();
    model.write(&mut file).unwrap();
    file
}

#[test]
fn every_system_survives_writing() {
    for path in systems() {
        let first = model(&path);
        let file = written(&first);
        let second = read(&file[..]).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(first == second, "{} differs after writing", path.display());
        assert_eq!(file, written(&second), "{}", path.display());
    }
}
