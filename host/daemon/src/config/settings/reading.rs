//! Settings that depend on others: the chain, its nodes, the operator's key, and the terms on which results are proved.

use std::path::PathBuf;

use refiner_config::{Executor, Problem, Values, egress, table};
use refiner_evm::{BasisPolicy, ExecutionPolicy};
use refiner_executor as executor;
use refiner_proofchain::{KeySource, Network, SecretFile};
use refiner_rule_model::Params;
use url::Url;

use super::Key;

/// The built-in rule whose format is a setting.
const BLOCK_RESULT: &str = "block-result";
/// The format of a block result where none is named.
const CANONICAL: &str = "canonical";

/// Reads settings that depend on others, and collects their problems.
pub(super) struct Reading<'a> {
    pub(super) values: &'a Values,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    /// The terms of execution. A proved result rests on recovered senders, and ends at the bound at which every operator's ends.
    pub(super) fn policy(&mut self, proves: bool) -> ExecutionPolicy {
        let default = ExecutionPolicy::default();
        let policy = executor::policy(self.values);
        let terms = [
            ("senders", policy.senders.to_string(), default.senders.to_string()),
            ("gas-bound", policy.gas_bound.to_string(), default.gas_bound.to_string()),
        ];
        // Where execution and auto both have a result, it is the same.
        if proves && policy.basis == BasisPolicy::Receipts {
            let (found, wanted) = (policy.basis.to_string(), "auto or execution".to_owned());
            self.problems.push(Problem::Proving { key: "basis", found, wanted });
        }
        for (key, found, wanted) in terms.into_iter().filter(|(_, found, wanted)| proves && found != wanted) {
            self.problems.push(Problem::Proving { key, found, wanted });
        }
        policy
    }

    /// A proof names a URL, and content that cannot be fetched from there earns nothing.
    pub(super) fn check_place(&mut self) {
        let pinner = self.values.get(&table::PINNER).filter(|pinner| pinner != "none");
        if pinner.is_none() && !self.values.is_given(&table::PUBLIC_URL) {
            let reason = "a proved result must be where others find it: an ipfs-pinner or ewm-das by --pinner, or the address of a `refiner content serve` by --public-url; or prove = \"none\"";
            self.problems.push(Problem::Missing { key: "pinner", reason });
        }
    }

    /// Operators agree by the hash of the result, so the format that is proved is chosen and not assumed.
    pub(super) fn check_format(&mut self) {
        let (rules, prove) = (self.values.get(&table::RULE), self.values.get(&table::PROVE));
        let is_proved = match prove.as_deref() {
            Some(name) => name == BLOCK_RESULT,
            None => rules == [BLOCK_RESULT],
        };
        let by_param = self.values.get(&table::PARAM).iter().any(|parameter| parameter.name == "format");
        if is_proved && !by_param && !self.values.is_given(&table::FORMAT) {
            let reason = "results are proved, and operators agree by their hash: add `format = \"evm-server@e\"`, the network's since May 2025, or `format = \"canonical\"`";
            self.problems.push(Problem::Missing { key: "format", reason });
        }
    }

    /// An evm-server gives no canonical result, so that every block would fail.
    pub(super) fn check_remote_format(&mut self, params: &Params) {
        let has_block_result = self.values.get(&table::RULE).iter().any(|rule| rule == BLOCK_RESULT);
        let of_block_result = params.of_rule(BLOCK_RESULT, &[BLOCK_RESULT]);
        let format = of_block_result.get("format").unwrap_or(CANONICAL);
        if has_block_result && self.values.get(&table::EVM) != Executor::Embedded && format == CANONICAL {
            let reason = "block-result asks for a canonical result, which no evm-server writes; expected `format = \"evm-server@e\"` or that of another era, or evm = \"embedded\"";
            self.problems.push(Problem::Missing { key: "format", reason });
        }
    }

    pub(super) fn rpc(&mut self) -> Option<Vec<Url>> {
        if !self.values.is_given(&table::RPC) {
            let reason = "a node of the proof chain, by --rpc, REFINER_RPC or NODE_ETHEREUM_MAINNET";
            self.problems.push(Problem::Missing { key: "rpc", reason });
        }
        Some(self.values.get(&table::RPC)).filter(|nodes| !nodes.is_empty())
    }

    /// A preset, of which each part can be replaced, or all three parts.
    pub(super) fn network(&mut self) -> Option<Network> {
        let name = self.values.get(&table::NETWORK);
        let preset = match name.as_deref() {
            Some("custom" | "test" | "docker") | None => None,
            Some(name) => match Network::named(name) {
                Some(network) => Some(network),
                None => {
                    let expected = "moonbeam (prod), moonbase (dev) or custom";
                    let origin = self.values.shown(&table::NETWORK.row).1;
                    self.problems.push(Problem::Value { key: "network", expected, found: name.to_owned(), origin });
                    return None;
                }
            },
        };
        let chain_id = self.values.get(&table::PROOF_CHAIN_ID);
        let specimen_contract = self.values.get(&table::SPECIMEN_CONTRACT);
        let result_contract = self.values.get(&table::RESULT_CONTRACT);
        if let Some(preset) = preset {
            return Some(Network {
                chain_id: chain_id.unwrap_or(preset.chain_id),
                specimen_contract: specimen_contract.unwrap_or(preset.specimen_contract),
                result_contract: result_contract.unwrap_or(preset.result_contract),
            });
        }
        let parts = [
            ("proof-chain-id", self.values.is_given(&table::PROOF_CHAIN_ID)),
            ("specimen-contract", self.values.is_given(&table::SPECIMEN_CONTRACT)),
            ("result-contract", self.values.is_given(&table::RESULT_CONTRACT)),
        ];
        if name.is_none() && parts.iter().all(|(_, given)| !given) {
            let reason = "moonbeam, moonbase or custom, by --network, REFINER_NETWORK or MIX_ENV";
            self.problems.push(Problem::Missing { key: "network", reason });
            return None;
        }
        for (key, _) in parts.into_iter().filter(|(_, given)| !given) {
            self.problems.push(Problem::Missing { key, reason: "a custom network needs it" });
        }
        Some(Network { chain_id: chain_id?, specimen_contract: specimen_contract?, result_contract: result_contract? })
    }

    /// A file with a secret, with the access that is permitted to others.
    fn file(&self, path: PathBuf) -> SecretFile {
        SecretFile::new(path).permitting_others(self.values.get(&table::INSECURE_KEY_PERMISSIONS))
    }

    /// Exactly one place for the key.
    pub(super) fn key(&mut self) -> Option<Key> {
        let values = self.values;
        let mut sources: Vec<(&'static str, KeySource)> = Vec::new();
        if let Some(url) = values.get(&table::SIGNER) {
            let address = values.get(&table::OPERATOR_ADDRESS);
            sources.push(("signer", KeySource::Web3Signer { url, address, egress: egress::of(values) }));
        }
        match (values.get(&table::KEYSTORE), values.get(&table::PASSWORD_FILE)) {
            (Some(path), Some(password_file)) => {
                let (keystore, password) = (self.file(path), self.file(password_file));
                sources.push(("keystore", KeySource::Keystore { keystore, password }));
            }
            (Some(_), None) => {
                self.problems.push(Problem::Missing { key: "password-file", reason: "the keystore is encrypted" });
                return None;
            }
            (None, _) => {}
        }
        sources.extend(values.get(&table::KEY_FILE).map(|path| ("key-file", KeySource::File(self.file(path)))));
        sources.extend(values.key().map(|(variable, secret)| (variable, KeySource::Value(secret))));
        if let [(one, _), (other, _), ..] = sources.as_slice() {
            self.problems.push(Problem::Conflict { one, other });
            return None;
        }
        match sources.pop() {
            Some((_, source)) => Some(Key::From(source)),
            // Given, and reported as faulty.
            None if values.is_given(&table::SIGNER) || values.is_given(&table::KEY_FILE) => None,
            None => {
                let reason = "proofs are signed with it: key-file, keystore, signer or BLOCK_RESULT_OPERATOR_PRIVATE_KEY; or prove = \"none\"";
                self.problems.push(Problem::Missing { key: "key-file", reason });
                None
            }
        }
    }
}
