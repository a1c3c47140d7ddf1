//! Runs of rules for the tests and benchmarks of the sandbox: a small specimen, its execution, and rules from text.
//!
//! * **Inputs**: the fields of a module as text.
//! * **Outputs**: admitted rules, what they are run over, and an executor that answers every block alike.
//! * **Invariants**: decodes nothing and executes nothing, so that a run ends the same way whatever becomes of either.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_evm::{
    Access, AccountChange, AccountValue, ExecuteError, ExecutedLog, ExecutedReceipt, Execution, Executor, Frame,
    Frames, GasItem, RecordingTerms, Recordings, ResultFormat, SlotChange, StateStep, Steps, Unavailable,
};
use refiner_rule_model::{Grants, Params, Run};
pub use refiner_sandbox::RunInput;
use refiner_sandbox::{AdmittedRule, EngineProfile, Sandbox};
use refiner_specimen::{
    AccountRead, Block, BlockHashRead, CodeRead, Layout, Specimen, StateReads, StorageRead, Transaction,
    check::{Check, CheckName},
};

pub use component::{bare_component, component, component_of_module, manifest, module_of_fields, with_manifest};
pub use refiner_hostile::component;

/// Field list of a rule that does nothing and is fine.
pub const GOOD: &str =
    r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 7)))"#;

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

    fn record(
        &self,
        _: &Specimen,
        _: &Bytes,
        terms: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        Ok(self.0.clone().map(|execution| execution.with_recordings(Some(small_recordings(terms)))))
    }
}

/// Recordings of four steps, of which the second has two calls and a change of state.
pub fn small_recordings(terms: RecordingTerms) -> Recordings {
    let frames = terms.payload_max.map(|payload_max| Frames {
        payload_max,
        steps: Steps::whole(vec![Vec::new(), vec![frame(None), frame(Some(0))], Vec::new(), Vec::new()]),
    });
    let state = terms
        .state
        .then(|| Steps::whole(vec![StateStep::default(), state_step(), StateStep::default(), StateStep::default()]));
    let gas = terms.gas.then(|| {
        let item = |what| GasItem { code_address: Some(Address::repeat_byte(2)), what, times: 3, gas: 300 };
        Steps::whole(vec![Vec::new(), vec![item(0x54), item(0x55)], Vec::new(), Vec::new()])
    });
    Recordings { frames, state, gas }
}

/// A call with five bytes of input and three of output.
pub fn frame(parent: Option<u32>) -> Frame {
    Frame {
        parent,
        depth: u16::from(parent.is_some()),
        opcode: 0xf1,
        sender: Address::repeat_byte(1),
        to: Some(Address::repeat_byte(2)),
        value: Some(U256::from(3)),
        gas_limit: 50_000,
        gas_used: 40_000,
        input_len: 5,
        input: Bytes::from_static(b"input"),
        output_len: 3,
        output: Bytes::from_static(b"out"),
        error: None,
        undone: false,
    }
}

fn state_step() -> StateStep {
    let value = |nonce| AccountValue { nonce, ..AccountValue::EMPTY };
    let address = Address::repeat_byte(1);
    StateStep {
        accounts: vec![AccountChange { address, before: value(1), after: value(2) }],
        slots: vec![SlotChange { address, slot: B256::ZERO, before: B256::ZERO, after: B256::repeat_byte(1) }],
        accesses: vec![Access { address, slot: None, changed: true }],
        codes: vec![(B256::repeat_byte(0xcc), Bytes::from_static(&[0x60, 0x01]))],
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
