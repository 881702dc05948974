//! The page in a real browser: headless Chromium, driven through chromedriver.
//!
//! Without chromedriver these tests are skipped with a note, unless `CI` is `true`.

#[path = "../binary/mod.rs"]
mod binary;
mod browser;
mod monitoring;
mod results;
mod systems;
