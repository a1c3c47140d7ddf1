//! The right answer to each case of the kit.

/// A verdict and words of its reason.
pub struct Answer {
    /// Name of the case, or of the file.
    pub name: &'static str,
    /// As `replay --json` spells it.
    pub verdict: &'static str,
    /// All of them are in the message.
    pub words: &'static [&'static str],
}

pub const fn produced(name: &'static str) -> Answer {
    Answer { name, verdict: "produced", words: &[] }
}

pub const fn rejected(name: &'static str, words: &'static [&'static str]) -> Answer {
    Answer { name, verdict: "rejected", words }
}

pub const fn unsupported(name: &'static str, words: &'static [&'static str]) -> Answer {
    Answer { name, verdict: "unsupported", words }
}

/// One for each case.
pub const ANSWERS: &[Answer] = &[
    produced("honest"),
    rejected("tampered-value", &["transactionsRoot"]),
    rejected("tampered-recipient", &["transactionsRoot"]),
    rejected("tampered-sender", &["senders", "Senders[0]"]),
    rejected("tampered-sender-alone", &["Senders[0]"]),
    rejected("tampered-withdrawal-amount", &["withdrawalsRoot"]),
    rejected("tampered-block-hash", &["blockHash"]),
    rejected("tampered-event-hash", &["segment"]),
    rejected("tampered-extra-data", &["blockHash"]),
    rejected("tampered-gas-limit", &["blockHash"]),
    rejected("tampered-ommers", &["ommersHash"]),
    rejected("tampered-start-block", &["segment", "startBlock"]),
    rejected("tampered-elements", &["segment", "elements"]),
    rejected("tampered-network", &["chainId"]),
    rejected("tampered-kind", &["segment"]),
    rejected("sealed-extra-data", &["headerRules", "extraData"]),
    rejected("sealed-gas-limit-4999", &["headerRules", "gasLimit"]),
    rejected("legacy-signed-for-chain-5", &["chainId"]),
    rejected("legacy-v-of-chain-5", &["transactionsRoot"]),
    rejected("authorization-of-another-address", &["transactionsRoot"]),
    rejected("authorization-with-parity-256", &["yParity"]),
    rejected("creation-with-a-nonce-through-a-double", &["transactionsRoot"]),
    produced("6-blobs-in-cancun"),
    rejected("12-blobs-in-cancun", &["headerRules"]),
    rejected("header-without-its-2-blobs", &["headerRules", "blobGasUsed"]),
    rejected("header-with-a-third-blob", &["headerRules", "blobGasUsed"]),
    rejected("excess-blob-gas-2e63", &["headerRules", "excessBlobGas"]),
    rejected("storage-row-wrong-first", &["stateRows", "StorageRead"]),
    rejected("storage-row-wrong-behind", &["stateRows", "StorageRead"]),
    rejected("storage-row-twice", &["stateRows", "StorageRead"]),
    rejected("account-row-wrong-first", &["stateRows", "AccountRead"]),
    rejected("block-hash-row-wrong-first", &["stateRows", "BlockhashRead"]),
    // Their recorded receipts stand in for the execution.
    produced("size-of-missing-code"),
    produced("call-of-missing-code"),
    rejected("size-of-missing-code-without-receipts", &["size", "code"]),
    rejected("call-of-missing-code-without-receipts", &["code"]),
    produced("fresh-authority-with-an-empty-row"),
    produced("creation-over-storage"),
    produced("gas-limit-1000000001"),
    produced("gas-limit-2147483647"),
    produced("gas-limit-2e62"),
    produced("codec-0.3"),
    produced("codec-0.2"),
    rejected("codec-0.2-with-another-receipt", &["recordedReceipts"]),
    produced("codec-0.2-whose-rounding-decides"),
    unsupported("codec-0.2-whose-rounding-decides-without-receipts", &["0.2", "carries no receipts"]),
    produced("odd-transfer-events"),
];
