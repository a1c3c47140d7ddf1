//! One run: a fresh store and instance, one call, a verdict.

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_evm::{Executor, Rejected};
use refiner_rows::RowCollector;
use refiner_rule_model::{
    Evidence, FuelParts, FuelSample, HostFailure, Limit, Limits, Params, PerLimit, Run, SAMPLE_FRAMES_MAX,
    SpecimenHash, UntrustedText, Usage, Verdict,
};
use refiner_specimen::{Specimen, check::Check};
use wasmtime::{Store, component::Resource};

use crate::{
    AdmittedRule,
    bindings::{Analyze, AnalyzePre, exports::refiner::rule::rule::Summary, refiner::rule::types::RuleError},
    host::{BlockSpecimen, BudgetExceeded, Executions, HostState, Outputs, SpecimenView, Wanted},
    outcome::{self, judge},
    ticker,
};

/// The inputs of a run.
#[derive(Clone)]
pub struct RunInput {
    /// The specimen, decoded already.
    pub specimen: Arc<Specimen>,
    /// The bytes it was decoded from.
    pub raw: Bytes,
    /// sha256 of the quoted base64 of `raw`: given, or worked out for a rule that asks.
    pub specimen_hash: SpecimenHash,
    /// Parameters that the operator gave the rule.
    pub params: Params,
    /// Checks the specimen of every rule, and executes the block for those that were granted `evm`.
    pub executor: Arc<dyn Executor>,
    /// Limits that the run is granted.
    pub limits: Limits,
}

/// Number of the specimen's handle. There is one specimen a run.
const SPECIMEN_REP: u32 = 0;

pub(crate) fn run(
    rule: &AdmittedRule,
    input: RunInput,
    collector: Option<Arc<dyn RowCollector>>,
) -> Result<Run, HostFailure> {
    let (pre, limits, specimen_bytes) = (&rule.pre, input.limits, input.raw.len() as u64);
    let asked = rule.asked_limits().amounts();
    let granted = limits.for_specimen(specimen_bytes);
    let mut evidence = Evidence { without_state: input.specimen.block.lacks_state(), ..Evidence::default() };
    if let Some(verdict) = not_to_be_run(rule, &input, &mut evidence) {
        let mut used = PerLimit::ZERO;
        used.set(Limit::SpecimenBytes, specimen_bytes);
        let usage = Usage { asked, granted, used, log_lines_lost: 0 };
        return Ok(Run { verdict, usage, log: Vec::new(), evidence });
    }
    let fuel = granted.get(Limit::Fuel);
    let (specimen, executor) = (Arc::clone(&input.specimen), Arc::clone(&input.executor));
    let view = SpecimenView::new(input.specimen, input.raw, input.specimen_hash);
    let _running = rule.ticker.running();
    let mut state = reach(rule, &limits, fuel, view, input.params, input.executor);
    state.outputs.collector = collector;
    let mut store = store(pre, state, &limits, Allowed { fuel, deadline_ms: granted.get(Limit::WallMs) })?;
    let mut ended = refine(pre, &mut store);
    let fuel_left = store.get_fuel().unwrap_or_default();
    let mut state = store.into_data();
    state.finish_stdio();
    if let Some(reason) = state.executions.unavailable() {
        return Err(HostFailure::ExecutorUnavailable { reason });
    }
    match &mut ended {
        Ok(Ok(_)) => state.warn_of_unfinished(),
        Ok(Err(_)) => {}
        Err(error) => state.log_place(outcome::functions(error)),
    }
    let burnt = fuel.saturating_add(FUEL_BEYOND).saturating_sub(fuel_left);
    let fuel_used = burnt.saturating_add(state.budget.used().get(Limit::Fuel));
    let used = used(&state, specimen_bytes, fuel_used.min(fuel));
    let usage = Usage { asked, granted, used, log_lines_lost: state.log.lost };
    let out_of_fuel = fuel_used > fuel;
    let refused = state.executions.refused();
    let left = state.executions.left();
    let (executed, senders) = state.take_evidence();
    let checked = !rule.executes_blocks() || executed.is_some();
    evidence.merge(executed.unwrap_or_default());
    evidence.add(&senders);
    let HostState { log, outputs, .. } = state;
    let verdict = match ended {
        // Whatever it came to: on the way there it used more than it had.
        Ok(_) if out_of_fuel => Verdict::OutOfFuel { granted: fuel },
        // A rule may execute no block, or make nothing of a refusal: no output rests on a specimen that was not checked.
        Ok(Ok(summary)) => match (!checked).then(|| contradiction(&*executor, &specimen, &mut evidence)).flatten() {
            Some(rejected) => rejected,
            None => Verdict::Produced { artifacts: outputs.finished(), records: summary.records },
        },
        // The words are the host's, whatever the rule makes of the departure: they name where.
        Ok(Err(RuleError::Rejected(_) | RuleError::Unsupported(_))) if left.is_some() => {
            let reason = left.map(|left| format!("left the specimen: {left}")).unwrap_or_default();
            Verdict::Unsupported { reason: UntrustedText::new(&reason) }
        }
        Ok(Err(RuleError::Rejected(reason))) => Verdict::Rejected { reason: UntrustedText::new(&reason) },
        Ok(Err(RuleError::Unsupported(reason))) => {
            evidence.reason_class = refused;
            Verdict::Unsupported { reason: UntrustedText::new(&reason) }
        }
        Ok(Err(RuleError::CapabilityUnavailable(reason))) => {
            return Err(HostFailure::CapabilityUnavailable { reason: UntrustedText::new(&reason) });
        }
        Err(error) => {
            let (verdict, class) = judge(error, &limits, granted.get(Limit::WallMs), fuel)?;
            if out_of_fuel {
                Verdict::OutOfFuel { granted: fuel }
            } else {
                evidence.reason_class = class;
                verdict
            }
        }
    };
    Ok(Run { verdict, usage, log: log.lines, evidence })
}

