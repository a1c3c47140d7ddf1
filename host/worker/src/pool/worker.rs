//! One worker: a process that serves the rules of a team.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use refiner_evm::ExecutionTerms;
use refiner_rule_model::{FuelSample, Limits, Run};

use super::{Executes, WorkerFailure, executions::Executions, team::Team};
use crate::{
    confinement::Confinement,
    process::Process,
    protocol::{
        self, Answer, Hello, Kind, ProtocolError, RunRequest, Settings, read_answer, read_failure, read_hash,
        read_refusal, read_spans, send,
    },
    trace::{Phase, SPANS_MAX, WorkerSpan},
};

/// Time from start to the rule being ready: a large rule loads within a second, and `describe` has twenty.
const START_WALL: Duration = Duration::from_secs(30);
/// Added to a run's deadline, so that a live worker can report itself that the time is over.
const ANSWER_GRACE: Duration = Duration::from_millis(500);

pub(super) struct Worker {
    process: Process,
    team: Team,
    runs: u64,
    /// The specimen of its last run, whose execution it holds for the other rules of its team.
    holds: Option<B256>,
}

impl Worker {
    /// Greets a process that was just started, and gives it its rules.
    pub(super) fn start(
        mut process: Process,
        team: Team,
        chains: &[String],
        terms: ExecutionTerms,
    ) -> Result<(Self, Confinement), WorkerFailure> {
        process.allow(START_WALL);
        match greet(&mut process, &team, chains, terms) {
            Ok((confinement, Ready::Yes)) => Ok((Self { process, team, runs: 0, holds: None }, confinement)),
            Ok((_, Ready::No(failure))) => Err(failure),
            Err(error) => Err(autopsy(process, error)),
        }
    }

    /// One run. After an error the worker is good for nothing but [`Worker::autopsy`].
    pub(super) fn run(
        &mut self,
        request: &RunRequest,
        executes: &Executes,
    ) -> Result<(Run, Vec<WorkerSpan>), RunError> {
        match self.ask(request, executes)? {
            (Answer::Run(run), spans) => Ok((*run, spans)),
            (_, _) => Err(ProtocolError::Unexpected { found: Kind::Sample }.into()),
        }
    }

    /// One run that is stopped on the way. The same holds after an error.
    pub(super) fn sample(&mut self, request: &RunRequest, executes: &Executes) -> Result<FuelSample, RunError> {
        match self.ask(request, executes)? {
            (Answer::Sample(sample), _) => Ok(sample),
            (_, _) => Err(ProtocolError::Unexpected { found: Kind::Verdict }.into()),
        }
    }

    fn ask(&mut self, request: &RunRequest, executes: &Executes) -> Result<(Answer, Vec<WorkerSpan>), RunError> {
        self.process.allow(answer_time(&request.limits, request.raw.len()));
        self.runs += 1;
        self.holds = request.specimen_hash.filter(|_| self.team.is_shared());
        let mut executions = Executions::of(executes, request);
        let mut spans = Vec::new();
        let answer = self.exchange(request, &mut executions, &mut spans)?;
        if let Some(failure) = executions.failure() {
            return Err(WorkerFailure::Host(failure).into());
        }
        match answer {
            Answer::Run(_) | Answer::Sample(_) => Ok((answer, spans)),
            Answer::HostFailure(failure) => Err(WorkerFailure::Host(failure).into()),
            Answer::NoSpecimen(reason) => Err(WorkerFailure::NoSpecimen { reason }.into()),
        }
    }

    fn exchange(
        &mut self,
        request: &RunRequest,
        executions: &mut Executions<'_>,
        spans: &mut Vec<WorkerSpan>,
    ) -> Result<Answer, ProtocolError> {
        let (process, begun, mut reported) = (&mut self.process, Instant::now(), false);
        send(process, |out| request.send(out))?;
        loop {
            let frame = protocol::read(process)?;
            match frame.kind {
                Kind::Execute => {
                    let start = begun.elapsed();
                    let executed = executions.execute(&frame.payload)?;
                    if request.trace.is_some() && spans.len() < SPANS_MAX {
                        let duration = begun.elapsed().saturating_sub(start);
                        spans.push(WorkerSpan { phase: Phase::EvmServer, start, duration });
                    }
                    // The time that the server took is not the worker's.
                    process.allow(answer_time(&request.limits, request.raw.len()));
                    send(process, |out| executed.send(out))?;
                }
                Kind::Difference => executions.differs(&frame.payload, process)?,
                Kind::Spans if !reported => {
                    spans.extend(read_spans(&frame.payload, request.trace.as_ref())?);
                    reported = true;
                }
                _ => return read_answer(frame, process, &request.limits),
            }
        }
    }

