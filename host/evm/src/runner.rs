//! Executes a block by the rules it is given. The only home of the EVM.

mod environment;
mod evm;

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::Block;
use revm::{
    ExecuteEvm, InspectEvm, Inspector,
    context::{
        ContextTr, JournalEntry, JournalInner, JournalTr, TxEnv,
        result::{EVMError, ExecutionResult, InvalidTransaction as Reason},
    },
    state::Account,
};

use self::evm::evm;
use crate::{
    code::CodeCache,
    code_use::CodeUse,
    dao,
    error::{ExecuteError, MissingCode, Rejected},
    execution::ExecutedReceipt,
    fork_profile::{ForkProfile, InvalidTransaction},
    meter::{self, Budget, ExpectedGas, Paying},
    not_carried::NotCarried,
    outcome::{Outcome, PostState, TransactionOutcome, logs, rejected},
    recording::{self, RecordingTerms, Watch},
    requests::{
        BEACON_ROOTS, CONSOLIDATION_REQUESTS, CONSOLIDATION_TYPE, DEPOSIT_TYPE, HISTORY_STORAGE, WITHDRAWAL_REQUESTS,
        WITHDRAWAL_TYPE, collect_deposits, system_transaction,
    },
    sale::GasPools,
    transaction::{self, Supplement, SuppliedFields},
    what_if::Hypothesis,
};

/// Wei in the gwei that withdrawals are counted in.
const WEI_PER_GWEI: u64 = 1_000_000_000;

/// One execution of a block.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) block: &'a Block,
    pub(crate) rules: &'a ForkProfile,
    /// One hash a transaction, which is only copied into the receipts.
    pub(crate) hashes: &'a [B256],
    /// Stands in for fields that the layout dropped.
    pub(crate) supplement: &'a Supplement,
    pub(crate) codes: &'a CodeCache,
    /// Shared by everything that is done for the block.
    pub(crate) budget: &'a Budget<'a>,
    /// The header's gas, where a block that exceeds it is refuted.
    pub(crate) expected: Option<ExpectedGas>,
    /// The recordings made beside the outcome.
    pub(crate) recording: Option<RecordingTerms>,
    /// Knowledge beside the block's own, of a hypothetical run.
    pub(crate) hypothesis: Option<&'a Hypothesis>,
}

/// Executes the block of a specimen. [`transaction::admit`] must have passed.
pub(crate) fn run(job: &Job<'_>) -> Result<Outcome, ExecuteError> {
    if let Some(terms) = job.recording {
        return recording::run(job, terms);
    }
    let mut run = Run::begin(job)?;
    let outcomes = run.transactions()?;
    run.finish(outcomes)
}

/// The state of the EVM that a block runs on.
pub(crate) use crate::meter::Context as BlockContext;

/// A block on its way through the EVM, before, between or after its transactions.
pub(crate) struct Run<'a, I = ()> {
    block: &'a Block,
    rules: &'a ForkProfile,
    hashes: &'a [B256],
    supplement: &'a Supplement,
    evm: meter::Evm<'a, I>,
    gas_used: u64,
    /// Gas that the last transaction got back, before any floor.
    refunded: u64,
    /// Logs of the calls before the first transaction, which are in no receipt.
    opening_logs: u64,
    pools: GasPools,
    transact: fn(&mut meter::Evm<'a, I>, TxEnv) -> meter::Executed,
    call_system: fn(&mut meter::Evm<'a, I>, TxEnv) -> meter::Executed,
}

/// A point of a run between two transactions, to which it can be taken back.
#[derive(Clone)]
pub(crate) struct Mark {
    state: JournalInner<JournalEntry>,
    meter: meter::Mark,
    gas_used: u64,
}

impl<'a> Run<'a> {
    /// A run before its first transaction, the system calls made.
    pub(crate) fn begin(job: &Job<'a>) -> Result<Self, ExecuteError> {
        Self::over(job, (), ExecuteEvm::transact_one, meter::run_system_call)
    }
}

impl<'a, I: Inspector<BlockContext<'a>>> Run<'a, I> {
    /// The same run, watched from the system calls on.
    pub(crate) fn watched(job: &Job<'a>, inspector: I) -> Result<Self, ExecuteError> {
        Self::over(job, inspector, InspectEvm::inspect_one_tx, meter::inspect_system_call)
    }
}

