//! Executes a block of any fork on the full state, with revm and nothing of `refiner-evm`: the oracle that the
//! program's results are checked against.

use std::collections::BTreeMap;

use alloy_consensus::{Eip658Value, Header};
use alloy_eips::{
    eip2935, eip4788, eip4895::Withdrawal, eip7002, eip7251, eip7702::SignedAuthorization, eip7840::BlobParams,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use refiner_specimen::{StateReads, Transaction};
use revm::{
    Context, ExecuteEvm as _, InspectEvm as _, MainBuilder as _, MainContext as _,
    context::{BlockEnv, CfgEnv, ContextSetters as _, ContextTr as _, JournalTr as _, TxEnv, result::ExecutionResult},
    context_interface::{block::BlobExcessGasAndPrice, either::Either},
    database_interface::DatabaseCommit as _,
    handler::{Handler as _, MainnetHandler, SYSTEM_ADDRESS},
};

use crate::{
    dao,
    evm::{self, Collisions, TestEvm},
    fork::Fork,
    receipt::Receipt,
    recorder::Recorder,
    requests,
    world::World,
};

/// EIP-4788, 2935, 7002, 7251: gas of a system call.
const SYSTEM_CALL_GAS: u64 = 30_000_000;

/// A block to execute.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The fork that the block follows.
    pub fork: Fork,
    /// Blob parameters in force.
    pub blobs: Option<BlobParams>,
    /// Id of the chain.
    pub chain_id: u64,
    /// Whether the DAO's balances move before the first transaction.
    pub moves_dao: bool,
    /// Whether a block is rewarded before the merge.
    pub rewarded: bool,
    /// Header of the block.
    pub header: &'a Header,
    /// Transactions with their senders.
    pub transactions: &'a [(Transaction, Address)],
    /// Headers of ommers, which are rewarded.
    pub ommers: &'a [Header],
    /// Withdrawals of the block.
    pub withdrawals: &'a [Withdrawal],
    /// Hashes of the blocks before it.
    pub block_hashes: &'a BTreeMap<u64, B256>,
    /// Executes what the chain would not: wrong nonces, other chains' transactions. For reads of invalid blocks.
    pub lenient: bool,
}

/// The outcome of a block.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The state after the block.
    pub world: World,
    /// One for each transaction that was executed.
    pub receipts: Vec<Receipt>,
    /// Requests, from Prague on.
    pub requests: Option<Vec<Bytes>>,
    /// Blob gas that the transactions carry.
    pub blob_gas: u64,
    /// Everything that was read of the state before.
    pub reads: StateReads,
    /// Violations of the chain's rules; the block is invalid if there is any.
    pub faults: Vec<String>,
}

/// Executes a block on its parent's state.
pub fn execute(job: &Job<'_>, before: &World) -> Executed {
    let recorder = Recorder::new(before, job.block_hashes, job.fork >= Fork::SpuriousDragon);
    let context = Context::mainnet().with_db(recorder).with_block(block_environment(job)).with_cfg(configuration(job));
    let mut evm = context.build_mainnet_with_inspector(Collisions);
    if job.fork == Fork::Constantinople {
        evm::net_gas_metering(&mut evm);
    }
    let mut run = Run { job, evm, receipts: Vec::new(), faults: Vec::new() };
    run.before_transactions();
    for (index, (transaction, sender)) in job.transactions.iter().enumerate() {
        run.transaction(index, transaction, *sender);
    }
    let requests = (job.fork >= Fork::Prague).then(|| run.requests());
    run.credits();
    let Run { evm, receipts, faults, .. } = run;
    let (world, reads) = evm.ctx.journaled_state.database.finish();
    let blob_gas = job.transactions.iter().filter_map(|(transaction, _)| transaction.blob_gas).sum();
    Executed { world, receipts, requests, blob_gas, reads, faults }
}