    /// Ends the worker and returns why its run failed.
    pub(super) fn autopsy(self, error: RunError) -> WorkerFailure {
        match error {
            RunError::Failure(failure) => failure,
            RunError::Protocol(error) => autopsy(self.process, error),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) const fn team(&self) -> &Team {
        &self.team
    }

    /// The specimen whose execution it holds.
    pub(super) const fn holds(&self) -> Option<B256> {
        self.holds
    }

    pub(super) const fn runs(&self) -> u64 {
        self.runs
    }

    pub(super) fn resident_bytes(&self) -> u64 {
        self.process.resident_bytes()
    }
}

/// Errors of a run, before the state of the process is known.
pub(super) enum RunError {
    /// The worker reported it.
    Failure(WorkerFailure),
    /// The pipe did.
    Protocol(ProtocolError),
}

impl From<WorkerFailure> for RunError {
    fn from(failure: WorkerFailure) -> Self {
        Self::Failure(failure)
    }
}

impl From<ProtocolError> for RunError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

enum Ready {
    Yes,
    No(WorkerFailure),
}

fn greet(
    process: &mut Process,
    team: &Team,
    chains: &[String],
    terms: ExecutionTerms,
) -> Result<(Confinement, Ready), ProtocolError> {
    let settings =
        Settings { supervisor: std::process::id(), ceilings: team.ceilings(), chains: chains.to_vec(), terms };
    send(process, |out| settings.send(out))?;
    let Hello { confinement, .. } = Hello::receive(process)?;
    for rule in team.rules() {
        if let Err(unconfined) = rule.requirement().check(&confinement) {
            return Ok((confinement, Ready::No(WorkerFailure::Unconfined(unconfined))));
        }
    }
    let last = team.rules().len();
    send(process, |out| {
        (1..).zip(team.rules()).try_for_each(|(number, rule)| rule.request().send(out, number < last))
    })?;
    for rule in team.rules() {
        let ready = admitted(process, rule.digest())?;
        if matches!(ready, Ready::No(_)) {
            return Ok((confinement, ready));
        }
    }
    Ok((confinement, Ready::Yes))
}

/// Waits for the worker to admit the rule of this component.
fn admitted(process: &mut Process, rule: B256) -> Result<Ready, ProtocolError> {
    let frame = protocol::read(process)?;
    Ok(match frame.kind {
        Kind::Admitted if read_hash(&frame.payload)? == rule => Ready::Yes,
        Kind::Admitted => Ready::No(WorkerFailure::OtherRule),
        Kind::Refused => {
            let (kind, reason) = read_refusal(&frame.payload)?;
            Ready::No(WorkerFailure::Refused { kind, reason })
        }
        Kind::HostFailure => Ready::No(WorkerFailure::Host(read_failure(&frame.payload)?)),
        found => return Err(ProtocolError::Unexpected { found }),
    })
}

/// Ends a process that broke off, and returns the reason.
fn autopsy(process: Process, error: ProtocolError) -> WorkerFailure {
    if error.is_timeout() {
        return WorkerFailure::Hung { wall_ms: u64::try_from(process.allowed().as_millis()).unwrap_or(u64::MAX) };
    }
    if !error.is_closed() {
        return WorkerFailure::Protocol(error);
    }
    let ended = process.end_after_close();
    WorkerFailure::Died { signal: ended.signal(), end: ended.end, output: ended.output }
}

fn answer_time(limits: &Limits, specimen_bytes: usize) -> Duration {
    Duration::from_millis(limits.deadline_ms(specimen_bytes as u64)) + ANSWER_GRACE
}
