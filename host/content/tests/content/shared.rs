//! The real files beside the project, when this machine has them.

use std::{env, fs, path::PathBuf};

use serde_json::Value;

/// File and content id of every real specimen whose id was published.
pub fn known_files() -> Vec<(PathBuf, String)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let dir = env::var_os("REFINER_SHARED").map_or(beside, PathBuf::from).join("specimens");
    let Ok(vectors) = fs::read(dir.join("vectors.json")) else {
        eprintln!("skipped: ../shared/specimens not present");
        return Vec::new();
    };
    let vectors: Vec<Value> = serde_json::from_slice(&vectors).unwrap();
    let known = |vector: &Value| Some((dir.join(vector["file"].as_str()?), vector["cid"].as_str()?.to_owned()));
    vectors.iter().filter_map(known).collect()
}

fn das_cases() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    env::var_os("REFINER_SHARED").map_or(beside, PathBuf::from).join("cases/das")
}

/// Archives that the network's pinner uploaded: name, content id, sha2-256 of the content, archive.
pub fn das_archives() -> Vec<(String, String, String, Vec<u8>)> {
    let Ok(answers) = fs::read(das_cases().join("answers.json")) else {
        eprintln!("skipped: ../shared/cases/das not present");
        return Vec::new();
    };
    let answers: serde_json::Map<String, Value> = serde_json::from_slice(&answers).unwrap();
    let known = |(name, answer): (&String, &Value)| {
        let archive = fs::read(das_cases().join(name)).unwrap();
        Some((name.clone(), answer["cid"].as_str()?.to_owned(), answer["sha256"].as_str()?.to_owned(), archive))
    };
    answers.iter().filter_map(known).collect()
}

/// File and DAS root of real specimens, as the table beside the archives lists them, the smallest first.
pub fn das_ids() -> Vec<(PathBuf, String)> {
    let table = fs::read_to_string(das_cases().join("README.md")).unwrap_or_default();
    let files = known_files();
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (name, id) = (cells.next()?.to_owned(), cells.nth(1)?.to_owned());
        let (file, _) = files.iter().find(|(file, _)| file.to_string_lossy().contains(&format!("/{name}")))?;
        Some((file.clone(), id))
    };
    let mut rows: Vec<_> = table.lines().filter_map(row).collect();
    rows.sort_by_key(|(file, _)| fs::metadata(file).map_or(0, |file| file.len()));
    rows
}
