//! The executor that runs in this process.

use std::{sync::Arc, time::Duration};

use alloy_primitives::Bytes;
use refiner_specimen::{Specimen, check::Check};

use crate::{
    Executor,
    basis::BasisPolicy,
    canonical,
    chain::Chains,
    code::CodeCache,
    compat::{self, Frame},
    error::{ExecuteError, Rejected, Unsupported},
    execution::{Execution, SenderGate},
    format::{Era, ResultFormat},
    gate::{self, SenderTerms},
    interrupt::{Interrupt, Interrupted, PROCESSOR_TIME_LIMIT, ProcessorDeadline, Uninterrupted},
    meter::Budget,
    policy::ExecutionPolicy,
    recording::RecordingTerms,
    unavailable::Unavailable,
    what_if::{self, Overrides, WhatIf, WhatIfBasis, WhatIfError},
};

/// Executes specimens with revm, in this process. One is shared by every thread.
#[derive(Debug, Default)]
pub struct EmbeddedExecutor {
    chains: Chains,
    codes: CodeCache,
    policy: ExecutionPolicy,
    /// Tells the processor time of this thread, where there is a deadline.
    clock: Option<fn() -> Duration>,
}

/// Whether the checks that need no execution gate an era's result. The canonical format has its own.
#[derive(Clone, Copy)]
enum Precheck {
    Open,
    Closed,
}

/// The format of an execution's document, and what is recorded beside it.
#[derive(Clone, Copy)]
struct Wanted {
    format: ResultFormat,
    recording: Option<RecordingTerms>,
}

impl Wanted {
    const fn of(format: ResultFormat) -> Self {
        Self { format, recording: None }
    }
}

impl EmbeddedExecutor {
    /// An executor for these chains.
    pub fn new(chains: Chains) -> Self {
        Self { chains, ..Self::default() }
    }

    /// The same executor on other terms.
    #[must_use]
    pub fn with_policy(self, policy: ExecutionPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The same executor with a deadline of [`PROCESSOR_TIME_LIMIT`] for each block, as an [`Executor`]. `clock` tells the
    /// processor time of this thread.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> Duration) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The terms on which it executes.
    pub const fn policy(&self) -> ExecutionPolicy {
        self.policy
    }

    /// Every check of the specimen that needs no execution.
    pub fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        gate::checks(specimen, self.chains.get(specimen.block.network_id).ok())
    }

    /// The check of the stated senders, on this executor's terms.
    pub fn senders(&self, specimen: &Specimen) -> Check {
        gate::senders(specimen, self.sender_terms(specimen))
    }

    /// The terms on which it checks the senders of a specimen.
    pub(crate) fn sender_terms(&self, specimen: &Specimen) -> SenderTerms {
        let block = &specimen.block;
        SenderTerms::of(self.policy.senders, self.chains.get(block.network_id).ok(), &block.header)
    }

    /// Executes the block in `format`, after every check that needs no execution.
    ///
    /// # Errors
    /// [`ExecuteError`]: the specimen's own doing, the same on every machine.
    pub fn execute(&self, specimen: &Specimen, format: ResultFormat) -> Result<Execution, ExecuteError> {
        self.run(specimen, Wanted::of(format), Precheck::Closed, &Uninterrupted).0
    }

    /// Answers as the network's evm-server does: without the checks that need no execution, which it does not make. The canonical
    /// format is checked all the same.
    ///
    /// # Errors
    /// The inner error is a property of the block. The outer one is that of `interrupt`.
    pub fn answer(
        &self,
        specimen: &Specimen,
        format: ResultFormat,
        interrupt: &dyn Interrupt,
    ) -> Result<Result<Execution, ExecuteError>, Interrupted> {
        let (result, interrupted) = self.run(specimen, Wanted::of(format), Precheck::Open, interrupt);
        interrupted.map_or(Ok(result), Err)
    }

    /// Executes the block in the canonical format and records it.
    ///
    /// # Errors
    /// [`ExecuteError`]: the specimen's own doing, the same on every machine.
    pub fn record(&self, specimen: &Specimen, terms: RecordingTerms) -> Result<Execution, ExecuteError> {
        let wanted = Wanted { format: ResultFormat::Canonical, recording: Some(terms) };
        self.run(specimen, wanted, Precheck::Closed, &Uninterrupted).0
    }

