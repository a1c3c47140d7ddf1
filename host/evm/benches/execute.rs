//! What canonical execution costs beside the EVM itself, on the network's own blocks.
//!
//! `cargo bench -p refiner-evm` prints milliseconds of one core: the whole of it, with a warm code cache and
//! with a cold one; a bare revm loop over the same block with everything prepared beforehand; and the parts around it.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

#[path = "../tests/shared/mod.rs"]
mod shared;

use std::{hint::black_box, time::Instant};

use alloy_primitives::{B256, TxKind, U256, b256, keccak256};
use refiner_evm::{ChainSpec, EmbeddedExecutor, ResultFormat, commit_receipts};
use refiner_specimen::{Specimen, transaction_hashes};
use revm::{
    Context, DatabaseRef, ExecuteEvm, MainBuilder, MainContext, SystemCallEvm,
    bytecode::Bytecode,
    context::{BlockEnv, CfgEnv, TxEnv},
    context_interface::block::BlobExcessGasAndPrice,
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::AccountInfo,
};

/// Stands in where the layout dropped the hash.
const DUMMY_BLOB_HASH: B256 = b256!("0x0100000000000000000000000000000000000000000000000000000000000000");

/// Runs of each measurement. The fastest counts: it is the one that other work on the machine disturbed least.
const ROUNDS: usize = 31;

fn main() {
    println!("block      Mgas  roots senders   cold   bare  roots/bare  senders/bare  Mgas/s  hashes  receipts");
    let (mut all_roots, mut all_senders, mut all_bare, mut all_gas) = (0.0, 0.0, 0.0, 0.0);
    for (height, specimen) in shared::specimens() {
        let executor = EmbeddedExecutor::default();
        let execute = |executor: &EmbeddedExecutor| executor.execute(&specimen, ResultFormat::Canonical);
        let Ok(execution) = execute(&executor) else { continue };
        // A block that is executed with what was found for dropped fields has no bare rival.
        if !has_authorizations(&specimen) {
            continue;
        }

        let roots = fastest(|| (), |()| execute(&executor));
        let with_document = || execute(&executor).map(|execution| execution.block_result(&specimen));
        let senders = fastest(|| (), |()| with_document());
        let cold = fastest(EmbeddedExecutor::default, |executor| execute(&executor));
        let prepared = Prepared::new(&specimen);
        assert_eq!(prepared.run(prepared.database.clone(), prepared.transactions.clone()), execution.gas_used);
        let bare = fastest(
            || (prepared.database.clone(), prepared.transactions.clone()),
            |(database, transactions)| prepared.run(database, transactions),
        );
        let hashes = fastest(|| (), |()| transaction_hashes(&specimen.block));
        let receipts = fastest(|| (), |()| commit_receipts(&execution.receipts));

        let megagas = execution.gas_used as f64 / 1e6;
        println!(
            "{height}  {megagas:5.2} {roots:6.2} {senders:7.2} {cold:6.2} {bare:6.2} {:11.2} {:13.2} {:7.0} {hashes:7.2} {receipts:9.2}",
            roots / bare,
            senders / bare,
            megagas / roots * 1e3,
        );
        (all_roots, all_senders) = (all_roots + roots, all_senders + senders);
        (all_bare, all_gas) = (all_bare + bare, all_gas + megagas);
    }
    let (roots, senders) = (all_roots / all_bare, all_senders / all_bare);
    println!("every check but senders: {roots:.2} times bare revm, {:.0} Mgas/s", all_gas / all_roots * 1e3);
    println!("with senders recovered and the document written: {senders:.2} times bare revm");
}

fn has_authorizations(specimen: &Specimen) -> bool {
    specimen
        .block
        .transactions
        .iter()
        .all(|transaction| transaction.tx_type < 4 || transaction.authorization_list.is_some())
}

/// Milliseconds of the fastest run of `work`; neither `prepare` nor dropping what `work` returns counts.
fn fastest<I, O>(mut prepare: impl FnMut() -> I, mut work: impl FnMut(I) -> O) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let input = prepare();
        let start = Instant::now();
        let output = black_box(work(black_box(input)));
        let time = start.elapsed();
        drop(output);
        time
    });
    times.min().unwrap_or_default().as_secs_f64() * 1e3
}

/// A block ready to run: code analysed, state in a database, transactions converted.
struct Prepared {
    database: CacheDB<EmptyDB>,
    block: BlockEnv,
    configuration: CfgEnv,
    beacon_root: Option<B256>,
    transactions: Vec<TxEnv>,
}

