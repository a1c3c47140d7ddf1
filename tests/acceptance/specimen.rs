//! `refiner specimen`, as its user meets it.

use std::fs;

use crate::program::{refiner, refiner_reading, samples, text};
use refiner_specimen::{Layout, encode};
use refiner_testkit::{Manner, export, make_samples, real};
use serde_json::Value;

#[test]
fn name_behind_which_nothing_is_stops_no_other() {
    let sample = &samples()[0];
    for command in ["inspect", "check"] {
        let ended = refiner(&["specimen", command, "--json", "/nonexistent.avro", text(sample)]).expect(4);
        assert_eq!(ended.json_lines().len(), 1, "{command}");
        assert!(ended.stderr.contains("error: /nonexistent.avro: no such file or directory"), "{}", ended.stderr);
    }
}

#[test]
fn decode_then_encode_gives_the_same_bytes() {
    let mut specimens = samples();
    specimens.extend(real::directory().into_iter().flat_map(|directory| {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "avro"))
    }));
    specimens.extend(real::cases("real").unwrap().into_iter().flatten().map(|file| file.path));
    let scratch = tempfile::tempdir().unwrap();
    for specimen in specimens {
        let inspected = refiner(&["specimen", "inspect", "--json", text(&specimen)]).expect(0).json_lines();
        let json = scratch.path().join("specimen.json");
        fs::write(&json, refiner(&["specimen", "decode", text(&specimen)]).expect(0).stdout).unwrap();
        let layout = inspected[0]["layout"].as_str().unwrap();
        let encoded = refiner(&["specimen", "encode", text(&json), "--layout", layout]).expect(0).stdout;
        assert!(encoded == fs::read(&specimen).unwrap(), "{} in layout {layout}", specimen.display());
    }
}

#[test]
fn encode_writes_the_whole_file_or_none() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("specimen.avro");
    let json = refiner(&["specimen", "decode", text(&samples()[0])]).expect(0).stdout;
    let layout =
        refiner(&["specimen", "inspect", "--json", text(&samples()[0])]).expect(0).json_lines()[0]["layout"].clone();
    let arguments = ["specimen", "encode", "-", "--layout", layout.as_str().unwrap(), "--out", text(&out)];
    refiner_reading(&arguments, &json[..json.len() / 2]);
    assert!(!out.exists());
    refiner_reading(&arguments, &json).expect(0);
    assert_eq!(fs::read(&out).unwrap(), fs::read(&samples()[0]).unwrap());
}

#[test]
fn decode_gives_the_record_that_an_evm_server_takes() {
    let data = refiner(&["specimen", "decode", "--data", text(&samples()[0])]).expect(0).stdout;
    let data: Value = serde_json::from_slice(&data).unwrap();
    let keys: Vec<_> = data.as_object().unwrap().keys().take(5).cloned().collect();
    assert_eq!(keys, ["Type", "NetworkId", "Hash", "TotalDifficulty", "Header"]);
}

