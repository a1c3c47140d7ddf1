//! Specimens in the shapes that the network's producer gives: the kit's own, and the producer's where this machine has them.

use std::{fs, path::Path};

use refiner_testkit::{producer, real, rpc};
use serde_json::Value;

use super::{
    WAYS,
    answers::{produced, rejected},
    complaint,
    node::differences,
};
use crate::program::{refiner, text};

/// The basis of a result, or the reason for none.
enum Expected {
    Produced(&'static str),
    Rejected(&'static [&'static str]),
}

use Expected::{Produced, Rejected};

const RECEIPTS: Expected = Produced("receipts");
const EXECUTION: Expected = Produced("execution");

/// One for each of the kit's shapes.
const SHAPES: &[(&str, Expected)] = &[
    ("main-paris", RECEIPTS),
    ("main-shanghai", RECEIPTS),
    ("main-cancun", RECEIPTS),
    ("main-prague", RECEIPTS),
    ("main-osaka", RECEIPTS),
    ("main-bpo1", RECEIPTS),
    ("main-prague-empty", RECEIPTS),
    ("main-prague-deposit", RECEIPTS),
    ("main-prague-requests", RECEIPTS),
    ("main-osaka-delegations", RECEIPTS),
    ("t220-set-and-call", EXECUTION),
    ("t220-many-and-invalid", RECEIPTS),
    ("t220-requests-all-three", EXECUTION),
    ("t220-size-only", RECEIPTS),
    ("t220-size-of-a-delegated-account", EXECUTION),
    ("t220-sender-nonce-2^53+1", Rejected(&["transactionsRoot"])),
    ("main-withdrawal-2^53+1", Rejected(&["withdrawalsRoot"])),
    ("fix-bpo1-p256", EXECUTION),
    ("fix-prague-many-and-invalid", EXECUTION),
    ("fix-osaka-delegations", EXECUTION),
];

/// One for each of the producer's own, in order of their files.
const FILES: &[(&str, Expected)] = &[
    ("fix-bpo1-p256", EXECUTION),
    ("main-osaka-types012+unprotected", RECEIPTS),
    ("main-prague-empty", RECEIPTS),
    ("t220-prague-7702-many-and-invalid-AuthList-from-RPC", EXECUTION),
    ("t220-prague-7702-many-and-invalid", RECEIPTS),
    ("t220-prague-7702-set-and-call", EXECUTION),
    ("t220-prague-extcodesize-only", RECEIPTS),
    ("t220-prague-requests-all-three", EXECUTION),
    ("t220-prague-sender-nonce-253+1", Rejected(&["transactionsRoot"])),
];

/// Runs `block-result` over one specimen: the line that was reported, and the document.
fn run(specimen: &Path, config: &Path, options: &[&str]) -> (Value, Option<Value>) {
    let out = tempfile::tempdir().unwrap();
    let base = ["replay", text(specimen), "--rule", "block-result", "--chain-config", text(config)];
    let ended = refiner(&[&base[..], &["--out", text(out.path()), "--json"], options].concat());
    assert!([0, 3].contains(&ended.code), "{}\n{}", ended.text(), ended.stderr);
    let line = ended.json_lines().remove(0);
    let document =
        line["artifacts"][0]["file"].as_str().map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap());
    (line, document)
}

/// Complaints about one specimen, in every way of running it.
fn check(name: &'static str, expected: &Expected, node: &Value, specimen: &Path, config: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for options in WAYS {
        let (line, document) = run(specimen, config, options);
        match expected {
            Rejected(words) => complaints.extend(complaint(&rejected(name, words), &line)),
            Produced(basis) => {
                complaints.extend(complaint(&produced(name), &line));
                let Some(document) = document else { continue };
                if document["basis"] != *basis {
                    complaints.push(format!("{name}: {} instead of {basis}", document["basis"]));
                }
                complaints.extend(differences(&document, node).iter().map(|found| format!("{name}{found}")));
            }
        }
    }
    complaints
}

