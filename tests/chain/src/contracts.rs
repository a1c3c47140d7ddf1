//! The calls that set a proof chain up, and who makes them.
#![allow(missing_docs, reason = "the macro documents what it makes of the contracts' own names")]

use alloy_primitives::{Address, address};
use alloy_sol_types::sol;

/// Sets the contracts up: anvil's first account.
pub const GOVERNOR: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// Enables validators: anvil's second account.
pub const STAKING_MANAGER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
/// Proves specimens, as validator 1: anvil's third account.
pub const PRODUCER: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
/// Proves results, as validator 2: anvil's fourth account.
pub const OPERATOR: Address = address!("90F79bf6EB2c4f870365E785982E1f101E93b906");
/// The operator's key, which every anvil has and everybody knows.
pub const OPERATOR_KEY: &str = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";
/// The operator's key under the password `testpassword`, made with node's own cryptography.
pub const OPERATOR_KEYSTORE: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"ed23570b775368c931764712dc5f02bb"},
"ciphertext":"b329fa1712a1ad53aaa6f1cd7c4f413effe85848c7e5837cc146358fbc899861","kdf":"pbkdf2","kdfparams":{"c":2048,
"dklen":32,"prf":"hmac-sha256","salt":"ed23570b775368c931764712dc5f02bbc0e3638f26c9080ddec8d3fea7667d4c"},
"mac":"544b9dabc39a43b89882780949791b1b856be78fc25cd72cbe88e7e9024437f9"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6",
"version":3}"#;
/// Has money and no role: anvil's fifth account.
pub const STRANGER: Address = address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65");
/// Key of an account without any role.
pub const STRANGER_KEY: &str = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a";

/// Validator id of the producer.
pub(crate) const PRODUCER_VALIDATOR: u128 = 1;
/// Validator id of the operator.
pub(crate) const OPERATOR_VALIDATOR: u128 = 2;

sol!("../proofchain/Calls.sol");
