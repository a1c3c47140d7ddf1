//! The state before a specimen's block, in the form that the EVM reads.
//!
//! The reads go straight into the EVM's own journal, marked cold: each is then hashed once, not once into a database
//! and again into the journal, and the journal ends up as the whole known state after the block.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{
    Address, B256, KECCAK256_EMPTY, U256,
    map::{AddressMap, AddressSet, HashMap},
};
use refiner_specimen::{AccountRead, Block, BlockHashRead, StateReads};
use revm::{
    Database,
    bytecode::{Bytecode, opcode},
    primitives::hardfork::SpecId,
    state::{Account, AccountInfo, AccountStatus, EvmState, EvmStorage, EvmStorageSlot, TransactionId},
};

use crate::{
    code::BlockCodes,
    error::Rejected,
    fork_profile::{BlockHashes, EmptyRows, ForkProfile, InvalidTransaction, MissingCode},
    not_carried::NotCarried,
    what_if::{Known, StateItem},
};

/// Size of an account's code that delegates to another account (EIP-7702): a prefix of three bytes, and the address.
const DELEGATION_BYTES: usize = 23;

/// True for code that can be the stand-in for code that the specimen does not carry.
pub(crate) fn is_stub(code: &[u8]) -> bool {
    matches!(code.len(), 1 | DELEGATION_BYTES) && code.iter().all(|byte| *byte == opcode::INVALID)
}

/// The state before a block.
#[derive(Debug)]
pub(crate) struct PreState {
    /// Every account and slot of the specimen, cold.
    pub(crate) accounts: EvmState,
    /// Accounts with storage but neither nonce nor code, at which nothing can be created (EIP-7610).
    pub(crate) occupied: AddressSet,
    /// Storage of accounts with neither nonce nor code, where no creation collides with it: nothing reads it.
    pub(crate) dormant: AddressMap<EvmStorage>,
    /// Balances wrap where 256 bits do not hold them.
    pub(crate) wraps: bool,
}

/// The state that a specimen's rows describe. Slots of accounts that are not in it do not count: real specimens carry
/// such rows of contracts that the block creates, and on the chain they read as zero.
pub(crate) fn state_before(reads: &StateReads, codes: &BlockCodes, rules: &ForkProfile) -> PreState {
    let stub = match rules.missing_code {
        MissingCode::Stub | MissingCode::Empty => Bytecode::new_legacy([opcode::INVALID].into()),
        MissingCode::DelegationStub => Bytecode::new_legacy([opcode::INVALID; DELEGATION_BYTES].into()),
    };
    let mut state: EvmState = AddressMap::with_capacity_and_hasher(reads.accounts.len(), Default::default());
    for read in &reads.accounts {
        let mut account = Account::default().with_info(info(read, codes, rules, &stub));
        account.mark_cold();
        if account.is_empty() && rules.empty_rows == EmptyRows::DoNotExist {
            account.status |= AccountStatus::LoadedAsNotExisting;
        }
        state.insert(read.address, account);
    }
    let (mut occupied, mut dormant) = (AddressSet::default(), AddressMap::<EvmStorage>::default());
    let wraps = rules.invalid_transaction == InvalidTransaction::IsLeftOut;
    // Rows of one account stand together, so its storage is looked up once and sized once.
    for rows in reads.storage.chunk_by(|one, next| one.account == next.account) {
        let Some(account) = state.get_mut(&rows[0].account) else { continue };
        // One that does not exist, by EIP-161, has no storage that could be kept.
        if wraps && account.is_empty() {
            continue;
        }
        let bare = account.info.nonce == 0 && account.info.is_empty_code_hash();
        let storage = if wraps && bare { dormant.entry(rows[0].account).or_default() } else { &mut account.storage };
        storage.reserve(rows.len());
        if rules.storage_collides && bare {
            let holds_value = rows.iter().any(|row| !row.value.is_zero());
            occupied.extend(holds_value.then_some(rows[0].account));
        }
        for row in rows {
            let mut slot = EvmStorageSlot::new(row.value.into(), TransactionId::ZERO);
            slot.mark_cold();
            storage.insert(row.slot.into(), slot);
        }
    }
    PreState { accounts: state, occupied, dormant, wraps }
}

fn info(read: &AccountRead, codes: &BlockCodes, rules: &ForkProfile, stub: &Bytecode) -> AccountInfo {
    let (missing, delegates) = (rules.missing_code, rules.spec.is_enabled_in(SpecId::PRAGUE));
    let without_code = read.code_hash == KECCAK256_EMPTY || read.code_hash.is_zero();
    let (code_hash, code) = match (codes.get(&read.code_hash), missing) {
        _ if without_code => (KECCAK256_EMPTY, Bytecode::default()),
        // Before EIP-7702 a delegation is ordinary code, which begins with an opcode that is not valid.
        (Some(code), _) if code.is_eip7702() && !delegates => {
            (read.code_hash, Bytecode::new_legacy(code.original_bytes()))
        }
        (Some(code), _) => (read.code_hash, code.clone()),
        (None, MissingCode::Stub | MissingCode::DelegationStub) => (read.code_hash, stub.clone()),
        (None, MissingCode::Empty) => (KECCAK256_EMPTY, Bytecode::default()),
    };
    AccountInfo::new(read.balance, read.nonce, code_hash, code)
}

/// The database behind the EVM's journal. An absent account does not exist, an absent slot is zero; but in a hypothetical run,
/// only those that are known to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beyond {
    block_hashes: HashMap<u64, B256>,
    /// All that a hypothetical run may take for absent.
    known: Option<Arc<Known>>,
}

impl Beyond {
    /// The block hashes that a block can read. One real specimen states a hash for its own height, which no block can.
    pub(crate) fn new(block: &Block, rules: &ForkProfile) -> Self {
        let Header { number, parent_hash, .. } = block.header;
        let mut known = block.state.block_hashes.clone();
        known.retain(|read| read.number < number);
        if rules.block_hashes == BlockHashes::OfTheChain {
            // The producer records zero for what it did not find, and no block has that hash.
            known.retain(|read| !read.hash.is_zero());
            known.extend(number.checked_sub(1).map(|parent| BlockHashRead { number: parent, hash: parent_hash }));
        }
        Self { block_hashes: known.into_iter().map(|read| (read.number, read.hash)).collect(), known: None }
    }

    /// The same for a hypothetical run, which takes nothing else for absent.
    pub(crate) fn within(self, known: Option<Arc<Known>>) -> Self {
        Self { known, ..self }
    }
}

impl Database for Beyond {
    type Error = NotCarried;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, NotCarried> {
        match &self.known {
            Some(known) if !known.is_absent(&address) => Err(NotCarried::left(StateItem::Account(address))),
            _ => Ok(None),
        }
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, NotCarried> {
        match &self.known {
            Some(_) => Err(NotCarried::left(StateItem::Code(hash))),
            None => Err(NotCarried(Rejected::CodeNotLoaded { hash })),
        }
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, NotCarried> {
        match &self.known {
            Some(known) if !known.is_zero(address, slot) => {
                Err(NotCarried::left(StateItem::Slot { address, slot: slot.into() }))
            }
            _ => Ok(U256::ZERO),
        }
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, NotCarried> {
        match (self.block_hashes.get(&number), &self.known) {
            (Some(hash), _) => Ok(*hash),
            (None, Some(_)) => Err(NotCarried::left(StateItem::BlockHash(number))),
            (None, None) => Err(NotCarried(Rejected::BlockHashMissing { number })),
        }
    }
}
