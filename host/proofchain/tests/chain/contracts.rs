//! The test contracts against the network's selectors, topics and calldata; the artifact against its source.

use std::process::Command;

use alloy_primitives::{B256, b256, hex, keccak256};
use refiner_proofchain::Proof;
use refiner_testchain::{Artifact, BLOCK_RESULT_PROOF_CHAIN, BLOCK_SPECIMEN_PROOF_CHAIN, TestChainError, solc};
use serde_json::Value;

/// Signatures of the v1.5 contracts and their selectors, from the network's own ABI.
const FUNCTIONS: [(&str, &str, &str); 17] = [
    (BLOCK_RESULT_PROOF_CHAIN, "submitBlockResultProof(uint64,uint64,bytes32,bytes32,string)", "6543413a"),
    (BLOCK_RESULT_PROOF_CHAIN, "isSessionOpen(uint64,uint64,address)", "ba75fd2f"),
    (BLOCK_SPECIMEN_PROOF_CHAIN, "isSessionOpen(uint64,uint64,address)", "ba75fd2f"),
    (BLOCK_SPECIMEN_PROOF_CHAIN, "getURLS(bytes32)", "d5839da9"),
    (BLOCK_RESULT_PROOF_CHAIN, "getURLS(bytes32)", "d5839da9"),
    (BLOCK_RESULT_PROOF_CHAIN, "isEnabled(address)", "9015d371"),
    (BLOCK_RESULT_PROOF_CHAIN, "operatorRoles(address)", "6ab9d8e8"),
    (BLOCK_RESULT_PROOF_CHAIN, "validatorIDs(address)", "0d92f4ed"),
    (BLOCK_RESULT_PROOF_CHAIN, "isValidatorEnabled(uint128)", "429a481b"),
    (BLOCK_RESULT_PROOF_CHAIN, "getChainData(uint64)", "54cfa69f"),
    (BLOCK_RESULT_PROOF_CHAIN, "getMetadata()", "7a5b4f59"),
    (BLOCK_RESULT_PROOF_CHAIN, "getBRPRoleData()", "920036b7"),
    (BLOCK_SPECIMEN_PROOF_CHAIN, "getBSPRoleData()", "1fd55ae9"),
    (BLOCK_RESULT_PROOF_CHAIN, "getAllOperators()", "d911c632"),
    (BLOCK_RESULT_PROOF_CHAIN, "finalizeResultSession(uint64,uint64)", "d09796bd"),
    (BLOCK_SPECIMEN_PROOF_CHAIN, "finalizeSpecimenSession(uint64,uint64)", "d269550a"),
    (BLOCK_SPECIMEN_PROOF_CHAIN, "submitBlockSpecimenProof(uint64,uint64,bytes32,bytes32,string)", "151fd8f3"),
];

/// Topics of the v1.5 events, and which fields are indexed.
const EVENTS: [(&str, &str, B256, &str); 10] = [
    (
        BLOCK_SPECIMEN_PROOF_CHAIN,
        "BlockSpecimenQuorum(uint64,uint64,uint256,bytes32,bytes32)",
        b256!("858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e"),
        "ii-i-",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "BlockResultQuorum(uint64,uint64,uint256,bytes32,bytes32)",
        b256!("ab2d4a77e5823abb8d239b8a7c25c6f53f7239af1ccdb18dfd27c7da0db24a22"),
        "ii-i-",
    ),
    (
        BLOCK_SPECIMEN_PROOF_CHAIN,
        "BlockSpecimenProductionProofSubmitted(uint64,uint64,bytes32,bytes32,string)",
        b256!("d79027d5232050798063d67d05f9e1545ea5b954e2334b09db548e63823fa1b1"),
        "-----",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "BlockResultProductionProofSubmitted(uint64,uint64,bytes32,bytes32,string)",
        b256!("508f479d80dbbd88c8372648a5a1cf88212d9a3e8aa0f7f516c32c6ae970ebbc"),
        "-----",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "SessionStarted(uint64,uint64,uint64)",
        b256!("8b1f889addbfa41db5227bae3b091bd5c8b9a9122f874dfe54ba2f75aabe1f4c"),
        "ii-",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "QuorumNotReached(uint64,uint64)",
        b256!("398fd8f638a7242217f011fd0720a06747f7a85b7d28d7276684b841baea4021"),
        "i-",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "OperatorAdded(address,uint128,bytes32)",
        b256!("797ca55fc7be0f65c71f10996f7a16f801094f8ae3811874afc5a39730772a42"),
        "---",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "OperatorRemoved(address,uint128,uint128,bytes32)",
        b256!("ca6d116f31cc5d708ae73029e1d63d1be48afdfd99819a3405bfbaf229748d90"),
        "----",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "ValidatorEnabled(uint128)",
        b256!("553b029ba5c74688a5da732136d246f722502db24ed6b4aaf1cdc9f2f9ef23ef"),
        "-",
    ),
    (
        BLOCK_RESULT_PROOF_CHAIN,
        "ValidatorDisabled(uint128)",
        b256!("f97fbe9a37a2eae093c44e9bbcd9afde23ba64215e8fd80b9c49b1fbd4d58e54"),
        "-",
    ),
];

