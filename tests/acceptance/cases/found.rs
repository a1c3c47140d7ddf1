//! The files with which the kinds were found, on machines that have them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use refiner_testkit::workspace;

use super::{
    WAYS,
    answers::{Answer, produced, rejected, unsupported},
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
    rejected("06-tampered-sender", &["senders"]),
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
    rejected("esc-kind", &["blockHash"]),
    rejected("gas-2e62", &["blockHash"]),
    rejected("modexp-longexp", &["blockHash"]),
    rejected("s50diag-10", &["blockHash"]),
    rejected("tstore", &["blockHash"]),
];

/// Files under `real/`.
const REAL: &[Answer] = &[unsupported("1-15127614", &[]), produced("1-15582840")];

/// `cases/` of the folder that the real specimens are in too; where there is none, that is printed.
fn directory() -> Option<PathBuf> {
    let shared = env::var_os("REFINER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let cases = shared.join("cases");
    let found = cases.is_dir();
    if !found {
        #[allow(clippy::print_stderr, reason = "whoever runs the tests should know what was not tried")]
        {
            eprintln!("skipped: {} is not here", cases.display());
        }
    }
    found.then_some(cases)
}

/// The files of a folder in order of their names, each against its answer.
fn check(directory: &Path, answers: &[Answer]) {
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let stems = names.iter().map(|path| path.file_stem().unwrap().to_str().unwrap());
    assert_eq!(stems.collect::<Vec<_>>(), answers.iter().map(|answer| answer.name).collect::<Vec<_>>());
    for options in WAYS {
        let lines = lines(directory, options);
        let complaints: Vec<_> =
            answers.iter().zip(&lines).filter_map(|(answer, line)| complaint(answer, line)).collect();
        assert!(complaints.is_empty(), "{options:?}:\n{}", complaints.join("\n"));
    }
}

#[test]
fn block_that_was_found_has_its_right_verdict() {
    if let Some(directory) = directory() {
        check(&directory.join("blocks"), BLOCKS);
    }
}

#[test]
fn real_file_of_an_early_codec_is_read() {
    if let Some(directory) = directory() {
        check(&directory.join("real"), REAL);
    }
}