#[test]
fn every_shape_of_the_kit_ends_as_it_must_and_states_what_the_node_does() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("chain.json");
    fs::write(&config, producer::config().to_string()).unwrap();
    let shapes = producer::shapes().unwrap();
    assert_eq!(
        shapes.iter().map(|shape| shape.name).collect::<Vec<_>>(),
        SHAPES.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    let mut complaints = Vec::new();
    for (shape, (name, expected)) in shapes.iter().zip(SHAPES) {
        let specimen = directory.path().join(format!("{name}.avro"));
        fs::write(&specimen, &shape.bytes).unwrap();
        complaints.extend(check(name, expected, &rpc::block_and_receipts(&shape.block), &specimen, &config));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_specimen_of_the_producer_ends_as_it_must_and_states_what_its_node_does() {
    let Some(files) = real::cases("producer").unwrap() else { return };
    let names: Vec<_> = files.iter().map(|file| file.name()).collect();
    assert_eq!(names, FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let mut complaints = Vec::new();
    for (file, (name, expected)) in files.iter().zip(FILES) {
        let of = |name: &str| file.path.with_file_name(name);
        let config = of(if name.starts_with("t220") { "chain-t220.json" } else { "chain-main-and-fix.json" });
        let node: Value = serde_json::from_slice(&fs::read(of(&format!("{name}.expected.json"))).unwrap()).unwrap();
        complaints.extend(check(name, expected, &node, &file.path, &config));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn comparison_finds_every_changed_field() {
    let shape = producer::shapes().unwrap().into_iter().find(|shape| shape.name == "main-bpo1").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (config, specimen) = (directory.path().join("chain.json"), directory.path().join("main.avro"));
    fs::write(&config, producer::config().to_string()).unwrap();
    fs::write(&specimen, &shape.bytes).unwrap();
    let (_, document) = run(&specimen, &config, &[]);
    let (document, node) = (document.unwrap(), rpc::block_and_receipts(&shape.block));
    for list in ["transactions", "receipts"] {
        for index in 0..document[list].as_array().unwrap().len() {
            for key in document[list][index].as_object().unwrap().keys().filter(|key| *key != "logs") {
                let mut changed = document.clone();
                changed[list][index][key] = "0x123456".into();
                assert_eq!(differences(&changed, &node).len(), 1, "/{list}/{index}/{key}");
            }
        }
    }
    let mut without_a_log = document;
    let receipts = without_a_log["receipts"].as_array_mut().unwrap();
    let logs = receipts.iter_mut().find_map(|receipt| receipt["logs"].as_array_mut().filter(|logs| !logs.is_empty()));
    logs.unwrap().pop();
    assert!(!differences(&without_a_log, &node).is_empty());
}

#[test]
fn one_specimen_twice_is_one_and_another_block_of_its_height_is_refused_with_both_names() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("chain.json");
    fs::write(&config, producer::config().to_string()).unwrap();
    let shapes = producer::shapes().unwrap();
    let mut rivals: Vec<_> = ["main-prague-empty", "main-prague-deposit"]
        .iter()
        .map(|name| shapes.iter().find(|shape| shape.name == *name).unwrap().specimen.clone())
        .collect();
    // Two blocks of one height, neither of which is the other's parent.
    let height = rivals[0].block.header.number;
    rivals[1].block.header.number = height;
    rivals[1].block.hash = rivals[1].block.header.hash_slow();
    rivals[1].event_hash = rivals[1].block.hash;
    (rivals[1].start_block, rivals[1].end_block) = (height, height);
    let write = |name: &str, specimen: &refiner_specimen::Specimen| {
        let path = directory.path().join(name);
        fs::write(&path, refiner_specimen::encode(specimen, specimen.layout).unwrap()).unwrap();
        path
    };
    let paths = [write("one.avro", &rivals[0]), write("again.avro", &rivals[0]), write("other.avro", &rivals[1])];
    let out = directory.path().join("out");
    let specimens = paths.iter().map(|path| text(path));
    let options = ["--rule", "block-result", "--chain-config", text(&config), "--out", text(&out), "--json", "-j", "1"];
    let arguments: Vec<_> = ["replay"].into_iter().chain(specimens).chain(options).collect();
    // Before any run, whichever of them would have come first.
    let refused = refiner(&arguments).expect(4);
    assert!(
        refused.stderr.contains(&format!("two specimens of block 1337-{height} that are not equal")),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains(text(&paths[0])) && refused.stderr.contains(text(&paths[2])), "{}", refused.stderr);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    // Equal ones are one.
    let arguments: Vec<_> =
        ["replay"].into_iter().chain(paths[..2].iter().map(|path| text(path))).chain(options).collect();
    let lines = refiner(&arguments).expect(0).json_lines();
    assert_eq!((lines.len(), &lines[0]["blockHash"]), (1, &rivals[0].block.hash.to_string().into()));
}
