//! The files with which the kinds were found, on machines that have them.

use refiner_testkit::real;

use super::{
    WAYS,
    answers::{Answer, produced, rejected},
    complaint, lines,
};

/// Files under `blocks/`, in order of their names.
const BLOCKS: &[Answer] = &[
    produced("01b-7702-fresh-authority-with-empty-row"),
    produced("03-7610-prague"),
    produced("06-honest"),
    rejected("06-tampered-block-hash", &["blockHash"]),
    rejected("06-tampered-header-extraData", &["blockHash"]),
    rejected("06-tampered-header-gasLimit", &["blockHash"]),
    rejected("06-tampered-sender", &["Senders[0]"]),
    rejected("06-tampered-startBlock", &["segment"]),
    rejected("06-tampered-uncles", &["ommersHash"]),
    rejected("06-tampered-value", &["transactionsRoot"]),
    rejected("06-tampered-withdrawal-amount", &["withdrawalsRoot"]),
    rejected("07-extsize-missing", &["size", "0xcab93d61e943eb033cea6cddf32e447d86496d56f3938ad3609ce08898bc8684"]),
    produced("14-gaslimit-1000000001"),
    produced("14-gaslimit-2147483647"),
    rejected("16-sload-wrong-first", &["stateRows"]),
    rejected("20-auth-yparity-256", &["yParity"]),
    rejected("21-authlist-other-address", &["transactionsRoot"]),
    rejected("24-legacy-v-of-chain-5", &["transactionsRoot"]),
    rejected("26-12-blobs-in-cancun", &["headerRules"]),
    rejected("26-blob-header-says-0", &["blockHash"]),
    rejected("28-create-transaction-nonce-through-a-double", &["transactionsRoot"]),
    // These state another block's hash beside what is hostile in them.
    rejected("blob-2e63", &["blockHash"]),
    rejected("esc-kind", &["segment", "Type"]),
    rejected("gas-2e62", &["blockHash"]),
    rejected("modexp-longexp", &["blockHash"]),
    rejected("s50diag-10", &["blockHash"]),
    rejected("tstore", &["blockHash"]),
];

/// Names of files under `real/`.
const REAL: &[Answer] = &[produced("1-15127614"), produced("1-15582840")];

/// The files of a folder of `cases/` in order of their names, each against its answer.
fn check(folder: &str, answers: &[Answer]) {
    let Some(files) = real::cases(folder).unwrap() else { return };
    let names: Vec<_> = files.iter().map(|file| file.name()).collect();
    assert_eq!(names, answers.iter().map(|answer| answer.name).collect::<Vec<_>>());
    let directory = files[0].path.parent().unwrap();
    for options in WAYS {
        let lines = lines(directory, options);
        let complaints: Vec<_> =
            answers.iter().zip(&lines).filter_map(|(answer, line)| complaint(answer, line)).collect();
        assert!(complaints.is_empty(), "{options:?}:\n{}", complaints.join("\n"));
    }
}

#[test]
fn block_that_was_found_has_its_right_verdict() {
    check("blocks", BLOCKS);
}

#[test]
fn real_file_of_an_early_codec_is_read() {
    check("real", REAL);
}
