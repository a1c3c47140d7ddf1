//! `cargo xtask screenshots`: pictures of the status page of a daemon at work, for the documentation.

use anyhow::Result;

use crate::{command, tree};

/// The test that takes them, and fails where the page cannot be read.
const TEST: &str = "page::page_is_readable_light_and_dark_on_a_desk_and_on_a_phone";
const FOLDER: &str = "docs/images";

/// Takes the pictures in three minutes, in which the charts fill.
pub fn run() -> Result<()> {
    let mut line = command::line("cargo nextest run --workspace --test daemon --locked --no-capture -E");
    line.arg(format!("test(={TEST})"));
    line.env("REFINER_BROWSER", "required").env("REFINER_SCREENSHOTS", tree::root().join(FOLDER));
    Ok(command::run(&mut line)?)
}
