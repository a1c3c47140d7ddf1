//! A specimen written as JSON, in each layout.

use refiner_specimen::{Layout, decode_as, from_json, read_json, to_json};

use crate::specimen;

pub fn run(bytes: &[u8]) {
    let Ok(json) = read_json(bytes) else { return };
    for layout in Layout::NEWEST_FIRST {
        match from_json(&json, layout) {
            Ok(written) => assert_eq!(decode_as(&written, layout).expect("what was read decodes").layout, layout),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let json = |bytes: Vec<u8>| to_json(&bytes).expect("a sample is a specimen").to_string().into_bytes();
    specimen::seeds().into_iter().map(json).collect()
}
