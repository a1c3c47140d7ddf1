//! The eight real specimens of `../shared/specimens`, against the figures that came with them.

mod real;

use refiner_specimen::{decode, encode, sha256, specimen_hash};

#[test]
fn every_real_specimen_decodes_under_its_layout_and_encodes_to_the_same_bytes() {
    for specimen in real::specimens() {
        let decoded = decode(&specimen.bytes).unwrap();
        let block = &decoded.block;
        assert_eq!(decoded.layout.as_str(), specimen.text("layout"), "{}", specimen.name);
        assert_eq!(Some(decoded.stated_codec_version), specimen.vector["statedCodecVersion"].as_f64());
        assert_eq!(Some(block.network_id), specimen.vector["chainId"].as_u64());
        assert_eq!(Some(block.header.number), specimen.vector["height"].as_u64());
        assert_eq!(block.hash.to_string(), specimen.text("blockHash"));
        assert_eq!(decoded.event_hash, block.hash);
        assert!(encode(&decoded, decoded.layout).unwrap() == specimen.bytes, "{} changed", specimen.name);
    }
}

#[test]
fn hashes_of_real_specimens_are_the_announced_ones() {
    for specimen in real::specimens() {
        assert_eq!(const_hex::encode(specimen_hash(&specimen.bytes)), specimen.text("specimenHash"));
        assert_eq!(const_hex::encode(sha256(&specimen.bytes)), specimen.text("sha256"));
    }
}
