//! Proof at the start that guests can be stopped here.
//!
//! The guests are in `guests/`, as text and as components; a test holds the one to the other.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::{ExecuteError, Execution, Executor, ResultFormat, Unavailable};
use refiner_rule_model::{Grants, HostFailure, Limit, Limits, Params, Run, Verdict};
use refiner_specimen::{
    Block, Layout, Specimen, StateReads,
    check::{Check, CheckName},
};

use crate::{AdmitFailure, RunInput, Sandbox};

/// A component that spins in `refine`.
const SPIN: Guest = Guest { name: "spin", component: include_bytes!("../guests/spin.wasm") };
/// A component that grows its memory in `refine` for ever.
const GROW: Guest = Guest { name: "grow", component: include_bytes!("../guests/grow.wasm") };

/// Enough to start, and used up in a millisecond.
const SPIN_FUEL: u64 = 1_000_000;
/// Ends a guest that has fuel for a second and more.
const SPIN_WALL_MS: u64 = 30;
/// A few steps of the growing guest.
const GROW_BYTES: u64 = 4 << 20;

#[derive(Clone, Copy)]
struct Guest {
    name: &'static str,
    component: &'static [u8],
}

/// Guests cannot be stopped here, or could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum SelfTestError {
    /// A guest could not be started.
    #[error("the guest '{guest}' could not be started")]
    Admit {
        /// Name of the guest program.
        guest: &'static str,
        /// The cause of the failure.
        #[source]
        error: AdmitFailure,
    },
    /// A guest ended in another way than it had to.
    #[error("the guest '{guest}' had to end with '{expected}' and ended otherwise: {found}")]
    Ended {
        /// Name of the guest program.
        guest: &'static str,
        /// The outcome that was expected.
        expected: &'static str,
        /// The outcome that was found.
        found: Verdict,
    },
    /// The host failed instead.
    #[error("the guest '{guest}' had to end with '{expected}', and the host failed")]
    Host {
        /// Name of the guest program.
        guest: &'static str,
        /// The outcome that was expected.
        expected: &'static str,
        /// The failure of the host.
        #[source]
        failure: HostFailure,
    },
}

impl Diagnostic for SelfTestError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        Some("this machine or build must not run rules; please report it".into())
    }
}

pub(crate) fn run(sandbox: &Sandbox) -> Result<(), SelfTestError> {
    must_end(sandbox, SPIN, Limit::Fuel, SPIN_FUEL, "out-of-fuel")?;
    must_end(sandbox, GROW, Limit::MemoryBytes, GROW_BYTES, "out-of-memory")?;
    must_meet_its_deadline(sandbox)
}

/// Runs a guest with little of `limit`.
fn play(
    sandbox: &Sandbox,
    guest: Guest,
    limit: Limit,
    granted: u64,
) -> Result<Result<Run, HostFailure>, SelfTestError> {
    let rule = sandbox
        .admit(guest.component, None, &Grants::default())
        .map_err(|error| SelfTestError::Admit { guest: guest.name, error })?;
    let mut limits = Limits::caps();
    limits.lower(limit, granted);
    Ok(rule.run(RunInput {
        specimen: Arc::new(empty_specimen()),
        raw: Bytes::new(),
        specimen_hash: B256::ZERO.into(),
        params: Params::default(),
        executor: Arc::new(NoBlocks),
        limits,
    }))
}

fn must_end(
    sandbox: &Sandbox,
    guest: Guest,
    limit: Limit,
    granted: u64,
    expected: &'static str,
) -> Result<(), SelfTestError> {
    match play(sandbox, guest, limit, granted)? {
        Ok(run) if run.verdict.kind() == expected => Ok(()),
        Ok(run) => Err(SelfTestError::Ended { guest: guest.name, expected, found: run.verdict }),
        Err(failure) => Err(SelfTestError::Host { guest: guest.name, expected, failure }),
    }
}

fn must_meet_its_deadline(sandbox: &Sandbox) -> Result<(), SelfTestError> {
    let (guest, expected) = (SPIN.name, "deadline");
    match play(sandbox, SPIN, Limit::WallMs, SPIN_WALL_MS)? {
        Err(HostFailure::Deadline { .. }) => Ok(()),
        Err(failure) => Err(SelfTestError::Host { guest, expected, failure }),
        Ok(run) => Err(SelfTestError::Ended { guest, expected, found: run.verdict }),
    }
}

/// The executor of guests that ask for none, over a specimen that would pass no check.
struct NoBlocks;

impl Executor for NoBlocks {
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
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        Err(Unavailable::Format { format })
    }
}

fn empty_specimen() -> Specimen {
    Specimen {
        layout: Layout::V0_38,
        stated_codec_version: 0.0,
        start_block: 0,
        end_block: 0,
        elements: 0,
        event_hash: B256::ZERO,
        block: Block {
            kind: String::new(),
            network_id: 0,
            hash: B256::ZERO,
            total_difficulty: U256::ZERO,
            header: alloy_consensus::Header::default(),
            transactions: Vec::new(),
            uncles: None,
            receipts: Vec::new(),
            senders: Vec::new(),
            state: StateReads::default(),
            withdrawals: None,
            blob_sidecars: None,
        },
    }
}
