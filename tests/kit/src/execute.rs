//! Executes a block on revm, with nothing of `refiner-evm` in it: the oracle that the program is checked against.

use alloy_consensus::{Header, Transaction as _, Typed2718};
use alloy_eips::{eip2935, eip4788, eip4895::Withdrawal, eip7002, eip7251};
use alloy_primitives::{Address, B256, Bytes, Log, U256, map::AddressMap};
use revm::{
    Context, Database, DatabaseCommit, ExecuteCommitEvm as _, MainBuilder as _, MainContext as _,
    bytecode::Bytecode,
    context::{BlockEnv, CfgEnv, result::ExecutionResult},
    context_interface::block::BlobExcessGasAndPrice,
    database::{AccountState, CacheDB, DatabaseRef},
    state::{Account, AccountInfo},
};

use crate::{
    contract::{DEPOSIT_CONTRACT, DEPOSIT_EVENT},
    error::KitError,
    fork::Fork,
    transaction::Signed,
};

/// Effects of a block on the chain beside its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One a transaction, in block order.
    pub receipts: Vec<Receipt>,
    /// EIP-7685 requests with their type byte, in order of type, empty ones left out; none before Prague.
    pub requests: Vec<Bytes>,
}

/// Effects of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Transaction type by EIP-2718.
    pub tx_type: u8,
    /// Hash of the signed transaction.
    pub transaction_hash: B256,
    /// True when it succeeded.
    pub success: bool,
    /// Gas used by this transaction.
    pub gas_used: u64,
    /// Gas used in the block up to and with it.
    pub cumulative_gas_used: u64,
    /// Wei paid for each unit of gas.
    pub effective_gas_price: u128,
    /// The contract it created or tried to create.
    pub contract_address: Option<Address>,
    /// Logs in emission order.
    pub logs: Vec<Log>,
}

