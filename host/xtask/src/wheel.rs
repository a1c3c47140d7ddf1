//! `cargo xtask wheel`: the Python package as a wheel in `target/wheels`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use refiner_wheel::{Compression, of_repository};

use crate::{command, step::Steps, tree};

/// A release build of the extension alone: it links no test.
const RELEASE: &str = "cargo build --release --locked --package refiner-python";
/// The extension as the tests have it, from the artifacts that they are built of.
const DEVELOPMENT: &str = "cargo build --workspace --locked --test wheel";

/// The Python package.
#[derive(clap::Args)]
pub struct Arguments {
    /// Packs the extension of a development build, for trying things out: larger and slower, and ready sooner.
    #[arg(long)]
    dev: bool,
}

/// Builds the extension and packs it.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut steps = Steps::of(2);
    let (line, built) = if arguments.dev {
        (DEVELOPMENT, "target/debug/deps/librefiner_python.so")
    } else {
        (RELEASE, "target/release/librefiner_python.so")
    };
    steps.take("Build the extension", Some("cargo xtask wheel"), || Ok(command::run(&mut command::line(line))?))?;
    let path = steps.take("Pack the wheel", Some("cargo xtask wheel"), || {
        let wheel = of_repository(&tree::root(), env!("CARGO_PKG_VERSION"), &tree::root().join(built))
            .with_context(|| format!("{built} and the sources of the package cannot be packed"))?;
        let compression = if arguments.dev { Compression::Stored } else { Compression::Deflated };
        let directory = tree::root().join("target/wheels");
        fs::create_dir_all(&directory)?;
        let path = directory.join(wheel.file_name());
        fs::write(&path, wheel.to_bytes(compression)?)?;
        Ok::<PathBuf, _>(path)
    })?;
    println!("      {} MB: pip install {}", fs::metadata(&path)?.len() / 1_000_000, path.display());
    Ok(())
}
