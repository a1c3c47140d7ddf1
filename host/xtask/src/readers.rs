//! `cargo xtask readers`: DuckDB, Polars and pandas, for the tests that open tables with them.
//!
//! They go to `target/readers`. Where they cannot be installed the reason is left there, and the tests print it.

use std::{fs, path::PathBuf};

use anyhow::Result;

use crate::{command, step::Steps, tree};

/// Packages from PyPI. Polars and pandas read Arrow through pyarrow.
const PACKAGES: [&str; 4] = ["duckdb==2.0.1", "pandas==3.1.1", "polars==2.1.0", "pyarrow==26.0.1"];

/// Installs the readers and prints what is there.
pub fn run() -> Result<()> {
    let installed = Steps::of(1).take("Install the readers of tables", None, install)?;
    println!("      {installed}");
    Ok(())
}

/// Installs what is not there yet. A line for a person: the packages, or why there are none.
pub fn install() -> Result<String> {
    let (wanted, ready) = (PACKAGES.join("\n"), directory().join("ready"));
    if fs::read_to_string(&ready).is_ok_and(|found| found == wanted) {
        return Ok(PACKAGES.join(", "));
    }
    fs::create_dir_all(directory())?;
    let installed = command::run(command::program("python3").args(["-m", "venv"]).arg(directory())).and_then(|()| {
        let mut pip = command::program(directory().join("bin/python"));
        command::run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))
    });
    let reason = directory().join("skipped");
    match installed {
        Ok(()) => {
            fs::write(&ready, &wanted)?;
            fs::remove_file(reason).ok();
            Ok(PACKAGES.join(", "))
        }
        Err(error) => {
            let why = format!("DuckDB, Polars and pandas cannot be installed: {error}");
            fs::remove_file(ready).ok();
            fs::write(reason, &why)?;
            Ok(format!("skipped: {why}"))
        }
    }
}

fn directory() -> PathBuf {
    tree::root().join("target/readers")
}