struct Run<'a> {
    job: &'a Job<'a>,
    evm: TestEvm<'a>,
    receipts: Vec<Receipt>,
    faults: Vec<String>,
}

impl<'a> Run<'a> {
    fn before_transactions(&mut self) {
        let header = self.job.header;
        if self.job.moves_dao {
            for account in dao::accounts() {
                self.database().drain(account, dao::REFUND);
            }
        }
        // These two may fail without the block being invalid.
        if let Some(root) = header.parent_beacon_block_root.filter(|_| self.job.fork >= Fork::Cancun) {
            self.system_call(eip4788::BEACON_ROOTS_ADDRESS, root.into());
        }
        if self.job.fork >= Fork::Prague {
            self.system_call(eip2935::HISTORY_STORAGE_ADDRESS, header.parent_hash.into());
        }
    }

    fn transaction(&mut self, index: usize, transaction: &Transaction, sender: Address) {
        let used = self.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
        if transaction.gas > self.job.header.gas_limit.saturating_sub(used) {
            self.faults.push(format!("transaction {index}: gas limit above what the block has left"));
            return;
        }
        let bare_storage = self.database().now.iter().any(|(_, account)| account.is_bare_storage());
        let environment = environment(transaction, sender);
        // Inspection is slow, and only creations at such accounts need it.
        let result =
            if bare_storage { self.evm.inspect_one_tx(environment) } else { self.evm.transact_one(environment) };
        let changes = self.evm.finalize();
        match result {
            Ok(result) => {
                self.database().commit(changes);
                let receipt = self.receipt(transaction.tx_type, used, result);
                self.receipts.push(receipt);
            }
            Err(error) => self.faults.push(format!("transaction {index}: {error}")),
        }
    }

    fn receipt(&mut self, tx_type: u8, used: u64, result: ExecutionResult) -> Receipt {
        let status = if self.job.fork >= Fork::Byzantium {
            Eip658Value::Eip658(result.is_success())
        } else {
            Eip658Value::PostState(self.database().now.state_root())
        };
        let cumulative_gas_used = used + result.tx_gas_used();
        let logs = if result.is_success() { result.into_logs() } else { Vec::new() };
        Receipt { tx_type, status, cumulative_gas_used, logs }
    }

    fn requests(&mut self) -> Vec<Bytes> {
        let deposits = requests::deposits(self.receipts.iter().flat_map(|receipt| &receipt.logs));
        let deposits = deposits.unwrap_or_else(|fault| {
            self.faults.push(fault.to_string());
            Bytes::new()
        });
        let contracts =
            [eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];
        let [withdrawals, consolidations] = contracts.map(|contract| {
            let has_code = self.database().now.get(&contract).is_some_and(|account| !account.code.is_empty());
            let returned = self.system_call(contract, Bytes::new()).filter(|_| has_code);
            returned.unwrap_or_else(|| {
                self.faults.push(format!("the system call to {contract} failed"));
                Bytes::new()
            })
        });
        requests::typed([deposits, withdrawals, consolidations])
    }

    /// Calls a contract outside of any transaction; `None` when the call fails.
    fn system_call(&mut self, contract: Address, data: Bytes) -> Option<Bytes> {
        self.evm.ctx.set_tx(TxEnv {
            caller: SYSTEM_ADDRESS,
            kind: TxKind::Call(contract),
            data,
            gas_limit: SYSTEM_CALL_GAS,
            ..TxEnv::default()
        });
        let result: Result<ExecutionResult, _> = SystemHandler::default().run_system_call(&mut self.evm);
        let changes = self.evm.finalize();
        match result {
            Ok(result) => {
                self.database().commit(changes);
                match result {
                    ExecutionResult::Success { output, .. } => Some(output.into_data()),
                    _ => None,
                }
            }
            Err(_) => None,
        }
    }

