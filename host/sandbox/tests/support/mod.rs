//! Components from text, and a small specimen, for every test of this crate.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test binary uses its part of this"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_evm::{ExecuteError, ExecutedLog, ExecutedReceipt, Execution, Executor, ResultFormat, Unavailable};
pub use refiner_sandbox::RunInput;
use refiner_sandbox::{AdmittedRule, EngineProfile, Grants, Params, Run, Sandbox};
use refiner_specimen::{
    AccountRead, Block, BlockHashRead, CodeRead, Layout, Specimen, StateReads, StorageRead, Transaction,
    check::{Check, CheckName},
};

#[path = "../../../../tests/hostile/component.rs"]
pub mod component;
pub use component::{bare_component, component, component_of_module, manifest, module_of_fields, with_manifest};

/// Field list of a rule that does nothing and is fine.
pub const GOOD: &str = r#"(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 7)))"#;

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn sandbox() -> Sandbox {
    Sandbox::new(EngineProfile::default()).unwrap()
}

/// A rule from module fields, everything granted.
pub fn rule(sandbox: &Sandbox, fields: &str) -> AdmittedRule {
    sandbox.admit(&component(fields), None, &Grants::all()).unwrap()
}

pub fn run(rule: &AdmittedRule) -> Run {
    rule.run(input(rule)).unwrap()
}

/// Input over the small specimen, with an executor.
pub fn input(rule: &AdmittedRule) -> RunInput {
    RunInput {
        specimen: Arc::new(specimen()),
        raw: Bytes::from_static(RAW),
        specimen_hash: B256::repeat_byte(0x5e).into(),
        params: [("greeting", "hello")].into_iter().collect::<Params>(),
        executor: Arc::new(Answers(Ok(small_execution()))),
        limits: rule.default_limits(),
    }
}

/// Stands for the specimen's bytes; nothing here decodes them.
pub const RAW: &[u8] = b"0123456789";

/// Bytes of the block result of [`small_execution`].
pub const BLOCK_RESULT: &[u8] = br#"{"block":"result"}"#;

/// A block of three transactions, with one of everything else.
pub fn specimen() -> Specimen {
    let code = Bytes::from_static(&[0x60, 0x00]);
    let transaction = |nonce| Transaction {
        nonce,
        gas: 21_000,
        gas_price: 9,
        input: Bytes::from_static(b"input"),
        ..Transaction::default()
    };
    Specimen {
        layout: Layout::V0_38,
        stated_codec_version: 0.38,
        start_block: 11,
        end_block: 11,
        elements: 1,
        event_hash: B256::repeat_byte(0xee),
        block: Block {
            kind: "block-specimen".to_owned(),
            network_id: 1,
            hash: B256::repeat_byte(0xb1),
            total_difficulty: U256::ZERO,
            header: Header { number: 11, timestamp: 1_700_000_000, ..Header::default() },
            transactions: (0..3).map(transaction).collect(),
            uncles: None,
            receipts: Vec::new(),
            senders: (1..4).map(Address::repeat_byte).collect(),
            state: StateReads {
                accounts: vec![AccountRead {
                    address: Address::repeat_byte(1),
                    nonce: 4,
                    balance: U256::from(5),
                    code_hash: keccak256(&code),
                }],
                storage: vec![StorageRead {
                    account: Address::repeat_byte(1),
                    slot: B256::repeat_byte(2),
                    value: B256::repeat_byte(3),
                }],
                codes: vec![CodeRead { hash: keccak256(&code), code }].into(),
                block_hashes: vec![BlockHashRead { number: 10, hash: B256::repeat_byte(0xb0) }],
            },
            withdrawals: None,
            blob_sidecars: None,
        },
    }
}

/// Answers every block with one outcome, and executes nothing.
pub struct Answers(pub Result<Execution, ExecuteError>);

impl Executor for Answers {
    fn checks(&self, _: &Specimen) -> Vec<Check> {
        Vec::new()
    }

    fn senders(&self, _: &Specimen) -> Check {
        Check::passed(CheckName::Senders)
    }

    fn execute(
        &self,
        _: &Specimen,
        _: &Bytes,
        _: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        Ok(self.0.clone())
    }
}

/// A receipt of the transaction at `transaction_index`, with these logs.
pub fn receipt(transaction_index: u32, logs: Vec<ExecutedLog>) -> ExecutedReceipt {
    ExecutedReceipt {
        transaction_index,
        transaction_hash: B256::repeat_byte(9),
        tx_type: 2,
        success: true,
        post_state: None,
        gas_used: 21_000,
        cumulative_gas_used: 42_000,
        effective_gas_price: U256::from(7),
        contract_address: None,
        logs,
    }
}

/// An execution with two receipts, of two logs and one, and [`BLOCK_RESULT`].
pub fn small_execution() -> Execution {
    let log = |byte| ExecutedLog {
        address: Address::repeat_byte(byte),
        topics: vec![B256::repeat_byte(byte)],
        data: Bytes::from_static(b"data"),
    };
    let receipts = vec![receipt(0, vec![log(1), log(2)]), receipt(1, vec![log(3)])];
    Execution::with_document(42_000, receipts, Vec::new(), Bytes::from_static(BLOCK_RESULT))
}
