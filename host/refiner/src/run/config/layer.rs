//! Settings as they are written: on the command line, in the environment, in a file.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

/// Settings as one source gives them. The flag `--poll-ms` is `REFINER_POLL_MS` in the environment and `poll-ms` in a file; lists are
/// repeated flags, commas in the environment, and arrays in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Layer {
    /// `moonbeam`, `moonbase`, or `custom` with the next three.
    #[arg(long, value_name = "NAME", help_heading = "Proof chain")]
    pub network: Option<String>,
    /// Chain id of the proof chain.
    #[arg(long, value_name = "ID", help_heading = "Proof chain")]
    pub proof_chain_id: Option<u64>,
    /// The contract that announces specimens.
    #[arg(long, value_name = "ADDRESS", help_heading = "Proof chain")]
    pub specimen_contract: Option<String>,
    /// The contract that takes proofs of results.
    #[arg(long, value_name = "ADDRESS", help_heading = "Proof chain")]
    pub result_contract: Option<String>,
    /// A node of the proof chain; more of them are asked when the first does not answer.
    #[arg(long, value_name = "URL", help_heading = "Proof chain")]
    pub rpc: Option<Vec<String>>,
    /// A node that did not answer within this is asked again, or the next one is [default: 15].
    #[arg(long, value_name = "S", help_heading = "Proof chain")]
    pub rpc_s: Option<u64>,
    /// Chains whose specimens are wanted [default: 1].
    #[arg(long, value_name = "ID", help_heading = "Proof chain")]
    pub source_chain: Option<Vec<String>>,
    /// Where a first scan starts: `latest`, a block number, or `7d` for days back [default: latest].
    #[arg(long, value_name = "BLOCK", help_heading = "Proof chain")]
    pub start: Option<String>,
    /// Blocks that must be on top of an announcement [default: 3].
    #[arg(long, value_name = "BLOCKS", help_heading = "Proof chain")]
    pub depth: Option<u64>,
    /// How often the chain is asked for news [default: 2000].
    #[arg(long, value_name = "MS", help_heading = "Proof chain")]
    pub poll_ms: Option<u64>,

    /// Directory of journal, content and compiled rules [default: refiner-data].
    #[arg(long, value_name = "DIR", help_heading = "Content")]
    pub data: Option<PathBuf>,
    /// An ipfs-pinner or ewm-das; without one, or with `none`, results stay in the local store.
    #[arg(long, value_name = "URL", help_heading = "Content")]
    pub pinner: Option<String>,
    /// An upload that took longer than this is given up and tried again [default: 600].
    #[arg(long, value_name = "S", help_heading = "Content")]
    pub upload_s: Option<u64>,
    /// A gateway to fetch from; `none` for no gateway [default: four public ones].
    #[arg(long, value_name = "URL", help_heading = "Content")]
    pub gateway: Option<Vec<String>>,
    /// Lets announced URLs lead to private addresses.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Content")]
    pub private_urls: Option<bool>,
    /// Content kept on disk; the oldest that is not needed goes first [default: 10240].
    #[arg(long, value_name = "MIB", help_heading = "Content")]
    pub store_mib: Option<u64>,

    /// A built-in rule's name, a component file, or a directory of them [default: block-result].
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    pub rule: Option<Vec<String>>,
    /// The rule whose results are proved, or `none` [default: the only rule].
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    pub prove: Option<String>,
    /// Format of the block result: `canonical`, or `evm-server@a` to `@e`.
    #[arg(long, value_name = "FORMAT", help_heading = "Rules")]
    pub format: Option<String>,
    /// A parameter for the rules, part of their identity.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Rules")]
    pub param: Option<Vec<String>>,
    /// A geth-style chain config of a chain that is not built in.
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub chain_config: Option<Vec<String>>,
    /// Who executes blocks: `embedded`, `remote` or `both`; remote results need `--format evm-server@...` [default: embedded].
    #[arg(long, value_name = "WHO", help_heading = "Rules")]
    pub evm: Option<String>,
    /// The evm-server for `--evm remote` and `both`; alone it selects nothing [default: http://127.0.0.1:3002].
    #[arg(long, value_name = "URL", help_heading = "Rules")]
    pub evm_server: Option<String>,
    /// What becomes of a block whose two results differ: `prefer-embedded`, `prefer-remote` or `hold` [default: hold].
    #[arg(long, value_name = "POLICY", help_heading = "Rules")]
    pub evm_on_difference: Option<String>,
    /// How long the evm-server has for a block, with all tries [default: 100].
    #[arg(long, value_name = "S", help_heading = "Rules")]
    pub evm_timeout_s: Option<u64>,
    /// Origin of the senders in results: `recovered` from the signatures, or `stated` by the specimen and not checked, which is refused
    /// where results are proved [default: recovered].
    #[arg(long, value_name = "ORIGIN", help_heading = "Rules")]
    pub senders: Option<String>,
    /// Upper bound on the gas used by everything done for one block; another than the default is refused where results are proved
    /// [default: 1000000000].
    #[arg(long, value_name = "GAS", help_heading = "Rules")]
    pub gas_bound: Option<u64>,
    /// Runs at once, each in a process of its own [default: as many as cores].
    #[arg(long, value_name = "N", help_heading = "Rules")]
    pub workers: Option<u64>,

    /// A file with the operator's key, 64 hex digits.
    #[arg(long, value_name = "FILE", help_heading = "Operator")]
    pub key_file: Option<PathBuf>,
    /// An encrypted keystore; needs `password-file`.
    #[arg(long, value_name = "FILE", help_heading = "Operator")]
    pub keystore: Option<PathBuf>,
    /// The keystore's password.
    #[arg(long, value_name = "FILE", help_heading = "Operator")]
    pub password_file: Option<PathBuf>,
    /// A Web3Signer.
    #[arg(long, value_name = "URL", help_heading = "Operator")]
    pub signer: Option<String>,
    /// Which of the Web3Signer's keys.
    #[arg(long, value_name = "ADDRESS", help_heading = "Operator")]
    pub operator: Option<String>,
    /// The most that is offered for one gas [default: 1000].
    #[arg(long, value_name = "GWEI", help_heading = "Operator")]
    pub max_fee_gwei: Option<u64>,
    /// Blocks that must be on top of a proof before it is final [default: 5].
    #[arg(long, value_name = "BLOCKS", help_heading = "Operator")]
    pub proof_depth: Option<u64>,
    /// A transaction that waits longer is sent again with higher fees [default: 90].
    #[arg(long, value_name = "S", help_heading = "Operator")]
    pub bump_after_s: Option<u64>,
    /// How often it is looked whether proving can go on after it stopped [default: 60].
    #[arg(long, value_name = "S", help_heading = "Operator")]
    pub recheck_s: Option<u64>,
    /// Transactions that wait at once [default: 32].
    #[arg(long, value_name = "N", help_heading = "Operator")]
    pub unsettled: Option<u64>,

    /// Where `/livez`, `/readyz`, `/status` and `/metrics` are served [default: 127.0.0.1:9568].
    #[arg(long, value_name = "ADDRESS", help_heading = "Process")]
    pub health: Option<String>,
    /// Lets `health` be an address that other machines reach, such as a container's; the answers ask for no password.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Process")]
    pub health_anywhere: Option<bool>,
    /// Specimens fetched at once [default: 8].
    #[arg(long, value_name = "N", help_heading = "Process")]
    pub fetches: Option<u64>,
    /// Results pinned at once [default: 4].
    #[arg(long, value_name = "N", help_heading = "Process")]
    pub pins: Option<u64>,
    /// Scanning waits while more items than this are unfinished [default: 1000].
    #[arg(long, value_name = "N", help_heading = "Process")]
    pub backlog: Option<u64>,
    /// Time that running work has after SIGTERM [default: 20].
    #[arg(long, value_name = "S", help_heading = "Process")]
    pub shutdown_s: Option<u64>,
    /// The first pause after a failure; it doubles up to 300 times this [default: 1000].
    #[arg(long, value_name = "MS", help_heading = "Process")]
    pub retry_ms: Option<u64>,
}

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    List,
    Switch,
}