impl Prepared {
    fn new(specimen: &Specimen) -> Self {
        let block = &specimen.block;
        let header = &block.header;
        let chain = ChainSpec::builtin(block.network_id).unwrap();
        let spec = chain.spec_id(header.number, header.timestamp).unwrap();
        let mut configuration = CfgEnv::new_with_spec(spec);
        configuration.disable_nonce_check = true;
        let fraction = chain.blob_params(header.timestamp).map(|params| params.update_fraction.try_into().unwrap());
        Self {
            database: database(specimen),
            block: BlockEnv {
                number: U256::from(header.number),
                beneficiary: header.beneficiary,
                timestamp: U256::from(header.timestamp),
                gas_limit: header.gas_limit,
                basefee: header.base_fee_per_gas.unwrap(),
                difficulty: U256::ZERO,
                prevrandao: Some(header.mix_hash),
                blob_excess_gas_and_price: fraction
                    .map(|fraction| BlobExcessGasAndPrice::new(header.excess_blob_gas.unwrap(), fraction)),
                slot_num: 0,
            },
            configuration,
            beacon_root: header.parent_beacon_block_root.filter(|_| spec.is_enabled_in(SpecId::CANCUN)),
            transactions: transactions(specimen),
        }
    }

    /// Runs the block and says how much gas it used.
    fn run(&self, database: CacheDB<EmptyDB>, transactions: Vec<TxEnv>) -> u64 {
        let mut evm = Context::mainnet()
            .with_db(database)
            .with_block(self.block.clone())
            .with_cfg(self.configuration.clone())
            .build_mainnet();
        if let Some(root) = self.beacon_root {
            let contract = alloy_primitives::address!("0x000f3df6d732807ef1319fb7b8bb8522d0beac02");
            evm.system_call_one(contract, root.0.into()).unwrap();
        }
        transactions.into_iter().map(|transaction| evm.transact_one(transaction).unwrap().tx_gas_used()).sum()
    }
}

fn database(specimen: &Specimen) -> CacheDB<EmptyDB> {
    let state = &specimen.block.state;
    let mut database = CacheDB::new(EmptyDB::new());
    let codes: std::collections::HashMap<_, _> = state
        .codes
        .iter()
        .map(|read| (keccak256(&read.code), Bytecode::new_raw_checked(read.code.clone()).unwrap()))
        .collect();
    for read in &state.accounts {
        let missing = || Bytecode::new_legacy([0xfe].into());
        let code = match read.code_hash {
            hash if hash == alloy_primitives::KECCAK256_EMPTY => Bytecode::default(),
            hash => codes.get(&hash).cloned().unwrap_or_else(missing),
        };
        database.insert_account_info(read.address, AccountInfo::new(read.balance, read.nonce, read.code_hash, code));
    }
    for read in &state.storage {
        if database.basic_ref(read.account).unwrap().is_some() {
            database.insert_account_storage(read.account, read.slot.into(), read.value.into()).unwrap();
        }
    }
    for read in &state.block_hashes {
        database.cache.block_hashes.insert(U256::from(read.number), read.hash);
    }
    database
}

fn transactions(specimen: &Specimen) -> Vec<TxEnv> {
    let block = &specimen.block;
    let converted = block.transactions.iter().zip(&block.senders).map(|(transaction, sender)| {
        let dynamic = transaction.tx_type >= 2;
        let blob = transaction.tx_type == 3;
        let dummy = || vec![DUMMY_BLOB_HASH];
        TxEnv {
            tx_type: transaction.tx_type,
            caller: *sender,
            gas_limit: transaction.gas,
            gas_price: if dynamic { transaction.gas_fee_cap } else { transaction.gas_price },
            kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
            value: transaction.value,
            data: transaction.input.clone(),
            nonce: transaction.nonce,
            chain_id: (transaction.tx_type != 0).then_some(transaction.chain_id),
            access_list: transaction.access_list.clone(),
            gas_priority_fee: dynamic.then_some(transaction.gas_tip_cap),
            blob_hashes: if blob { transaction.blob_hashes.clone().unwrap_or_else(dummy) } else { Vec::new() },
            max_fee_per_blob_gas: if blob { transaction.blob_fee_cap.unwrap_or(10) } else { 0 },
            authorization_list: Vec::new(),
        }
    });
    converted.collect()
}
