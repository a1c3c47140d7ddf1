//! The network's own specimens, which are not in the repository.

use std::{env, fs, path::PathBuf};

use refiner_specimen::{Specimen, decode};

pub const HEIGHTS: [u64; 8] =
    [15_892_728, 16_791_900, 16_792_200, 17_090_940, 19_434_485, 19_434_520, 19_529_630, 22_433_670];

/// Where a file of the shared folder is, if it is there.
pub fn path(name: &str) -> PathBuf {
    let shared = env::var_os("REFINER_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    shared.join(name)
}

/// A file of `specimens/`, or `None` and a printed line when they are absent.
pub fn read(name: &str) -> Option<Vec<u8>> {
    let path = path(&format!("specimens/{name}"));
    let bytes = fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: ../shared/specimens not present ({})", path.display());
    }
    bytes
}

/// The real specimen of a mainnet block.
pub fn specimen(height: u64) -> Option<Specimen> {
    let bytes = read(&format!("1-{height}.avro"))?;
    Some(decode(&bytes).unwrap_or_else(|error| panic!("{height}: {error}")))
}

/// Every real specimen, by height.
pub fn specimens() -> Vec<(u64, Specimen)> {
    HEIGHTS.into_iter().map_while(|height| Some((height, specimen(height)?))).collect()
}

/// `0x…` of a base64 text.
pub fn hex_of_base64(text: &str) -> String {
    const_hex::encode_prefixed(base64_simd::STANDARD.decode_to_vec(text).unwrap())
}
