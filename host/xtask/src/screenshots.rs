//! `cargo xtask screenshots`: pictures of the status page of a daemon at work and of the report page of a replay, for the documentation.

use anyhow::Result;

use crate::{command, tree};

/// The tests that take them, and fail where a page cannot be read.
const TESTS: [&str; 2] = [
    "page::page_is_readable_light_and_dark_on_a_desk_and_on_a_phone",
    "report_page::page_is_readable_light_and_dark_on_a_desk_and_on_a_phone",
];
const FOLDER: &str = "docs/images";

/// Takes the pictures in three minutes, in which the charts fill.
pub fn run() -> Result<()> {
    let mut line =
        command::line("cargo nextest run --workspace --test daemon --test acceptance --locked --no-capture -E");
    line.arg(TESTS.map(|test| format!("test(={test})")).join(" + "));
    line.env("REFINER_BROWSER", "required").env("REFINER_SCREENSHOTS", tree::root().join(FOLDER));
    Ok(command::run(&mut line)?)
}