fn signature(entry: &Value) -> String {
    let types: Vec<_> = inputs(entry).iter().filter_map(|input| input["type"].as_str()).collect();
    format!("{}({})", entry["name"].as_str().unwrap_or_default(), types.join(","))
}

fn inputs(entry: &Value) -> &[Value] {
    entry["inputs"].as_array().map_or(&[], Vec::as_slice)
}

fn entry(contract: &'static str, kind: &str, wanted: &str) -> Value {
    let abi = Artifact::read(contract).unwrap().abi;
    let entries = abi.as_array().unwrap();
    let found = entries.iter().find(|entry| entry["type"] == kind && signature(entry) == wanted);
    found.cloned().unwrap_or_else(|| panic!("{contract} has no {kind} {wanted}"))
}

#[test]
fn the_test_contracts_have_the_network_s_functions() {
    for (contract, function, selector) in FUNCTIONS {
        let signature = signature(&entry(contract, "function", function));
        assert_eq!(hex::encode(&keccak256(signature)[..4]), selector, "{function}");
    }
}

#[test]
fn the_test_contracts_have_the_network_s_events() {
    for (contract, event, topic, indexed) in EVENTS {
        let entry = entry(contract, "event", event);
        assert_eq!(keccak256(signature(&entry)), topic, "{event}");
        let marks: String =
            inputs(&entry).iter().map(|input| if input["indexed"] == true { 'i' } else { '-' }).collect();
        assert_eq!(marks, indexed, "{event}");
    }
}

#[test]
fn a_proof_is_called_with_the_network_s_bytes() {
    let proof = Proof {
        chain_id: 1,
        height: 22_433_670,
        specimen_hash: b256!("8e2cac9f9ee1ed62e8f593c4c03aa33cb75cc6e28f02f3a4f2e9ac0cae35068c"),
        result_hash: b256!("5e03995b049ef11c9c98f6fe4c6d4ad72b6a98ffd59b76326b79dd6084006d44"),
        url: "ipfs://bafybeica3v7gpy25q6p5qegcm5rnbhf5fapsis55wklhtcry4l24hkw5py".to_owned(),
    };
    let expected = concat!(
        "6543413a",
        "0000000000000000000000000000000000000000000000000000000000000001",
        "0000000000000000000000000000000000000000000000000000000001564f86",
        "8e2cac9f9ee1ed62e8f593c4c03aa33cb75cc6e28f02f3a4f2e9ac0cae35068c",
        "5e03995b049ef11c9c98f6fe4c6d4ad72b6a98ffd59b76326b79dd6084006d44",
        "00000000000000000000000000000000000000000000000000000000000000a0",
        "0000000000000000000000000000000000000000000000000000000000000042",
        "697066733a2f2f626166796265696361337637677079323571367035716567636d35726e626866356661707369733535776b6c6874637279346c3234686b77357079",
        "000000000000000000000000000000000000000000000000000000000000",
    );
    assert_eq!(hex::encode(proof.calldata()), expected);
}

#[test]
fn the_artifact_is_what_the_source_compiles_to() {
    match solc() {
        Ok(_) => {}
        Err(missing @ TestChainError::NoNpm { .. }) if std::env::var_os("CI").is_none() => {
            return eprintln!("skipped: {missing}");
        }
        Err(error) => panic!("{error}"),
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/proofchain/build.mjs");
    let output = Command::new("node").args([script, "--check"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
