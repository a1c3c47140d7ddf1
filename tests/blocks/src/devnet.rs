//! Blocks of a small chain of our own.

pub mod mainnet;

use alloy_consensus::Header;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::{Address, B256, Bytes, U256, address, b256, keccak256};
use alloy_trie::root::ordered_trie_root;
use refiner_evm::{
    BasisPolicy, ChainSpec, Chains, EmbeddedExecutor, ExecuteError, Execution, ExecutionPolicy, Interrupt, Interrupted,
    Rejected, ResultFormat,
};
use refiner_specimen::{
    AccountRead, Authorization, Block, CodeRead, Envelopes, Layout, Log, Receipt, Specimen, StateReads, StorageRead,
    Transaction,
    check::{Check, CheckName, Outcome, Quantity},
};
use revm::primitives::hardfork::SpecId;

/// Timestamps at which the chain's forks begin.
pub const PARIS: u64 = 0;
pub const SHANGHAI: u64 = 10;
pub const CANCUN: u64 = 20;
pub const PRAGUE: u64 = 30;
pub const OSAKA: u64 = 40;

pub const CHAIN_ID: u64 = 1337;
pub const HEIGHT: u64 = 100;
/// The least that proof of work allows.
pub const DIFFICULTY: U256 = U256::from_limbs([131_072, 0, 0, 0]);
pub const GAS_LIMIT: u64 = 60_000_000;
pub const CALLER: Address = Address::repeat_byte(0xca);
pub const CONTRACT: Address = Address::repeat_byte(0xc0);
pub const MIX_HASH: B256 = B256::repeat_byte(0x31);
pub const BEACON_ROOT: B256 = B256::repeat_byte(0x32);
/// The version byte of a KZG commitment, and nothing else of note.
pub const BLOB_HASH: B256 = b256!("0x0100000000000000000000000000000000000000000000000000000000000009");
pub const BEACON_ROOTS: Address = address!("0x000f3df6d732807ef1319fb7b8bb8522d0beac02");
pub const WITHDRAWAL_REQUESTS: Address = address!("0x00000961ef480eb55e80d19ad83579a64c007002");
const CONSOLIDATION_REQUESTS: Address = address!("0x0000bbddc7ce488642fb579f8b00f3a590007251");

const CONFIG: &str = r#"{
    "chainId": 1337, "terminalTotalDifficulty": 0,
    "shanghaiTime": 10, "cancunTime": 20, "pragueTime": 30, "osakaTime": 40}"#;

const EMPTY_CODE: B256 = alloy_primitives::KECCAK256_EMPTY;

/// A type-2 transaction with gas to spare; its nonce is always 0, as nonces are not checked.
pub fn call(to: Address) -> Transaction {
    Transaction {
        tx_type: 2,
        chain_id: CHAIN_ID,
        gas_tip_cap: 1,
        gas_fee_cap: 100,
        gas: 1_000_000,
        to: Some(to),
        ..Transaction::default()
    }
}

/// Recovers the signer of an authorization.
pub fn authority(authorization: &Authorization) -> Address {
    let Authorization { chain_id, address, nonce, y_parity, r, s } = authorization.clone();
    let unsigned = alloy_eips::eip7702::Authorization { chain_id, address, nonce };
    let signed = alloy_eips::eip7702::SignedAuthorization::new_unchecked(unsigned, y_parity.to(), r, s);
    signed.recover_authority().expect("an r and s that recover")
}

/// The same before London: a type-0 transaction.
pub fn old_call(to: Address) -> Transaction {
    Transaction { gas_price: 100, gas: 1_000_000, to: Some(to), ..Transaction::default() }
}

/// A specimen in the making, and the rules of its chain.
#[derive(Clone)]
pub struct TestBlock(Specimen, ChainSpec);

impl TestBlock {
    /// An empty block of the small chain.
    pub fn at(timestamp: u64) -> Self {
        Self::on(ChainSpec::from_geth_json(CONFIG).unwrap(), HEIGHT, timestamp)
    }

