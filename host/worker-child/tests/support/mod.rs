//! Components from text, a small specimen, and pools over this crate's own child program.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a part of each test")]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use alloy_consensus::{EMPTY_ROOT_HASH, Header, SignableTransaction as _, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use refiner_evm::EmbeddedExecutor;
use refiner_rule_model::{Grants, Limits, Params, Run, SpecimenHash};
use refiner_sandbox::{EngineProfile, RunInput, Sandbox};
use refiner_specimen::{
    AccountRead, Block, CodeRead, Layout, Specimen, StateReads, StorageRead, Transaction,
    check::{self, Outcome, Quantity},
};
use refiner_testkit::Key;
use refiner_worker::{ChildCommand, CompiledRule, Compiler, Job, Pool, PoolConfig};

pub use refiner_hostile::component;
pub mod users;

/// Writes the specimen's bytes into an artifact, and a line into the log.
pub const COPY: &str = r#"
;; output: copy application/octet-stream copy
(import "refiner:rule/specimen" "[method]block-specimen.raw" (func $raw (param i32 i64 i32 i32)))
(import "refiner:rule/log" "write" (func $log (param i32 i32 i32)))
(import "refiner:rule/output" "[constructor]artifact" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.write" (func $write (param i32 i32 i32)))
(import "refiner:rule/output" "[method]artifact.finish" (func $finish (param i32)))
(data (i32.const 256) "copy")
(data (i32.const 384) "application/octet-stream")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $handle i32)
  (call $raw (local.get 0) (i64.const 0) (i32.const 65536) (i32.const 512))
  (call $log (i32.const 2) (i32.const 256) (i32.const 4))
  (local.set $handle (call $artifact (i32.const 256) (i32.const 4) (i32.const 384) (i32.const 24) (i32.const 1) (i32.const 256) (i32.const 4)))
  (call $write (local.get $handle) (i32.load (i32.const 512)) (i32.load (i32.const 516)))
  (call $finish (local.get $handle))
  (call $ok (local.get 0) (i64.const 3)))"#;

/// Never returns, and burns the least fuel in its time.
pub const SPIN: &str = r#"
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $n i64)
  (loop $again
    (local.set $n (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (local.get $n))))))))))
    (local.set $n (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (i64.popcnt (local.get $n))))))))))
    (br_if $again (i64.lt_s (local.get $n) (i64.const 65))))
  unreachable)"#;

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the real specimens, or a line that they are not there.
pub fn real_specimens() -> Vec<PathBuf> {
    let shared = std::env::var_os("REFINER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(shared.join("specimens")) else {
        println!("skipped: ../shared/specimens not present");
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "avro"));
    paths.sort();
    paths
}

/// A component over the contract from module fields, with `tests/hostile/parts.wat` behind them and a manifest inside.
pub fn component(fields: &str) -> Bytes {
    component::component(fields).into()
}

pub fn child(argument: &str) -> ChildCommand {
    ChildCommand::new(env!("CARGO_BIN_EXE_refiner-worker-child"), argument)
}

pub fn compiler() -> Compiler {
    Compiler::new(None).with_command(child(refiner_worker::COMPILE_ARGUMENT))
}

pub fn compiled(fields: &str) -> Arc<CompiledRule> {
    Arc::new(compiler().compile(component(fields), None, &Grants::all()).unwrap())
}

pub fn config(workers: usize) -> PoolConfig {
    PoolConfig { command: child(refiner_worker::WORKER_ARGUMENT), ..PoolConfig::new(workers) }
}

pub fn pool(workers: usize) -> Pool {
    Pool::new(config(workers)).unwrap()
}

pub fn job(rule: &Arc<CompiledRule>, raw: &Bytes) -> Job {
    Job {
        rule: Arc::clone(rule),
        params: [("greeting", "hello")].into_iter().collect::<Params>(),
        limits: Limits::with_evm(),
        specimen_hash: SpecimenHash::of(raw.clone()),
        raw: raw.clone(),
        trace: None,
    }
}

