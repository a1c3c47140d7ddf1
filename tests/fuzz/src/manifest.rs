//! The text of a manifest.

use refiner_manifest::Manifest;

use crate::component::MANIFEST;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match Manifest::parse(text) {
        Ok(manifest) => assert!(!manifest.name.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let limits = format!("{MANIFEST}\n[limits]\nfuel = 1000\nmemory-bytes = 65536\n");
    let outputs =
        MANIFEST.replace("outputs = []", "outputs = [{ name = \"a.b\", media-type = \"a/b\", schema = \"c\" }]");
    let columns = MANIFEST.replace(
        "outputs = []",
        "outputs = [{ name = \"a\", media-type = \"application/x-ndjson\", columns = [{ name = \"x\", type = \"list<u256>\", field = \"y\" }] }]",
    );
    [MANIFEST.to_owned(), limits, outputs, columns].map(String::into_bytes).into()
}
