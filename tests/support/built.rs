//! Examples, as a user starts them.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The path of an example of tower-memory. cargo builds examples before it runs all tests.
pub(crate) fn path(name: &str) -> PathBuf {
    let test = env::current_exe().expect("known");
    let profile: &Path = test.ancestors().nth(2).expect("a profile");
    profile.join("examples").join(name)
}