/// The same run in this process.
pub fn run_here(component: &[u8], job: &Job) -> Run {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    let sandbox = SANDBOX.get_or_init(|| Sandbox::new(EngineProfile::default()).unwrap());
    let rule = sandbox.admit(component, None, &Grants::all()).unwrap();
    rule.run(RunInput {
        specimen: Arc::new(refiner_specimen::decode(&job.raw).unwrap()),
        raw: job.raw.clone(),
        specimen_hash: job.specimen_hash.clone(),
        params: job.params.clone(),
        executor: Arc::new(EmbeddedExecutor::default()),
        limits: job.limits,
    })
    .unwrap()
}

/// The bytes of a block of three transactions at this height, which contradicts itself nowhere.
pub fn specimen(height: u64) -> Bytes {
    specimen_of(height, Vec::new())
}

/// The same with an account that it read: without any, `code` and the like are refused for lack of state.
pub fn specimen_with_state(height: u64) -> Bytes {
    let account =
        AccountRead { address: Address::repeat_byte(1), nonce: 1, balance: U256::ZERO, code_hash: KECCAK256_EMPTY };
    specimen_of(height, vec![account])
}

fn specimen_of(height: u64, accounts: Vec<AccountRead>) -> Bytes {
    let code = Bytes::from_static(&[0x60, 0x00]);
    let key = Key::named("worker");
    let transactions: Vec<_> = (0..3).map(|nonce| signed(&key, nonce)).collect();
    let header = Header {
        number: height,
        timestamp: 1_700_000_000,
        gas_limit: 30_000_000,
        gas_used: 300_000,
        base_fee_per_gas: Some(7),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        ..Header::default()
    };
    let mut specimen = Specimen {
        layout: Layout::V0_35,
        stated_codec_version: 0.35,
        start_block: height,
        end_block: height,
        elements: 1,
        event_hash: B256::ZERO,
        block: Block {
            kind: "block-specimen".to_owned(),
            // No schedule of this chain is known, so the height may be any.
            network_id: 1_337,
            hash: B256::ZERO,
            total_difficulty: U256::ZERO,
            header,
            transactions,
            uncles: Some(Vec::new()),
            receipts: Vec::new(),
            senders: vec![key.address(); 3],
            state: StateReads {
                accounts,
                storage: vec![StorageRead {
                    account: Address::repeat_byte(1),
                    slot: B256::repeat_byte(2),
                    value: B256::repeat_byte(3),
                }],
                codes: vec![CodeRead { hash: keccak256(&code), code }].into(),
                block_hashes: Vec::new(),
            },
            withdrawals: Some(Vec::new()),
            blob_sidecars: None,
        },
    };
    let Outcome::Failed { computed: Quantity::Hash(root), .. } = check::transactions_root(&specimen).outcome else {
        panic!("a root of nothing was right")
    };
    specimen.block.header.transactions_root = root;
    specimen.block.hash = specimen.block.header.hash_slow();
    specimen.event_hash = specimen.block.hash;
    refiner_specimen::encode(&specimen, Layout::V0_35).unwrap().into()
}

/// A transaction of type 0 for any chain.
fn signed(key: &Key, nonce: u64) -> Transaction {
    let input = Bytes::from_static(b"input");
    let unsigned = TxLegacy { nonce, gas_price: 9, gas_limit: 100_000, input: input.clone(), ..TxLegacy::default() };
    let signature = key.sign(unsigned.signature_hash());
    Transaction {
        nonce,
        gas_price: 9,
        gas_tip_cap: 9,
        gas_fee_cap: 9,
        gas: 100_000,
        input,
        v: Some(U256::from(27 + u8::from(signature.v()))),
        r: Some(signature.r()),
        s: Some(signature.s()),
        ..Transaction::default()
    }
}