    /// An empty block of a chain, with a rich [`CALLER`] and, from Prague on, request contracts that return nothing.
    pub fn on(chain: ChainSpec, height: u64, timestamp: u64) -> Self {
        let spec = chain.spec_id(height, timestamp).unwrap();
        let since = |fork| spec.is_enabled_in(fork);
        let header = Header {
            number: height,
            timestamp,
            gas_limit: GAS_LIMIT,
            difficulty: if since(SpecId::MERGE) { U256::ZERO } else { DIFFICULTY },
            mix_hash: MIX_HASH,
            base_fee_per_gas: since(SpecId::LONDON).then_some(7),
            withdrawals_root: since(SpecId::SHANGHAI).then_some(B256::ZERO),
            blob_gas_used: since(SpecId::CANCUN).then_some(0),
            excess_blob_gas: since(SpecId::CANCUN).then_some(0),
            parent_beacon_block_root: since(SpecId::CANCUN).then_some(BEACON_ROOT),
            requests_hash: since(SpecId::PRAGUE).then_some(B256::ZERO),
            ..Header::default()
        };
        let caller = AccountRead {
            address: CALLER,
            nonce: 0,
            balance: U256::from(10).pow(U256::from(24)),
            code_hash: EMPTY_CODE,
        };
        let block = Block {
            kind: "block-specimen".into(),
            network_id: chain.chain_id(),
            hash: header.hash_slow(),
            total_difficulty: U256::ZERO,
            header,
            transactions: Vec::new(),
            uncles: None,
            receipts: Vec::new(),
            senders: Vec::new(),
            state: StateReads { accounts: vec![caller], ..StateReads::default() },
            withdrawals: since(SpecId::SHANGHAI).then(Vec::new),
            blob_sidecars: None,
        };
        let specimen = Specimen {
            layout: Layout::V0_38,
            stated_codec_version: 0.38,
            start_block: height,
            end_block: height,
            elements: 1,
            event_hash: block.hash,
            block,
        };
        let block = Self(specimen, chain);
        if since(SpecId::PRAGUE) {
            block.account(WITHDRAWAL_REQUESTS, &[0]).account(CONSOLIDATION_REQUESTS, &[0])
        } else {
            block
        }
    }

    /// Puts an account with this code in the place of one that is there.
    pub fn account(self, address: Address, code: &[u8]) -> Self {
        let code = Bytes::copy_from_slice(code);
        let code_hash = keccak256(&code);
        self.with(|block| {
            block.state.accounts.retain(|read| read.address != address);
            block.state.accounts.push(AccountRead { address, nonce: 1, balance: U256::ZERO, code_hash });
            block.state.codes.push(CodeRead { hash: code_hash, code });
        })
    }

    /// Appends a row about an account without code, and rows of its slots from 0 up.
    pub fn row(self, address: Address, nonce: u64, balance: u64, slots: &[u64]) -> Self {
        self.with(|block| {
            let balance = U256::from(balance);
            block.state.accounts.push(AccountRead { address, nonce, balance, code_hash: EMPTY_CODE });
            let slots = slots.iter().zip(0u64..);
            let rows = slots.map(|(value, slot)| StorageRead {
                account: address,
                slot: U256::from(slot).into(),
                value: U256::from(*value).into(),
            });
            block.state.storage.extend(rows);
        })
    }

    /// The code that [`call`]s of [`CONTRACT`] run.
    pub fn contract(self, code: &[u8]) -> Self {
        self.account(CONTRACT, code)
    }

    /// Appends a transaction of [`CALLER`]'s.
    pub fn transaction(self, transaction: Transaction) -> Self {
        self.with(|block| {
            block.transactions.push(transaction);
            block.senders.push(CALLER);
        })
    }

    /// Changes anything.
    pub fn with(mut self, change: impl FnOnce(&mut Block)) -> Self {
        change(&mut self.0.block);
        self
    }

    /// The same block in another layout.
    pub fn in_layout(mut self, layout: Layout) -> Self {
        self.0.layout = layout;
        self
    }

    pub const fn block(&self) -> &Block {
        &self.0.block
    }

    /// The same block with a header that states what executing it gives.
    pub fn settled(self) -> Self {
        self.settled_with(|_| {})
    }

    /// The same, with `seal` applied whenever the header has changed, roots and all.
    pub fn settled_with(mut self, seal: impl Fn(&mut Block)) -> Self {
        for _ in 0..9 {
            self.0 = self.clone().sealed();
            seal(&mut self.0.block);
            match self.run() {
                Err(ExecuteError::Rejected(Rejected::HeaderMismatch(check))) => self.adopt(check),
                Err(ExecuteError::Rejected(Rejected::CodeMissing(missing))) => match missing.consequence {
                    Rejected::HeaderMismatch(check) => self.adopt(check),
                    _ => break,
                },
                _ => break,
            }
        }
        self
    }

