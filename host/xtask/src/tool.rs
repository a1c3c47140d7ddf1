//! Cargo subcommands that do not come with Rust.

use anyhow::Result;

use crate::command;

/// Makes sure that `cargo <subcommand>` is there, installing `package` if not.
pub fn ensure(subcommand: &str, package: &str) -> Result<()> {
    if command::answer(command::cargo().args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    println!("      {package} is not here; installing it, which takes some minutes");
    Ok(command::run(&mut command::line(&format!("cargo install {package} --locked")))?)
}
