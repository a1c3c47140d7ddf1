//! Manifests of an OCI registry.

use refiner_sources::fuzz;

pub fn run(bytes: &[u8]) {
    fuzz::read_manifest(bytes);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let layer = format!(r#"{{"mediaType":"application/wasm","digest":"{digest}","size":7}}"#);
    let config = format!(r#"{{"mediaType":"application/vnd.wasm.config.v0+json","digest":"{digest}","size":2}}"#);
    [
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#),
        format!(r#"{{"schemaVersion":2,"manifests":[{layer},{layer}]}}"#),
    ]
    .map(String::into_bytes)
    .into()
}