/// Runs the rule until one part of its fuel has come to `stop`.
pub(crate) fn sample(rule: &AdmittedRule, input: RunInput, stop: FuelParts) -> Result<FuelSample, HostFailure> {
    let (pre, limits) = (&rule.pre, input.limits);
    if not_to_be_run(rule, &input, &mut Evidence::default()).is_some() {
        return Ok(FuelSample::default());
    }
    let granted = limits.for_specimen(input.raw.len() as u64);
    let fuel = granted.get(Limit::Fuel);
    let (stop, deadline_ms) =
        (FuelParts { code: stop.code.min(fuel), calls: stop.calls.min(fuel) }, granted.get(Limit::WallMs));
    let view = SpecimenView::new(input.specimen, input.raw, input.specimen_hash);
    let state = reach(rule, &limits, stop.calls, view, input.params, input.executor);
    let mut store = store(pre, state, &limits, Allowed { fuel: stop.code, deadline_ms })?;
    let ended = refine(pre, &mut store);
    let code = stop.code.saturating_add(FUEL_BEYOND).saturating_sub(store.get_fuel().unwrap_or_default());
    let mut state = store.into_data();
    if let Some(reason) = state.executions.unavailable() {
        return Err(HostFailure::ExecutorUnavailable { reason });
    }
    let used = FuelParts { code, calls: state.budget.used().get(Limit::Fuel) };
    let Err(mut error) = ended else { return Ok(FuelSample { used, ..FuelSample::default() }) };
    let mut functions = outcome::stack(&mut error);
    let is_cut = functions.len() > SAMPLE_FRAMES_MAX;
    functions.truncate(SAMPLE_FRAMES_MAX);
    let call = state.budget.calling().filter(|_| error.is::<BudgetExceeded>()).map(UntrustedText::new);
    // A deadline or a machine without memory is no place of the rule.
    judge(error, &limits, deadline_ms, fuel)?;
    Ok(FuelSample { used, functions, is_cut, call })
}