/// Every setting with its kind and the names under which earlier refiners read it from the environment.
pub const SETTINGS: [(&str, Kind, &[&str]); 45] = [
    ("network", Kind::Text, &["MIX_ENV"]),
    ("proof-chain-id", Kind::Number, &["PROOFCHAIN_CHAIN_ID"]),
    ("specimen-contract", Kind::Text, &["BSP_PROOFCHAIN_ADDRESS"]),
    ("result-contract", Kind::Text, &["BRP_PROOFCHAIN_ADDRESS"]),
    // It is, and was, the proof chain's node, whatever its name says.
    ("rpc", Kind::List, &["NODE_ETHEREUM_MAINNET"]),
    ("rpc-s", Kind::Number, &[]),
    ("source-chain", Kind::List, &[]),
    ("start", Kind::Text, &[]),
    ("depth", Kind::Number, &[]),
    ("poll-ms", Kind::Number, &[]),
    ("data", Kind::Text, &[]),
    ("pinner", Kind::Text, &["IPFS_PINNER_URL"]),
    ("upload-s", Kind::Number, &[]),
    ("gateway", Kind::List, &[]),
    ("private-urls", Kind::Switch, &[]),
    ("store-mib", Kind::Number, &[]),
    ("rule", Kind::List, &[]),
    ("prove", Kind::Text, &[]),
    ("format", Kind::Text, &[]),
    ("param", Kind::List, &[]),
    ("chain-config", Kind::List, &[]),
    ("evm", Kind::Text, &[]),
    ("evm-server", Kind::Text, &["EVM_SERVER_URL"]),
    ("evm-on-difference", Kind::Text, &[]),
    ("evm-timeout-s", Kind::Number, &[]),
    ("senders", Kind::Text, &[]),
    ("gas-bound", Kind::Number, &[]),
    ("workers", Kind::Number, &[]),
    ("key-file", Kind::Text, &["BLOCK_RESULT_OPERATOR_PRIVATE_KEY_FILE"]),
    ("keystore", Kind::Text, &[]),
    ("password-file", Kind::Text, &[]),
    ("signer", Kind::Text, &[]),
    ("operator", Kind::Text, &[]),
    ("max-fee-gwei", Kind::Number, &[]),
    ("proof-depth", Kind::Number, &[]),
    ("bump-after-s", Kind::Number, &[]),
    ("recheck-s", Kind::Number, &[]),
    ("unsettled", Kind::Number, &[]),
    ("health", Kind::Text, &[]),
    ("health-anywhere", Kind::Switch, &[]),
    ("fetches", Kind::Number, &[]),
    ("pins", Kind::Number, &[]),
    ("backlog", Kind::Number, &[]),
    ("shutdown-s", Kind::Number, &[]),
    ("retry-ms", Kind::Number, &[]),
];

/// Variables of ours that are read elsewhere, and no mistakes.
pub const ELSEWHERE: [&str; 5] =
    ["REFINER_CONFIG", "REFINER_LOG", "REFINER_CACHE_DIR", "REFINER_IPFS_GATEWAY", "REFINER_RULES_DIR"];

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    #[test]
    fn every_flag_is_a_setting_and_the_other_way_round() {
        let command = Layer::augment_args(clap::Command::new("run"));
        let flags: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        let settings: Vec<_> = SETTINGS.iter().map(|(key, ..)| *key).collect();
        assert_eq!(flags, settings);
    }

    #[test]
    fn every_setting_has_the_kind_of_its_flag() {
        let table: String = SETTINGS
            .iter()
            .map(|(key, kind, _)| match kind {
                Kind::Text => format!("{key} = \"x\"\n"),
                Kind::Number => format!("{key} = 1\n"),
                Kind::List => format!("{key} = [\"x\"]\n"),
                Kind::Switch => format!("{key} = true\n"),
            })
            .collect();
        let layer: Layer = toml::from_str(&table).unwrap();
        let written = toml::Table::try_from(&layer).unwrap();
        assert_eq!(written.len(), SETTINGS.len());
    }
}