    /// Executes the settled block.
    pub fn executed(self) -> Execution {
        self.settled().run().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Error of executing the block as it stands; an unsettled header has to be settled first.
    pub fn refused(self) -> ExecuteError {
        self.run().map(|_| "an execution").expect_err("a reason")
    }

    /// Adds the receipts that executing gives, as the producer's own.
    pub fn with_producer_receipts(self) -> Self {
        let receipts = self.run().unwrap().receipts.into_iter().map(|receipt| Receipt {
            post_state_or_status: if receipt.success { Bytes::from_static(&[1]) } else { Bytes::new() },
            cumulative_gas_used: receipt.cumulative_gas_used,
            tx_hash: receipt.transaction_hash,
            contract_address: Address::ZERO,
            gas_used: receipt.gas_used,
            logs: receipt.logs.into_iter().map(producer_log).collect(),
        });
        let receipts = receipts.collect();
        self.with(|block| block.receipts = receipts)
    }

    /// Executes the block as it stands with this bound of gas for all work.
    pub fn within(&self, gas_bound: u64) -> Result<Execution, ExecuteError> {
        let policy = ExecutionPolicy { gas_bound, ..executed_only() };
        let (executor, specimen) = self.clone().ready();
        executor.with_policy(policy).execute(&specimen, ResultFormat::Canonical)
    }

    /// Executes the block as it stands with an interrupt of the caller.
    pub fn interrupted_by(&self, interrupt: &dyn Interrupt) -> Result<Result<Execution, ExecuteError>, Interrupted> {
        let (executor, specimen) = self.clone().ready();
        executor.answer(&specimen, ResultFormat::Canonical, interrupt)
    }

    /// The sealed specimen, and an executor that knows its chain.
    pub fn ready(self) -> (EmbeddedExecutor, Specimen) {
        (executor_of(self.1.clone()), self.sealed())
    }

    /// The specimen, sealed: everything that shows without execution agrees.
    pub fn sealed(mut self) -> Specimen {
        let (layout, block) = (self.0.layout, &mut self.0.block);
        for transaction in &mut block.transactions {
            repeat_fields(transaction);
        }
        let header = &mut block.header;
        if let Ok(envelopes) = Envelopes::of(&block.transactions) {
            header.transactions_root = envelopes.root();
        }
        let mut ommers = Vec::new();
        alloy_rlp::encode_list(block.uncles.as_deref().unwrap_or_default(), &mut ommers);
        header.ommers_hash = keccak256(ommers);
        if header.withdrawals_root.is_some() {
            header.withdrawals_root = Some(ordered_trie_root(block.withdrawals.as_deref().unwrap_or_default()));
        }
        let dropped = block.transactions.iter().any(|transaction| transaction.dropped(layout).is_some());
        if header.blob_gas_used.is_some() && !dropped {
            let blobs = block.transactions.iter().flat_map(|transaction| transaction.blob_hashes.iter().flatten());
            header.blob_gas_used = Some(blobs.count() as u64 * DATA_GAS_PER_BLOB);
        }
        block.hash = header.hash_slow();
        let (hash, height) = (block.hash, header.number);
        Specimen { event_hash: hash, start_block: height, end_block: height, ..self.0 }
    }

    fn run(&self) -> Result<Execution, ExecuteError> {
        self.run_as(ResultFormat::Canonical)
    }

    /// The outcome in any format.
    pub fn run_as(&self, format: ResultFormat) -> Result<Execution, ExecuteError> {
        executor_of(self.1.clone()).execute(&self.clone().sealed(), format)
    }

    fn adopt(&mut self, check: Check) {
        let header = &mut self.0.block.header;
        match (check.name, check.outcome) {
            (CheckName::GasUsed, Outcome::Failed { computed: Quantity::Number(gas), .. }) => header.gas_used = gas,
            // Too far off for the exact number: what the block may use at the most leads to it.
            (CheckName::GasUsed, Outcome::Failed { computed: Quantity::AtLeast(_), .. }) => {
                header.gas_used = header.gas_limit;
            }
            (CheckName::LogsBloom, Outcome::Failed { computed: Quantity::Bloom(bloom), .. }) => {
                header.logs_bloom = *bloom;
            }
            (CheckName::ReceiptsRoot, Outcome::Failed { computed: Quantity::Hash(root), .. }) => {
                header.receipts_root = root;
            }
            (CheckName::RequestsHash, Outcome::Failed { computed: Quantity::Hash(hash), .. }) => {
                header.requests_hash = Some(hash);
            }
            (name, outcome) => panic!("{name}: {outcome:?}"),
        }
    }
}

/// An executor that knows the chain.
pub fn executor() -> EmbeddedExecutor {
    executor_of(ChainSpec::from_geth_json(CONFIG).unwrap())
}

fn executor_of(chain: ChainSpec) -> EmbeddedExecutor {
    EmbeddedExecutor::new(Chains::default().with(chain)).with_policy(executed_only())
}

/// The default policy without recorded receipts in the place of an execution, so that its error shows.
fn executed_only() -> ExecutionPolicy {
    ExecutionPolicy { basis: BasisPolicy::Execution, ..ExecutionPolicy::default() }
}

/// Fills the fields in which a producer repeats others.
fn repeat_fields(transaction: &mut Transaction) {
    if transaction.tx_type >= 2 {
        transaction.gas_price = transaction.gas_fee_cap;
        return;
    }
    transaction.gas_tip_cap = transaction.gas_price;
    transaction.gas_fee_cap = transaction.gas_price;
    if transaction.tx_type == 0 {
        transaction.chain_id = transaction.signed_chain_id().map_or(0, |chain_id| chain_id.to());
    }
}

fn producer_log(log: refiner_evm::ExecutedLog) -> Log {
    Log {
        address: log.address,
        topics: log.topics,
        data: log.data,
        block_number: 0,
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        block_hash: B256::ZERO,
        log_index: 0,
        removed: false,
    }
}
