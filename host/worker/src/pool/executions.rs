//! Blocks that an evm-server executes for a worker, which cannot reach it.

use std::{io::Read, sync::Arc};

use refiner_diagnostics::ErrorChain;
use refiner_evm::{Answer, Difference, ExecutedBy, OnDifference, RemoteServer, Unavailable};
use refiner_rule_model::{HostFailure, Limit, UntrustedText};

use crate::protocol::{Asked, Executed, Kind, ProtocolError, RunRequest, read_side};

/// The executor of blocks for the workers.
#[derive(Clone, Default)]
pub enum Executes {
    /// Each worker for itself.
    #[default]
    Workers,
    /// An evm-server, asked by the supervisor.
    Server(Arc<dyn RemoteServer>),
    /// Each worker and an evm-server; each difference between them is kept first.
    Both {
        /// The evm-server.
        server: Arc<dyn RemoteServer>,
        /// Whose result is taken.
        on_difference: OnDifference,
        /// Called with each difference.
        keep: Arc<dyn Fn(&Difference) + Send + Sync>,
    },
}

impl Executes {
    pub(super) const fn executed_by(&self) -> ExecutedBy {
        match self {
            Self::Workers => ExecutedBy::Embedded,
            Self::Server(_) => ExecutedBy::Remote,
            Self::Both { on_difference, .. } => ExecutedBy::Both(*on_difference),
        }
    }

    fn server(&self) -> Option<&dyn RemoteServer> {
        match self {
            Self::Workers => None,
            Self::Server(server) | Self::Both { server, .. } => Some(&**server),
        }
    }
}

/// The requests of one run to the evm-server. A worker that was taken over gets no more of it than one execution, for each that the run was
/// granted, of the run's own specimen; and no verdict out of it when there was none.
pub(super) struct Executions<'a> {
    executes: &'a Executes,
    request: &'a RunRequest,
    asked: u64,
    /// The server's last answer.
    last: Option<(Asked, Answer)>,
    /// Reason of a missing execution. Kept here, where no rule can reach it.
    unavailable: Option<UntrustedText>,
}

impl<'a> Executions<'a> {
    pub(super) const fn of(executes: &'a Executes, request: &'a RunRequest) -> Self {
        Self { executes, request, asked: 0, last: None, unavailable: None }
    }

    /// Asks the server what the worker asks.
    pub(super) fn execute(&mut self, payload: &[u8]) -> Result<Executed, ProtocolError> {
        let (asked, server) = (Asked::read(payload)?, self.executes.server());
        let server = server.ok_or(ProtocolError::Unexpected { found: Kind::Execute })?;
        self.asked += 1;
        let (limit, granted) = (Limit::EvmExecutions, self.request.limits.get(Limit::EvmExecutions));
        if self.asked > granted {
            return Err(ProtocolError::OverGrant { limit, sent: self.asked, granted });
        }
        match &self.unavailable {
            // What failed once has failed for the run.
            Some(reason) => Ok(Executed::Unavailable(reason.clone())),
            None => match server.process(&self.request.raw, asked.format) {
                Ok(answer) => {
                    self.last = Some((asked, answer.clone()));
                    Ok(Executed::Answer(answer))
                }
                Err(unavailable) => Ok(Executed::Unavailable(self.remember(&unavailable))),
            },
        }
    }

    /// Keeps a difference that the worker reports: its own result beside the answer it got last.
    pub(super) fn differs(&mut self, payload: &[u8], input: &mut impl Read) -> Result<(), ProtocolError> {
        let unexpected = ProtocolError::Unexpected { found: Kind::Difference };
        let Executes::Both { on_difference, keep, .. } = self.executes else { return Err(unexpected) };
        let Some((Asked { format }, remote)) = self.last.take() else { return Err(unexpected) };
        let embedded = read_side(payload, input)?;
        // The specimen decides which block it is, not the worker.
        let Ok(specimen) = refiner_specimen::decode_shared(&self.request.raw) else { return Err(unexpected) };
        let (chain_id, height) = (specimen.block.network_id, specimen.block.header.number);
        keep(&Difference { chain_id, height, format, embedded, remote });
        if *on_difference == OnDifference::Hold {
            self.remember(&Unavailable::Held { format });
        }
        Ok(())
    }

    /// The failure by which the run has no verdict, whatever the worker answers.
    pub(super) fn failure(self) -> Option<HostFailure> {
        self.unavailable.map(|reason| HostFailure::ExecutorUnavailable { reason })
    }

    fn remember(&mut self, unavailable: &Unavailable) -> UntrustedText {
        let reason = UntrustedText::new(&ErrorChain(unavailable).to_string());
        self.unavailable = Some(reason.clone());
        reason
    }
}
