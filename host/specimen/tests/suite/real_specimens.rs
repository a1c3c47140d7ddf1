//! The eight real specimens of `../shared/specimens`, against the figures that came with them.

use alloy_primitives::{B256, U256};
use refiner_specimen::{
    check::{self, CheckName, Outcome},
    data_json, decode, encode, from_json, peek_header, sha256, specimen_hash, to_json,
};

use crate::{oracle, real};

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
        let peek_header = peek_header(&specimen.bytes).unwrap();
        assert_eq!((peek_header.hash, peek_header.header_hash), (block.hash, block.hash));
        assert_eq!((peek_header.network_id, &peek_header.header), (block.network_id, &block.header));
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

#[test]
fn json_of_real_specimens_encodes_to_the_same_bytes() {
    for specimen in real::specimens() {
        let layout = decode(&specimen.bytes).unwrap().layout;
        let json = to_json(&specimen.bytes).unwrap();
        assert_eq!(json["replicaEvent"][0]["data"], data_json(&specimen.bytes).unwrap());
        let text = serde_json::to_string(&json).unwrap();
        let json = serde_json::from_str(&text).unwrap();
        assert!(from_json(&json, layout).unwrap() == specimen.bytes, "{} changed", specimen.name);
    }
}

#[test]
fn producers_own_view_is_what_the_json_of_real_specimens_says() {
    for specimen in real::specimens() {
        let data = data_json(&specimen.bytes).unwrap();
        // The copies of blocks before Cancun lost their withdrawals, so a null means nothing.
        for (key, value) in specimen.producers_view().as_object().unwrap().iter().filter(|(_, value)| !value.is_null())
        {
            assert_eq!(data[key], *value, "{} of {}", key, specimen.name);
        }
    }
}

/// docs/block-result.md, section 1.
#[test]
fn checks_of_real_specimens_fail_only_where_the_codec_drops_something() {
    for specimen in real::specimens() {
        let decoded = decode(&specimen.bytes).unwrap();
        let height = decoded.block.header.number;
        for check in check::all(&decoded) {
            let expected = match check.name {
                CheckName::TransactionsRoot if matches!(height, 19_434_485 | 22_433_670) => "not checkable",
                CheckName::WithdrawalsRoot if height < 17_000_000 => "not applicable",
                _ => "passed",
            };
            assert_eq!(word(&check.outcome), expected, "{height}: {check}");
        }
        let canonical = check::canonical_encoding(&specimen.bytes, &decoded);
        assert_eq!(canonical.outcome, Outcome::Passed, "{height}: {canonical}");
    }
}

#[test]
fn announced_hash_is_accepted_by_the_network_form_and_reported_by_the_raw_one() {
    for specimen in real::specimens() {
        let announced = |text: &str| text.parse::<B256>().unwrap();
        let outcome = |hash| word(&check::specimen_hash(&specimen.bytes, hash).outcome);
        assert_eq!(outcome(announced(specimen.text("specimenHash"))), "passed");
        assert_eq!(outcome(announced(specimen.text("sha256"))), "not applicable");
        assert_eq!(outcome(B256::ZERO), "failed");
    }
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed { .. } => "failed",
        Outcome::NotApplicable(_) => "not applicable",
        Outcome::NotCheckable(_) => "not checkable",
    }
}

/// The network's own files of codecs 0.2 and 0.3, which came with no figures but their names.
#[test]
fn real_specimens_of_older_codecs_decode_prove_their_header_and_encode_to_the_same_bytes() {
    for (name, bytes) in real::cases() {
        let decoded = decode(&bytes).unwrap();
        let block = &decoded.block;
        assert_eq!(name, format!("{}-{}", block.network_id, block.header.number));
        assert_eq!(decoded.layout.as_str(), decoded.stated_codec_version.to_string(), "{name}");
        assert_eq!(check::block_hash(&decoded).outcome, Outcome::Passed, "{name}");
        assert_eq!(check::code_hashes(&decoded).outcome, Outcome::Passed, "{name}");
        let signed = block.transactions.iter().filter(|transaction| transaction.r.is_some()).count();
        assert_eq!(signed, if decoded.layout.has_signatures() { block.transactions.len() } else { 0 });
        let root = word(&check::transactions_root(&decoded).outcome);
        assert_eq!(root, if decoded.layout.has_signatures() { "passed" } else { "not checkable" }, "{name}");

        let peek_header = peek_header(&bytes).unwrap();
        assert_eq!(
            (peek_header.hash, peek_header.header_hash, &peek_header.header),
            (block.hash, block.hash, &block.header)
        );
        assert!(encode(&decoded, decoded.layout).unwrap() == bytes, "{name} changed");
        let text = serde_json::to_string(&to_json(&bytes).unwrap()).unwrap();
        assert!(from_json(&serde_json::from_str(&text).unwrap(), decoded.layout).unwrap() == bytes, "{name} changed");

        // But for what the hash restores, which the wire does not have.
        let mut on_the_wire = oracle::specimen(&bytes, decoded.layout);
        assert!(on_the_wire.block.header.difficulty.abs_diff(block.header.difficulty) <= U256::from(2));
        on_the_wire.block.header.difficulty = block.header.difficulty;
        assert!(on_the_wire == decoded, "{name} differs");
    }
}