impl<'a, I> Run<'a, I> {
    fn over(
        job: &Job<'a>,
        inspector: I,
        transact: fn(&mut meter::Evm<'a, I>, TxEnv) -> meter::Executed,
        call_system: fn(&mut meter::Evm<'a, I>, TxEnv) -> meter::Executed,
    ) -> Result<Self, ExecuteError> {
        let Job { block, rules, supplement, hashes, .. } = *job;
        let evm = evm(job, inspector)?;
        let pools = GasPools::of(block.header.gas_limit, rules.blob_pool);
        let (gas_used, refunded, opening_logs) = (0, 0, 0);
        let mut run = Self {
            block,
            rules,
            hashes,
            supplement,
            evm,
            gas_used,
            refunded,
            opening_logs,
            pools,
            transact,
            call_system,
        };
        run.before_transactions()?;
        Ok(run)
    }

    /// The inspector of the EVM.
    pub(crate) const fn recorder(&mut self) -> &mut I {
        &mut self.evm.inspector
    }

    /// Gas that the last executed transaction got back, before the floor of EIP-7623 is looked at.
    pub(crate) const fn refunded(&self) -> u64 {
        self.refunded
    }

    /// The watch over the journal, with all that happened until now; `None` where nothing is recorded.
    pub(crate) fn watch(&mut self) -> Option<&mut Watch> {
        self.evm.ctx.journal_mut().watch_to_now()
    }

    /// The account as it is now, if it was in the specimen or was loaded since.
    pub(crate) fn account(&self, address: &Address) -> Option<&Account> {
        self.evm.ctx.journaled_state.state().state.get(address)
    }

    /// The present point, to go back to.
    pub(crate) fn mark(&self) -> Mark {
        let context = &self.evm.ctx;
        Mark { state: context.journaled_state.state().clone(), meter: context.chain.mark(), gas_used: self.gas_used }
    }

    /// Takes the run back to an earlier point.
    pub(crate) fn reset(&mut self, mark: &Mark) {
        self.evm.ctx.journaled_state.reset(&mark.state);
        self.evm.ctx.chain.reset(mark.meter);
        self.gas_used = mark.gas_used;
    }

    /// Executes what follows the transactions.
    pub(crate) fn finish(&mut self, transactions: Vec<TransactionOutcome>) -> Result<Outcome, ExecuteError> {
        let requests = self.after_transactions(&transactions)?;
        Ok(self.outcome(transactions, requests))
    }

    /// The same without the outcome: the requests of the block.
    pub(crate) fn after_transactions(
        &mut self,
        transactions: &[TransactionOutcome],
    ) -> Result<Option<Vec<Vec<u8>>>, ExecuteError> {
        let requests = match self.rules.requests {
            Some(deposit_contract) => Some(self.requests(transactions, deposit_contract)?),
            None => None,
        };
        self.credits()?;
        Ok(requests)
    }

    /// The outcome of a block that is executed to its end.
    pub(crate) fn outcome(&mut self, transactions: Vec<TransactionOutcome>, requests: Option<Vec<Vec<u8>>>) -> Outcome {
        let (gas_used, opening_logs) = (self.gas_used, self.opening_logs);
        let held_bytes = self.evm.ctx.chain.block_bytes();
        let dormant = self.evm.ctx.journal_mut().take_dormant();
        let post_state = PostState::new(self.evm.finalize(), dormant);
        Outcome { gas_used, opening_logs, held_bytes, transactions, requests, post_state, recordings: None }
    }

    fn before_transactions(&mut self) -> Result<(), ExecuteError> {
        if self.rules.dao_refund {
            dao::refund(self.evm.ctx.journal_mut()).map_err(|NotCarried(rejected)| rejected)?;
        }
        if self.rules.beacon_root_call {
            let root = self.block.header.parent_beacon_block_root;
            let root = root.ok_or(Rejected::HeaderField { field: "parentBeaconBlockRoot" })?;
            self.opening_call(BEACON_ROOTS, root.0.into())?;
        }
        if self.rules.parent_hash_call {
            self.opening_call(HISTORY_STORAGE, self.block.header.parent_hash.0.into())?;
        }
        Ok(())
    }

    /// Executes every transaction, with what the job supplies.
    pub(crate) fn transactions(&mut self) -> Result<Vec<TransactionOutcome>, ExecuteError> {
        let supplement = self.supplement;
        (0..self.block.transactions.len()).map(|index| self.transaction(index, supplement.of(index))).collect()
    }

    /// Executes the transaction at a position, `supplied` standing in for fields that the layout dropped.
    pub(crate) fn transaction(
        &mut self,
        index: usize,
        supplied: Option<&SuppliedFields>,
    ) -> Result<TransactionOutcome, ExecuteError> {
        let block = self.block;
        let (transactions, senders) = (block.transactions.len(), block.senders.len());
        let (Some(transaction), Some(&sender)) = (block.transactions.get(index), block.senders.get(index)) else {
            return Err(Rejected::SenderCount { transactions, senders }.into());
        };
        let hash = self.hashes.get(index).copied().unwrap_or_default();
        let environment = transaction::environment(transaction, sender, self.rules, supplied);
        let tx_type = environment.tx_type;
        let gas_left = self.block.header.gas_limit.saturating_sub(self.gas_used);
        let pools = &mut self.pools;
        let result = if self.rules.invalid_transaction == InvalidTransaction::IsLeftOut {
            meter::metered(&mut self.evm, environment, |evm, transaction| pools.run(evm, transaction), Paying::Sender)?
        } else if transaction.gas > gas_left {
            Err(EVMError::Transaction(Reason::CallerGasLimitMoreThanBlock))
        } else if u128::from(transaction.gas).checked_mul(environment.gas_price).is_none() {
            // More wei than there will ever be; the EVM counts fees in 128 bits and does not look again.
            Err(EVMError::Transaction(Reason::OverflowPaymentInTransaction))
        } else {
            meter::metered(&mut self.evm, environment, self.transact, Paying::Sender)?
        };
        let result = match (result, self.rules.invalid_transaction) {
            (Ok(result), _) => result,
            (Err(EVMError::Transaction(reason)), InvalidTransaction::IsLeftOut | InvalidTransaction::IsExcluded) => {
                return Ok(TransactionOutcome::Invalid(reason));
            }
            (Err(error), _) => return Err(rejected(error, index).into()),
        };
        let gas_used = result.tx_gas_used();
        self.gas_used += gas_used;
        self.refunded = result.gas().inner_refunded();
        Ok(TransactionOutcome::Executed(ExecutedReceipt {
            transaction_index: u32::try_from(index).unwrap_or(u32::MAX),
            transaction_hash: hash,
            tx_type,
            success: result.is_success(),
            post_state: self.recorded_state(index),
            gas_used,
            cumulative_gas_used: self.gas_used,
            effective_gas_price: U256::from(transaction::effective_gas_price(
                transaction,
                tx_type,
                self.evm.ctx.block.basefee,
            )),
            contract_address: transaction.to.is_none().then(|| sender.create(transaction.nonce)),
            logs: logs(result),
        }))
    }

    /// The state root in the receipt of a transaction before Byzantium; only the specimen has it.
    fn recorded_state(&self, index: usize) -> Option<B256> {
        let recorded = self.block.receipts.get(index).filter(|_| self.rules.receipts_hold_states)?;
        B256::try_from(&recorded.post_state_or_status[..]).ok()
    }

    fn requests(
        &mut self,
        transactions: &[TransactionOutcome],
        deposit_contract: Address,
    ) -> Result<Vec<Vec<u8>>, ExecuteError> {
        let mut deposits = vec![DEPOSIT_TYPE];
        for receipt in transactions.iter().filter_map(TransactionOutcome::receipt) {
            collect_deposits(&receipt.logs, deposit_contract, &mut deposits)?;
        }
        let mut requests = vec![deposits];
        for (request_type, contract) in
            [(WITHDRAWAL_TYPE, WITHDRAWAL_REQUESTS), (CONSOLIDATION_TYPE, CONSOLIDATION_REQUESTS)]
        {
            self.require_code(contract)?;
            let queued = self.system_call(contract, Bytes::new())?;
            requests.push([&[request_type], &queued[..]].concat());
        }
        // EIP-7685: a request that is only its type byte is left out.
        requests.retain(|request| request.len() > 1);
        Ok(requests)
    }

    /// Balances that grow outside of any transaction.
    fn credits(&mut self) -> Result<(), ExecuteError> {
        for (address, wei) in self.rules.rewards(self.block) {
            self.credit(address, wei)?;
        }
        if self.rules.withdrawals {
            for withdrawal in self.block.withdrawals.iter().flatten() {
                self.credit(withdrawal.address, U256::from(withdrawal.amount) * U256::from(WEI_PER_GWEI))?;
            }
        }
        Ok(())
    }

    fn credit(&mut self, address: Address, wei: U256) -> Result<(), Rejected> {
        self.evm.ctx.journal_mut().balance_incr(address, wei).map_err(|NotCarried(rejected)| rejected)
    }

    /// EIP-7002 and EIP-7251: a block in which these contracts do not exist is invalid.
    fn require_code(&mut self, contract: Address) -> Result<(), Rejected> {
        let account = self.evm.ctx.journal_mut().load_account(contract).map_err(|NotCarried(rejected)| rejected)?;
        let empty = account.info.is_empty_code_hash();
        if empty { Err(Rejected::SystemCall { contract }) } else { Ok(()) }
    }

    /// EIP-4788 and EIP-2935: a call that fails changes nothing, and its block is valid.
    fn opening_call(&mut self, contract: Address, data: Bytes) -> Result<(), ExecuteError> {
        match self.call_system(contract, data) {
            Err(ExecuteError::Rejected(Rejected::SystemCall { .. })) => Ok(self.require_carried_code(contract)?),
            outcome => {
                self.opening_logs += outcome?.1;
                Ok(())
            }
        }
    }

    /// A stub in the place of code that the specimen lacks fails too, and that is no failure of the chain's.
    fn require_carried_code(&mut self, contract: Address) -> Result<(), Rejected> {
        let account = self.evm.ctx.journal_mut().load_account(contract).map_err(|NotCarried(rejected)| rejected)?;
        let hash = account.info.code_hash;
        let carried = account.info.is_empty_code_hash() || self.block.state.codes.iter().any(|code| code.hash == hash);
        if carried {
            return Ok(());
        }
        let consequence = Rejected::SystemCall { contract };
        let missing = MissingCode { hash, account: contract, asked: CodeUse::Target, consequence };
        Err(Rejected::CodeMissing(Box::new(missing)))
    }

    fn system_call(&mut self, contract: Address, data: Bytes) -> Result<Bytes, ExecuteError> {
        self.call_system(contract, data).map(|(output, _)| output)
    }

    /// The output of a system call, and the number of its logs.
    fn call_system(&mut self, contract: Address, data: Bytes) -> Result<(Bytes, u64), ExecuteError> {
        match meter::metered(&mut self.evm, system_transaction(contract, data), self.call_system, Paying::Nothing)? {
            Ok(ExecutionResult::Success { output, logs, .. }) => Ok((output.into_data(), logs.len() as u64)),
            Err(EVMError::Database(NotCarried(rejected))) => Err(rejected.into()),
            Ok(_) | Err(_) => Err(Rejected::SystemCall { contract }.into()),
        }
    }
}
