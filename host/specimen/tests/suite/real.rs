//! The real specimens, where they are.

use std::path::{Path, PathBuf};

/// One real specimen and what is known of it.
pub struct RealSpecimen {
    pub name: String,
    pub bytes: Vec<u8>,
    pub vector: serde_json::Value,
}

impl RealSpecimen {
    /// A text of its entry in `vectors.json`.
    pub fn text(&self, key: &str) -> &str {
        self.vector[key].as_str().unwrap()
    }

    /// The producer's own header, receipts and withdrawals of the block.
    pub fn producers_view(&self) -> serde_json::Value {
        let file = shared().join("specimens").join(self.name.replace(".avro", ".receipts.json"));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }
}

/// All of them, or none with a printed line.
pub fn specimens() -> Vec<RealSpecimen> {
    let folder = shared().join("specimens");
    let Ok(vectors) = std::fs::read(folder.join("vectors.json")) else {
        println!("skipped: ../shared/specimens not present");
        return Vec::new();
    };
    let vectors: Vec<serde_json::Value> = serde_json::from_slice(&vectors).unwrap();
    let read = |vector: serde_json::Value| {
        let name = vector["file"].as_str().unwrap().to_owned();
        RealSpecimen { bytes: std::fs::read(folder.join(&name)).unwrap(), name, vector }
    };
    vectors.into_iter().map(read).collect()
}

/// Real files of the network in older codecs, or none with a printed line.
pub fn cases() -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(shared().join("cases/real")) else {
        println!("skipped: ../shared/cases/real not present");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let specimens = paths.filter(|path| path.extension().is_some_and(|extension| extension == "avro"));
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    specimens.map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

fn shared() -> PathBuf {
    let beside_the_workspace = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("REFINER_SHARED").map_or_else(beside_the_workspace, PathBuf::from)
}
