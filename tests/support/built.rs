//! Examples, as a person starts them.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Where cargo puts an example of tower-memory, which it builds before it runs all of its tests.
pub(crate) fn path(name: &str) -> PathBuf {
    let test = env::current_exe().expect("known");
    let profile: &Path = test.ancestors().nth(2).expect("a profile");
    profile.join("examples").join(name)
}
