//! `cargo xtask bench`: every benchmark of the workspace.

use anyhow::{Context as _, Result};
use refiner_authoring::toolchain;
use serde::Deserialize;

use crate::{command, rules, step::Steps};

/// As much of `cargo metadata` as tells the benchmarks.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

pub fn run() -> Result<()> {
    let metadata = command::answer(&mut command::line("cargo metadata --no-deps --locked --format-version 1"))
        .context("cargo metadata gives no answer; `cargo metadata --locked` prints the reason")?;
    let benches = benches(&metadata)?;
    let mut steps = Steps::of(1 + benches.len());
    let rules = steps.take("Build the rules", Some("cargo xtask rules"), || rules::build(&toolchain::find()?))?;
    rules::print(&rules);
    for (package, bench) in &benches {
        let line = format!("cargo bench --locked --package {package} --bench {bench}");
        steps.take(&format!("{package}: {bench}"), Some(&line), || Ok(command::run(&mut command::line(&line))?))?;
    }
    println!("\n{} benchmarks, in {}.", benches.len(), steps.elapsed());
    Ok(())
}

/// Package and name of every benchmark, in order.
fn benches(metadata: &str) -> Result<Vec<(String, String)>> {
    let metadata: Metadata = serde_json::from_str(metadata).context("the answer of cargo metadata")?;
    let mut benches = Vec::new();
    for Package { name, targets } in metadata.packages {
        let named = targets.into_iter().filter(|target| target.kind.iter().any(|kind| kind == "bench"));
        benches.extend(named.map(|target| (name.clone(), target.name)));
    }
    benches.sort();
    Ok(benches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_those_that_cargo_knows() {
        let metadata = r#"{"packages": [
            {"name": "b", "targets": [{"name": "b", "kind": ["lib"]}, {"name": "decode", "kind": ["bench"]}]},
            {"name": "a", "targets": [{"name": "run", "kind": ["bench"]}, {"name": "main", "kind": ["bin"]}]}]}"#;
        let expected = [("a", "run"), ("b", "decode")].map(|(package, bench)| (package.into(), bench.into()));
        assert_eq!(benches(metadata).expect("it is metadata"), expected);
    }
}