/// Executes a block whose header states everything known before execution.
///
/// # Errors
///
/// [`KitError::Transaction`] and [`KitError::SystemCall`].
pub fn execute<DB: DatabaseRef>(
    db: &mut CacheDB<DB>,
    chain_id: u64,
    fork: Fork,
    header: &Header,
    transactions: &[Signed],
    withdrawals: &[Withdrawal],
) -> Result<Outcome, KitError> {
    let mut evm = Context::mainnet()
        .with_db(WorldFirst(&mut *db))
        .with_block(block_environment(fork, header))
        .with_cfg(configuration(chain_id, fork))
        .build_mainnet();

    if let Some(beacon_root) = header.parent_beacon_block_root.filter(|_| fork >= Fork::Cancun) {
        system_call(&mut evm, eip4788::BEACON_ROOTS_ADDRESS, beacon_root.into())?;
    }
    if fork >= Fork::Prague {
        system_call(&mut evm, eip2935::HISTORY_STORAGE_ADDRESS, header.parent_hash.into())?;
    }

    let mut receipts: Vec<Receipt> = Vec::with_capacity(transactions.len());
    for (position, signed) in transactions.iter().enumerate() {
        let result = evm
            .transact_commit(signed.environment())
            .map_err(|error| KitError::Transaction { transaction: position, source: error.to_string().into() })?;
        let tx = &signed.envelope;
        let cumulative = receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
        receipts.push(Receipt {
            tx_type: tx.ty(),
            transaction_hash: *tx.tx_hash(),
            success: result.is_success(),
            gas_used: result.tx_gas_used(),
            cumulative_gas_used: cumulative + result.tx_gas_used(),
            effective_gas_price: tx.effective_gas_price(header.base_fee_per_gas),
            contract_address: tx.kind().is_create().then(|| signed.sender.create(tx.nonce())),
            logs: if result.is_success() { result.into_logs() } else { Vec::new() },
        });
    }

    let mut requests = Vec::new();
    if fork >= Fork::Prague {
        let deposits = receipts.iter().flat_map(|receipt| &receipt.logs).filter_map(deposit_request);
        let deposits = deposits.collect::<Vec<_>>().concat();
        let withdrawals = system_call(&mut evm, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
        let consolidations = system_call(&mut evm, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
        for (kind, data) in [(0u8, deposits.into()), (1, withdrawals), (2, consolidations)] {
            if !data.is_empty() {
                requests.push([&[kind], data.as_ref()].concat().into());
            }
        }
    }
    drop(evm);

    for withdrawal in withdrawals {
        pay_out(db, withdrawal)?;
    }
    Ok(Outcome { receipts, requests })
}

/// Asks the world for code before the block's own creations, which may have the same code and would hide that it was
/// read of an older account.
struct WorldFirst<'a, DB>(&'a mut CacheDB<DB>);

impl<DB: DatabaseRef> Database for WorldFirst<'_, DB> {
    type Error = DB::Error;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, DB::Error> {
        self.0.basic(address)
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, DB::Error> {
        self.0.db.code_by_hash_ref(hash).or_else(|_| self.0.code_by_hash(hash))
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, DB::Error> {
        self.0.storage(address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, DB::Error> {
        self.0.block_hash(number)
    }
}

impl<DB> DatabaseCommit for WorldFirst<'_, DB> {
    fn commit(&mut self, changes: AddressMap<Account>) {
        self.0.commit(changes);
    }
}

fn configuration(chain_id: u64, fork: Fork) -> CfgEnv {
    let mut cfg = CfgEnv::new_with_spec(fork.spec_id());
    cfg.chain_id = chain_id;
    cfg.blob_base_fee_update_fraction = fork.blob_params().and_then(|params| params.update_fraction.try_into().ok());
    cfg
}

fn block_environment(fork: Fork, header: &Header) -> BlockEnv {
    let blob_price = fork.blob_params().zip(header.excess_blob_gas).map(|(params, excess_blob_gas)| {
        BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice: params.calc_blob_fee(excess_blob_gas) }
    });
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        difficulty: header.difficulty,
        prevrandao: (fork >= Fork::Paris).then_some(header.mix_hash),
        blob_excess_gas_and_price: blob_price,
        ..BlockEnv::default()
    }
}

/// Calls a system contract and returns what it returned.
fn system_call<E>(evm: &mut E, contract: Address, input: Bytes) -> Result<Bytes, KitError>
where
    E: revm::SystemCallCommitEvm<ExecutionResult = ExecutionResult>,
{
    match evm.system_call_commit(contract, input) {
        Ok(ExecutionResult::Success { output, .. }) => Ok(output.into_data()),
        Ok(_) | Err(_) => Err(KitError::SystemCall { contract }),
    }
}

/// Reads a deposit request out of a log, EIP-6110: the five fields of the event without their ABI framing.
fn deposit_request(log: &Log) -> Option<Vec<u8>> {
    /// Where public key, withdrawal credentials, amount, signature and index stand in the event's data.
    const FIELDS: [std::ops::Range<usize>; 5] = [192..240, 288..320, 352..360, 416..512, 544..552];
    let deposit = log.address == DEPOSIT_CONTRACT && log.topics().first() == Some(&DEPOSIT_EVENT);
    let data = deposit.then_some(&log.data.data)?;
    FIELDS.into_iter().map(|field| data.get(field)).collect::<Option<Vec<_>>>().map(|fields| fields.concat())
}

/// Pays the miners of a block and of its ommers: 2 ether as since Constantinople, and the yellow paper's parts of it.
pub(crate) fn reward<DB: DatabaseRef>(
    db: &mut CacheDB<DB>,
    header: &Header,
    ommers: &[Header],
) -> Result<(), KitError> {
    const REWARD_WEI: u64 = 2_000_000_000_000_000_000;
    let mut due = vec![(header.beneficiary, REWARD_WEI + REWARD_WEI / 32 * ommers.len() as u64)];
    due.extend(ommers.iter().map(|ommer| (ommer.beneficiary, REWARD_WEI / 8 * (8 + ommer.number - header.number))));
    due.into_iter().try_for_each(|(miner, wei)| credit(db, miner, U256::from(wei)))
}

/// Adds a withdrawal to the balance of its account.
fn pay_out<DB: DatabaseRef>(db: &mut CacheDB<DB>, withdrawal: &Withdrawal) -> Result<(), KitError> {
    credit(db, withdrawal.address, withdrawal.amount_wei())
}

/// Adds to the balance of an account, and notes that the account was read.
fn credit<DB: DatabaseRef>(db: &mut CacheDB<DB>, address: Address, wei: U256) -> Result<(), KitError> {
    let account = db.load_account(address).map_err(|_| KitError::SystemCall { contract: address })?;
    account.info.balance += wei;
    if account.account_state == AccountState::NotExisting {
        account.account_state = AccountState::StorageCleared;
    }
    Ok(())
}