    /// Work for a block within the deadline, where there is one.
    fn within_deadline<T>(&self, work: impl FnOnce(&Budget<'_>) -> T) -> Result<T, Unavailable> {
        let Some(clock) = self.clock else { return Ok(work(&Budget::new(self.policy.gas_bound, &Uninterrupted))) };
        let deadline = ProcessorDeadline::new(clock, PROCESSOR_TIME_LIMIT);
        let budget = Budget::new(self.policy.gas_bound, &deadline);
        let done = work(&budget);
        // Whatever it came to, it is no property of the block.
        budget.interrupted().map_or(Ok(done), |interrupted| Err(interrupted.into()))
    }

    fn basis_within(&self, specimen: &Specimen, budget: &Budget<'_>) -> Result<Arc<WhatIfBasis>, WhatIfError> {
        let chain = self.chains.get(specimen.block.network_id).map_err(ExecuteError::from)?;
        let basis = canonical::what_if_basis(specimen, chain, &self.codes, self.policy, budget)?;
        Ok(Arc::new(basis))
    }

    /// An execution within the deadline, where there is one.
    fn timed(&self, specimen: &Specimen, wanted: Wanted) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        let Some(clock) = self.clock else { return Ok(self.run(specimen, wanted, Precheck::Closed, &Uninterrupted).0) };
        let deadline = ProcessorDeadline::new(clock, PROCESSOR_TIME_LIMIT);
        let (result, interrupted) = self.run(specimen, wanted, Precheck::Closed, &deadline);
        interrupted.map_or(Ok(result), |interrupted| Err(interrupted.into()))
    }

    /// Whatever an interrupted execution came to, it is no property of the block.
    fn run(
        &self,
        specimen: &Specimen,
        wanted: Wanted,
        gate: Precheck,
        interrupt: &dyn Interrupt,
    ) -> (Result<Execution, ExecuteError>, Option<Interrupted>) {
        let budget = Budget::new(self.policy.gas_bound, interrupt);
        (self.run_within(specimen, wanted, gate, &budget), budget.interrupted())
    }

    fn run_within(
        &self,
        specimen: &Specimen,
        Wanted { format, recording }: Wanted,
        gate: Precheck,
        budget: &Budget<'_>,
    ) -> Result<Execution, ExecuteError> {
        let chain = self.chains.get(specimen.block.network_id)?;
        let era = match format {
            ResultFormat::Canonical => {
                return canonical::result(specimen, chain, &self.codes, self.policy, budget, recording);
            }
            ResultFormat::EvmServer(era) => era,
        };
        let senders = match gate {
            Precheck::Open => SenderGate::Open,
            Precheck::Closed => {
                self.admit(specimen, era)?;
                SenderGate::Closed(self.sender_terms(specimen))
            }
        };
        compat::execute(specimen, chain, era, &self.codes, budget, senders)
    }

    /// Admits a block to execution as an era's evm-server executed it.
    fn admit(&self, specimen: &Specimen, era: Era) -> Result<(), ExecuteError> {
        if let Some(failed) = self.checks(specimen).into_iter().find(Check::failed) {
            return Err(Rejected::CheckFailed(failed).into());
        }
        if self.policy.basis == BasisPolicy::Receipts {
            return Err(Unsupported::EraWithoutExecution { format: ResultFormat::EvmServer(era) }.into());
        }
        let block = &specimen.block;
        if block.lacks_state() && !self.policy.stateless_eras {
            return Err(Unsupported::NoState { transactions: block.transactions.len() }.into());
        }
        Ok(())
    }

    /// The checked frame around which an era's document of the block is written.
    pub(crate) fn checked_frame<'a>(&self, specimen: &'a Specimen, era: Era) -> Result<Frame<'a>, ExecuteError> {
        self.admit(specimen, era)?;
        let block = &specimen.block;
        let (frame, _) = Frame::of(block, self.chains.get(block.network_id)?, era)?;
        Ok(frame)
    }
}

impl Executor for EmbeddedExecutor {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        self.checks(specimen)
    }

    fn senders(&self, specimen: &Specimen) -> Check {
        self.senders(specimen)
    }

    fn execute(
        &self,
        specimen: &Specimen,
        _raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.timed(specimen, Wanted::of(format))
    }

    fn record(
        &self,
        specimen: &Specimen,
        _raw: &Bytes,
        terms: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.timed(specimen, Wanted { format: ResultFormat::Canonical, recording: Some(terms) })
    }

    fn what_if_basis(&self, specimen: &Specimen) -> Result<Result<Arc<WhatIfBasis>, WhatIfError>, Unavailable> {
        self.within_deadline(|budget| self.basis_within(specimen, budget))
    }

    fn what_if(
        &self,
        specimen: &Specimen,
        basis: &WhatIfBasis,
        overrides: &Overrides,
        recording: Option<RecordingTerms>,
    ) -> Result<Result<WhatIf, WhatIfError>, Unavailable> {
        self.within_deadline(|budget| what_if::execute(specimen, basis, overrides, &self.codes, budget, recording))
    }

    fn recorded_receipts(&self, specimen: &Specimen) -> Option<Execution> {
        let chain = self.chains.get(specimen.block.network_id).ok()?;
        canonical::proven_receipts(specimen, chain, self.policy)
    }
}