#[test]
fn every_check_of_a_sample_passes_with_execution_but_the_ones_its_layout_spoils() {
    let devnets = ["--chain-config", concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/samples/devnet-1337.json")];
    for sample in samples() {
        let ended = refiner(&[&["specimen", "check", "--execute", "--json", text(&sample)][..], &devnets].concat());
        let line = &ended.json_lines()[0];
        // The layout of one drops the blob fields of its type-3 transaction, the producer of the other the authorizations of a
        // type-4 transaction: both are signed, and under the root. No candidate for the authorizations gives the receipts.
        let from_receipts = sample.ends_with("1-22500002.avro");
        let lossy = from_receipts || sample.ends_with("1-19435000.avro");
        assert_eq!(line["basis"], if from_receipts { "receipts" } else { "execution" }, "{line}");
        assert_eq!(line["basisReason"].is_string(), from_receipts, "{line}");
        for name in ["transactionsRoot", "senders"] {
            let expected = if lossy { "notCheckable" } else { "passed" };
            assert_eq!(line["checks"][name]["outcome"], expected, "{name}: {line}");
        }
        assert_eq!(ended.code, 0, "{line}");
        for name in ["blockHash", "codeHashes", "canonicalEncoding", "gasUsed", "logsBloom", "receiptsRoot"] {
            assert_eq!(line["checks"][name]["outcome"], "passed", "{name} of {}", sample.display());
        }
    }
}

#[test]
fn checks_stand_once_in_one_order_with_and_without_execution() {
    let sample = samples().into_iter().find(|sample| sample.ends_with("1-22500000.avro")).unwrap();
    let names = |more: &[&str]| -> Vec<String> {
        let shown = refiner(&[&["specimen", "check", text(&sample)], more].concat()).expect(0).text();
        shown.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let without = names(&[]);
    let expected = [
        "canonicalEncoding",
        "segment",
        "blockHash",
        "knownBlock",
        "headerRules",
        "ommersHash",
        "transactionsRoot",
        "transactionFields",
        "chainId",
        "senders",
        "withdrawalsRoot",
        "stateRows",
        "recordedReceipts",
        "codeHashes",
    ];
    assert_eq!(without, expected);
    let executed = ["execution", "gasUsed", "logsBloom", "receiptsRoot", "requestsHash", "producerReceipts"];
    assert_eq!(names(&["--execute"]), [&expected[..], &executed].concat());
}

#[test]
fn chain_whose_schedule_is_not_known_leaves_its_header_rules_unchecked_and_fails_nothing() {
    let sample = samples().into_iter().find(|sample| sample.ends_with("1337-2.avro")).unwrap();
    let header_rules = |more: &[&str], code| {
        let ended = refiner(&[&["specimen", "check", text(&sample), "--json"], more].concat()).expect(code);
        ended.json_lines()[0]["checks"]["headerRules"].clone()
    };
    let unknown = header_rules(&[], 0);
    assert_eq!(unknown["outcome"], "notCheckable");
    assert!(unknown["reason"].as_str().unwrap().len() > 10, "{unknown}");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/samples/devnet-1337.json");
    assert_eq!(header_rules(&["--chain-config", config], 0)["outcome"], "passed");
    // Without a schedule nothing is executed, which was asked for.
    header_rules(&["--execute"], 3);
}

#[test]
fn specimen_of_an_older_codec_is_inspected_checked_decoded_and_encoded() {
    let scratch = tempfile::tempdir().unwrap();
    let [path, json] = ["specimen.avro", "specimen.json"].map(|name| scratch.path().join(name));
    let paris = make_samples().unwrap().remove(0).block;
    for layout in [Layout::V0_2, Layout::V0_3] {
        let bytes = encode(&export(&paris, layout, Manner::default()), layout).unwrap();
        fs::write(&path, &bytes).unwrap();
        let inspected = &refiner(&["specimen", "inspect", "--json", text(&path)]).expect(0).json_lines()[0];
        assert_eq!(inspected["layout"], layout.as_str());
        assert_eq!(inspected["height"], 15_600_000);

        let checks = &refiner(&["specimen", "check", "--json", text(&path)]).json_lines()[0]["checks"];
        for name in ["blockHash", "codeHashes", "canonicalEncoding"] {
            assert_eq!(checks[name]["outcome"], "passed", "{name} of {layout}");
        }
        assert_eq!(checks["transactionsRoot"]["outcome"] == "passed", layout.has_signatures(), "{layout}");

        fs::write(&json, refiner(&["specimen", "decode", text(&path)]).expect(0).stdout).unwrap();
        let encoded = refiner(&["specimen", "encode", text(&json), "--layout", layout.as_str()]).expect(0).stdout;
        assert!(encoded == bytes, "{layout} changed");
    }
}

#[test]
fn check_against_an_announced_hash_tells_the_right_specimen_from_another() {
    let sample = &samples()[0];
    let inspected = refiner(&["specimen", "inspect", "--json", text(sample)]).expect(0).json_lines();
    let announced = inspected[0]["specimenHash"].as_str().unwrap();
    refiner(&["specimen", "check", text(sample), "--specimen-hash", announced]).expect(0);
    let other = format!("0x{}", "11".repeat(32));
    let ended = refiner(&["specimen", "check", text(sample), "--specimen-hash", &other]).expect(3);
    assert!(ended.text().contains("specimenHash       FAILED"), "{}", ended.text());
}

#[test]
fn file_that_is_no_specimen_is_told_with_the_place_where_it_stops_being_one() {
    let sample = fs::read(&samples()[0]).unwrap();
    let ended = refiner_reading(&["specimen", "inspect", "-"], &sample[..sample.len() / 2]).expect(4);
    assert!(ended.stderr.contains("standard input") && ended.stderr.contains("byte"), "{}", ended.stderr);
}

#[test]
fn block_hash_that_is_not_the_headers_fails_its_check_and_only_that() {
    let json = refiner(&["specimen", "decode", text(&samples()[0])]).expect(0).text();
    let value: Value = serde_json::from_str(&json).unwrap();
    let hash = value["replicaEvent"][0]["data"]["Hash"].as_str().unwrap();
    let lie = format!("0x{}", "ab".repeat(32));
    let layout =
        refiner(&["specimen", "inspect", "--json", text(&samples()[0])]).expect(0).json_lines()[0]["layout"].clone();
    let json = json.replace(hash, &lie);
    let lying = refiner_reading(&["specimen", "encode", "-", "--layout", layout.as_str().unwrap()], json.as_bytes())
        .expect(0)
        .stdout;
    let ended = refiner_reading(&["specimen", "check", "--json", "-"], &lying).expect(3);
    let line = &ended.json_lines()[0];
    let failed: Vec<_> = line["checks"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, check)| check["outcome"] == "failed")
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(failed, ["blockHash"]);
}
