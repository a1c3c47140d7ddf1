//! Embeds the built-in rules: every component that `cargo xtask rules` left in `target/rules`.

use std::{env, fmt::Write as _, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=REFINER_RULES_DIR");
    let rules = env::var_os("REFINER_RULES_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/rules"), PathBuf::from);
    println!("cargo::rerun-if-changed={}", rules.display());

    let mut components: Vec<PathBuf> = match fs::read_dir(&rules) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    components.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    components.sort();
    if components.is_empty() {
        println!("cargo::warning=no rules in {}: run `cargo xtask rules` first to embed them", rules.display());
    }

    let mut table = String::from("[\n");
    for path in components {
        let path = path.canonicalize()?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    fs::write(out.join("builtin.rs"), table)
}
