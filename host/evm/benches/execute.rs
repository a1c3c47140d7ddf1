//! The cost of canonical execution beside the EVM itself, on the network's own blocks.
//!
//! `cargo bench -p refiner-evm --bench execute -- [PART OF A HEIGHT [ROUNDS]]` prints milliseconds, of the wall and of the processor: a bare
//! revm loop over the block with everything prepared beforehand; execution with every check but that of the senders, with a warm code
//! cache and with a cold one; and what a document costs more, recovery of the senders and writing, together and each alone. What is
//! compared takes turns, and the fastest round of each counts.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, TxKind, U256, b256, keccak256};
use refiner_evm::{
    ChainSpec, Chains, EmbeddedExecutor, Execution, ExecutionPolicy, ResultFormat, SenderPolicy, commit_receipts,
};
use refiner_specimen::{Envelopes, Specimen, check};
use refiner_testblocks::shared;
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

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds of each measurement by default. The fastest counts: it is the one that other work on the machine disturbed least.
const ROUNDS: usize = 41;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let filter = arguments.first().map_or("", String::as_str);
    let rounds = arguments.get(1).map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    println!("milliseconds of the wall, and of the processor in brackets");
    println!(
        "block     Mgas {:>15} {:>15} {:>15} {:>15} {:>15} {:>15}  root receipts  roots/bare  all/bare",
        "bare", "roots", "cold", "with senders", "with document", "with both"
    );
    let mut total = Measures::default();
    let mut megagas = 0.0;
    for (height, specimen) in shared::specimens() {
        if !height.to_string().contains(filter) {
            continue;
        }
        let Some((measures, gas)) = measure(&specimen, rounds) else { continue };
        println!("{height} {gas:5.2} {}", measures.line());
        total = total.and(&measures);
        megagas += gas;
    }
    println!("all      {megagas:5.2} {}", total.line());
    let Measures { bare, roots, senders, document, both, .. } = total;
    let line = |what: &str, time: Time| {
        let (wall, processor) = time.over(bare);
        println!("{what}: {wall:.2} times bare revm, {processor:.2} times its processor time");
    };
    line("every check but senders", roots);
    line("and senders recovered", senders);
    line("or the document written", document);
    line("with senders recovered and the document written", both);
    println!("{:.0} Mgas/s with every check but senders", megagas / roots.wall.as_secs_f64());
}

/// The fastest of its rounds.
#[derive(Clone, Copy, Default)]
struct Time {
    wall: Duration,
    /// Of every thread.
    processor: Duration,
}

impl Time {
    const MOST: Self = Self { wall: Duration::MAX, processor: Duration::MAX };

    fn over(self, other: Self) -> (f64, f64) {
        let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
        (ratio(self.wall, other.wall), ratio(self.processor, other.processor))
    }

    fn and(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, processor: self.processor + other.processor }
    }

    /// Times one round; neither `input` nor dropping what `work` returns counts.
    fn round<I, O>(&mut self, input: I, work: impl FnOnce(I) -> O) -> O {
        let (processor, wall) = (processor_time(), Instant::now());
        let output = black_box(work(black_box(input)));
        self.wall = self.wall.min(wall.elapsed());
        self.processor = self.processor.min(processor_time() - processor);
        output
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        write!(f, "{:6.2} ({:6.2})", milliseconds(self.wall), milliseconds(self.processor))
    }
}

/// Processor time of this process, of every thread.
fn processor_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).try_into().unwrap()
}

/// The cost of one block.
#[derive(Clone, Copy)]
struct Measures {
    bare: Time,
    /// Execution with every check but that of the senders.
    roots: Time,
    /// The same without known code.
    cold: Time,
    /// The same and the senders.
    senders: Time,
    /// The same and the document, senders as stated.
    document: Time,
    /// The same and both.
    both: Time,
    /// Transactions encoded and hashed, and their root.
    transactions: Time,
    receipts: Time,
}

impl Measures {
    const MOST: Self = Self {
        bare: Time::MOST,
        roots: Time::MOST,
        cold: Time::MOST,
        senders: Time::MOST,
        document: Time::MOST,
        both: Time::MOST,
        transactions: Time::MOST,
        receipts: Time::MOST,
    };

    fn and(&self, other: &Self) -> Self {
        Self {
            bare: self.bare.and(other.bare),
            roots: self.roots.and(other.roots),
            cold: self.cold.and(other.cold),
            senders: self.senders.and(other.senders),
            document: self.document.and(other.document),
            both: self.both.and(other.both),
            transactions: self.transactions.and(other.transactions),
            receipts: self.receipts.and(other.receipts),
        }
    }

    fn line(&self) -> String {
        let Self { bare, roots, cold, senders, document, both, transactions, receipts } = self;
        let [transactions, receipts] = [transactions, receipts].map(|time| time.processor.as_secs_f64() * 1e3);
        let ((roots_wall, _), (both_wall, _)) = (roots.over(*bare), both.over(*bare));
        format!(
            "{bare} {roots} {cold} {senders} {document} {both} {transactions:5.2} {receipts:8.2} {roots_wall:11.2} {both_wall:9.2}"
        )
    }
}

impl Default for Measures {
    fn default() -> Self {
        let none = Time::default();
        Self {
            bare: none,
            roots: none,
            cold: none,
            senders: none,
            document: none,
            both: none,
            transactions: none,
            receipts: none,
        }
    }
}

/// The cost of a block, and its gas in millions. `None` for a block that is executed with what was found for dropped fields: it has no
/// bare rival.
fn measure(specimen: &Specimen, rounds: usize) -> Option<(Measures, f64)> {
    let executor = EmbeddedExecutor::default();
    let stated = ExecutionPolicy { senders: SenderPolicy::Stated, ..ExecutionPolicy::default() };
    let trusting = EmbeddedExecutor::new(Chains::default()).with_policy(stated);
    let execute = |executor: &EmbeddedExecutor| executor.execute(specimen, ResultFormat::Canonical);
    let with_document = |executor: &EmbeddedExecutor| -> (Execution, _) {
        let execution = execute(executor).unwrap();
        let document = execution.block_result(specimen).unwrap();
        (execution, document)
    };
    let execution = execute(&executor).ok().filter(|_| has_authorizations(specimen))?;
    let prepared = Prepared::new(specimen);
    assert_eq!(prepared.run(prepared.database.clone(), prepared.transactions.clone()), execution.gas_used);

    let mut measures = Measures::MOST;
    for _ in 0..rounds {
        let input = (prepared.database.clone(), prepared.transactions.clone());
        measures.bare.round(input, |(database, transactions)| prepared.run(database, transactions));
        drop(measures.roots.round((), |()| execute(&executor)));
        let checked = |()| (execute(&executor), executor.senders(specimen));
        drop(measures.senders.round((), checked));
        drop(measures.document.round((), |()| with_document(&trusting)));
        drop(measures.both.round((), |()| with_document(&executor)));
        drop(measures.cold.round(EmbeddedExecutor::default(), |executor| (execute(&executor), executor)));
        drop(measures.transactions.round((), |()| {
            let envelopes = Envelopes::of(&specimen.block.transactions).unwrap();
            (check::transactions_root_of(specimen, &envelopes), envelopes.hashes())
        }));
        drop(measures.receipts.round((), |()| commit_receipts(&execution.receipts)));
    }
    Some((measures, execution.gas_used as f64 / 1e6))
}

fn has_authorizations(specimen: &Specimen) -> bool {
    specimen
        .block
        .transactions
        .iter()
        .all(|transaction| transaction.tx_type < 4 || transaction.authorization_list.is_some())
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

    /// Runs the block and returns the gas it used.
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
