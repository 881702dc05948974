//! The floors of the engine: a module imports from those below it and from none above.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the ground up; those of one line know nothing of each other.
const FLOORS: [&[&str]; 8] = [
    &["bytes", "hours", "error"],
    &["units", "series"],
    &["values"],
    &["objects", "catalogues"],
    &["files", "engine"],
    &["classes"],
    &["attribution", "computed", "footprint"],
    &["diagram"],
];

fn floor_of(module: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&module));
    floor.unwrap_or_else(|| panic!("`{module}` stands on no floor: give it one in this test"))
}

/// The files of a folder, and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths = paths.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The modules that a source text names from the root of the crate.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().filter(|line| !line.trim().starts_with("//"));
    let names = code.flat_map(|line| line.split("crate::").skip(1));
    names.map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn no_module_imports_from_its_floor_or_one_above() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut looked_at = 0;
    for file in files(&source) {
        let place = file.strip_prefix(&source).unwrap();
        let module = place.iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        looked_at += 1;
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            assert!(
                import == module || floor_of(import) < floor_of(module),
                "{} imports from `{import}`, which stands no lower",
                place.display()
            );
        }
    }
    assert!(looked_at > 80, "{looked_at} files");
}
