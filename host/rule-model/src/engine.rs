//! The settings of the engine that a verdict could depend on, named and hashed.

use alloy_primitives::B256;
use refiner_manifest::{Capability as Requested, Manifest};
use sha2::{Digest, Sha256};

/// The release of wasmtime in use. A test holds it to `Cargo.lock`.
pub const WASMTIME_VERSION: &str = "48.0.8";
/// Guest stack. Native stacks of threads that run rules must be larger: 2 MiB, what std gives, is enough.
pub const WASM_STACK_BYTES: usize = 1 << 20;

/// The text that the profile's id is the hash of. One `name=value` line each; changing behaviour without changing a line is a bug.
pub const SETTINGS: &[(&str, &str)] = &[
    ("profile", "refiner-2"),
    ("wasmtime", WASMTIME_VERSION),
    ("target", "x86_64 without extensions"),
    ("compiler", "cranelift, speed"),
    ("component-model", "sync only"),
    (
        "fuel",
        "on, operators by the table 5312a65242ab452a, 1 a bulk byte, 8 a bulk element, 16 a grown element, 255 a grown page",
    ),
    ("fuel-of-imports", "1600 a call, 8 a copied byte, 24 a random byte, 256 a line of output, 32 a log looked at"),
    ("epoch", "on"),
    ("nan-canonicalization", "on"),
    ("wasm-stack-bytes", "1048576"),
    ("proposals-on", "bulk-memory extended-const multi-memory multi-value reference-types simd tail-call"),
    (
        "proposals-off",
        "custom-page-sizes exceptions function-references gc memory64 relaxed-simd stack-switching threads wide-arithmetic",
    ),
];

/// Settings for a rule that was granted WASI: its results depend on what stands in for the system.
pub const WASI_SETTINGS: &[(&str, &str)] = &[
    ("wasi", "sealed 0.2: no files, sockets, arguments or variables; input is empty, output is the log"),
    (
        "wasi-clocks",
        "begin at the block's timestamp; a wait ends at once and moves them to its end; the monotonic one is never 0",
    ),
    ("wasi-random", "refiner:wasi-random-1, from the specimen's hash"),
    ("wasi-fuel", "128 a handle waited for"),
];

/// Settings for a rule whose outputs have columns.
pub const COLUMN_SETTINGS: &[(&str, &str)] = &[("fuel-of-rows", "8 a checked byte")];

/// Settings for a rule that reads changes of state.
pub const STATE_CHANGE_SETTINGS: &[(&str, &str)] =
    &[("fuel-of-state-changes", "1024 a search of deployed code, 64 a step searched")];

/// The profile's name, `"refiner-2"`.
pub const NAME: &str = SETTINGS[0].1;

/// sha256 over the settings that concern every rule.
pub fn id() -> B256 {
    digest(SETTINGS.iter())
}

/// sha256 over the settings that concern a rule with this manifest. Those of what it does not use do not change its identity.
pub fn id_for(manifest: &Manifest) -> B256 {
    let has_columns = manifest.outputs.iter().any(|output| !output.columns.is_empty());
    let reads_changes = manifest.capabilities.contains(&Requested::StateChanges);
    let groups = [
        (SETTINGS, true),
        (WASI_SETTINGS, manifest.wasi.is_some()),
        (COLUMN_SETTINGS, has_columns),
        (STATE_CHANGE_SETTINGS, reads_changes),
    ];
    digest(groups.into_iter().filter(|(_, concerns)| *concerns).flat_map(|(settings, _)| settings))
}

fn digest<'a>(settings: impl Iterator<Item = &'a (&'a str, &'a str)>) -> B256 {
    let mut hash = Sha256::new();
    for (name, value) in settings {
        hash.update(format!("{name}={value}\n"));
    }
    B256::from(<[u8; 32]>::from(hash.finalize()))
}