    fn credits(&mut self) {
        let Job { fork, header, ommers, withdrawals, rewarded, .. } = *self.job;
        let reward = if rewarded { fork.reward() } else { U256::ZERO };
        let database = self.database();
        if fork < Fork::Paris {
            for ommer in ommers {
                let distance = header.number.saturating_sub(ommer.number).min(8);
                database.credit(ommer.beneficiary, reward * U256::from(8 - distance) / U256::from(8));
            }
            let nephews = reward / U256::from(32) * U256::from(ommers.len());
            database.credit(header.beneficiary, reward + nephews);
        }
        for withdrawal in withdrawals {
            database.credit(withdrawal.address, withdrawal.amount_wei());
        }
    }

    fn database(&mut self) -> &mut Recorder<'a> {
        self.evm.ctx.journal_mut().db_mut()
    }
}

type SystemHandler<'a> = MainnetHandler<
    TestEvm<'a>,
    revm::context::result::EVMError<crate::recorder::Missing>,
    revm::handler::EthFrame<revm::interpreter::interpreter::EthInterpreter>,
>;

fn configuration(job: &Job<'_>) -> CfgEnv {
    let mut configuration = CfgEnv::new_with_spec(job.fork.spec_id()).with_chain_id(job.chain_id);
    configuration.disable_nonce_check = job.lenient;
    configuration.tx_chain_id_check = !job.lenient;
    configuration.max_blobs_per_tx = job.blobs.map(|params| params.max_blobs_per_tx);
    configuration.blob_base_fee_update_fraction = job.blobs.and_then(|params| params.update_fraction.try_into().ok());
    configuration
}

fn block_environment(job: &Job<'_>) -> BlockEnv {
    let Job { header, blobs, fork, .. } = *job;
    let blob_excess_gas_and_price = blobs.map(|params| {
        let excess_blob_gas = header.excess_blob_gas.unwrap_or_default();
        BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice: blob_price(&params, excess_blob_gas) }
    });
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        difficulty: header.difficulty,
        prevrandao: (fork >= Fork::Paris).then_some(header.mix_hash),
        blob_excess_gas_and_price,
        ..BlockEnv::default()
    }
}

/// The price of blob gas. The formula takes as many steps as the excess is large, and invalid blocks state any.
fn blob_price(params: &BlobParams, excess: u64) -> u128 {
    /// e to this power has more than 128 bits.
    const OVERFLOWS: u128 = 90;
    if u128::from(excess) >= params.update_fraction.saturating_mul(OVERFLOWS) {
        u128::MAX
    } else {
        params.calc_blob_fee(excess)
    }
}

fn environment(transaction: &Transaction, sender: Address) -> TxEnv {
    let protected = transaction.tx_type != 0 || transaction.v.is_some_and(|v| v >= U256::from(35));
    let dynamic = transaction.tx_type >= 2;
    let authorizations = transaction.authorization_list.iter().flatten().map(|authorization| {
        let unsigned = alloy_eips::eip7702::Authorization {
            chain_id: authorization.chain_id,
            address: authorization.address,
            nonce: authorization.nonce,
        };
        let parity = authorization.y_parity.try_into().unwrap_or(u8::MAX);
        Either::Left(SignedAuthorization::new_unchecked(unsigned, parity, authorization.r, authorization.s))
    });
    TxEnv {
        tx_type: transaction.tx_type,
        caller: sender,
        gas_limit: transaction.gas,
        gas_price: transaction.gas_fee_cap,
        kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
        value: transaction.value,
        data: transaction.input.clone(),
        nonce: transaction.nonce,
        chain_id: protected.then_some(transaction.chain_id),
        access_list: transaction.access_list.clone(),
        gas_priority_fee: dynamic.then_some(transaction.gas_tip_cap),
        blob_hashes: transaction.blob_hashes.clone().unwrap_or_default(),
        max_fee_per_blob_gas: transaction.blob_fee_cap.unwrap_or_default(),
        authorization_list: authorizations.collect(),
    }
}