/// The reach of a run of this rule.
fn reach(
    rule: &AdmittedRule,
    limits: &Limits,
    fuel: u64,
    specimen: SpecimenView,
    params: Params,
    executor: Arc<dyn Executor>,
) -> HostState {
    let executions = Executions::new(Some(executor), Wanted::by(&rule.terms.needs));
    let mut state = HostState::over(limits, fuel, rule.terms.state_bytes, Some(specimen), params, executions);
    state.outputs = Outputs::of(Arc::clone(&rule.description), Arc::clone(&rule.row_checks));
    state
}

/// Makes every check that needs no execution. The verdict when one fails.
fn contradiction(executor: &dyn Executor, specimen: &Specimen, evidence: &mut Evidence) -> Option<Verdict> {
    let checks = executor.checks(specimen);
    evidence.add(&checks);
    let failed = checks.into_iter().find(Check::failed)?;
    Some(Verdict::Rejected { reason: UntrustedText::new(&Rejected::CheckFailed(failed).to_string()) })
}

fn refine(pre: &AnalyzePre<HostState>, store: &mut Store<HostState>) -> wasmtime::Result<Result<Summary, RuleError>> {
    let rule: Analyze = pre.instantiate(&mut *store)?;
    rule.refiner_rule_rule().call_refine(store, Resource::<BlockSpecimen>::new_borrow(SPECIMEN_REP))
}

/// Fuel and processor time of what runs in a store.
#[derive(Clone, Copy)]
pub(crate) struct Allowed {
    pub(crate) fuel: u64,
    pub(crate) deadline_ms: u64,
}

/// A store with every bound set: a start function runs within them too. To be used by the thread that makes it, whose processor time counts.
pub(crate) fn store(
    pre: &AnalyzePre<HostState>,
    state: HostState,
    limits: &Limits,
    Allowed { fuel, deadline_ms }: Allowed,
) -> Result<Store<HostState>, HostFailure> {
    let mut store = Store::new(pre.engine(), state);
    store.limiter(|state| &mut state.memory);
    store
        .set_fuel(fuel.saturating_add(FUEL_BEYOND))
        .map_err(|error| HostFailure::UnknownTrap { message: UntrustedText::new(&error.to_string()) })?;
    ticker::set_deadline(&mut store, deadline_ms);
    store.set_hostcall_fuel(usize::try_from(limits.get(Limit::CallBytes)).unwrap_or(usize::MAX));
    store.set_max_component_handles(HANDLES_MAX);
    Ok(store)
}

/// Fuel set beyond what is granted. Guests are stopped at the next loop or call after the fuel is gone, and can return before:
/// who used this unit too used more than was granted.
const FUEL_BEYOND: u64 = 1;

/// Handles a guest may hold at once: the specimen, executions and artifacts are a few dozen, and a rule's own resources
/// need no more than this.
const HANDLES_MAX: usize = 10_000;

/// The verdict on a specimen that the rule never sees.
fn not_to_be_run(rule: &AdmittedRule, input: &RunInput, evidence: &mut Evidence) -> Option<Verdict> {
    let granted = input.limits.get(Limit::SpecimenBytes);
    if input.raw.len() as u64 > granted {
        return Some(Verdict::OverBudget { limit: Limit::SpecimenBytes, granted });
    }
    let granted_bytes = input.limits.get(Limit::MemoryBytes);
    if rule.terms.state_bytes > granted_bytes {
        return Some(Verdict::OutOfMemory { granted_bytes });
    }
    let layout = input.specimen.layout;
    if rule.accepts(layout) {
        // The executor checks what it executes, so it makes these checks for the other rules.
        return if rule.executes_blocks() { None } else { contradiction(&*input.executor, &input.specimen, evidence) };
    }
    let accepted: Vec<_> = rule.terms.layouts.iter().map(ToString::to_string).collect();
    let reason = format!("the specimen has layout {layout}, and the rule accepts {}", accepted.join(", "));
    Some(Verdict::Unsupported { reason: UntrustedText::new(&reason) })
}

fn used(state: &HostState, specimen_bytes: u64, fuel: u64) -> PerLimit {
    let mut used = state.budget.used();
    used.set(Limit::SpecimenBytes, specimen_bytes);
    used.set(Limit::MemoryBytes, state.memory.peak_bytes());
    used.set(Limit::Fuel, fuel);
    used
}
