//! Every folder of `tests/hostile`, in this process: a rule that means harm ends as it must, in its time and in its memory.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, time::Duration};

use corpus::Case;
use meter::Meter;
use refiner_hostile::{corpus, meter};
use refiner_rule_model::{Limit, LimitUse, Limits, RefusalKind, Run, UntrustedText};
use refiner_sandbox::{AdmitFailure, Sandbox};
use refiner_testruns::{GOOD, RAW, input, rule, sandbox};
use rustix::time::{ClockId, clock_gettime};

/// Processor time that a case may take beyond its deadline.
const GRACE: Duration = Duration::from_secs(1);
/// By how much a case may move memory beyond its limit: the host's side of a run.
const STORE_BYTES: u64 = 1 << 20;
/// Bytes that compiling takes for each byte of a component, in this process; a worker compiles in a process with a bound of its own.
const COMPILE_BYTES_EACH: u64 = 16;

/// Processor time of this thread, which is what deadlines count: other work on the machine adds none.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

/// By how much a case moved this process's memory.
#[derive(Default)]
struct Moved {
    /// Compiling the component and describing the rule.
    admission_bytes: u64,
    /// The run, whose memory is the limit's.
    run_bytes: u64,
}

/// The end of the case, and its message.
fn play(
    sandbox: &Sandbox,
    case: &Case,
    component: &[u8],
    kinds: &mut BTreeSet<RefusalKind>,
    moved: &mut Moved,
) -> (String, String) {
    let meter = Meter::begin();
    let admitted = sandbox.admit(component, case.beside().as_deref(), &case.grants());
    moved.admission_bytes = meter.read().1;
    let rule = match admitted {
        Ok(rule) => rule,
        Err(AdmitFailure::Refused(refusal)) => {
            kinds.insert(refusal.kind());
            return ("refusal".to_owned(), refusal.to_string());
        }
        Err(AdmitFailure::Host(failure)) => return ("failure".to_owned(), failure.to_string()),
    };
    let mut input = input(&rule);
    input.limits = case.limits(input.limits);
    let meter = Meter::begin();
    let ran = rule.run(input);
    moved.run_bytes = meter.read().1;
    match ran {
        Ok(run) => {
            stays_within_its_limits(&run);
            (run.verdict.kind().to_owned(), run.verdict.to_string())
        }
        Err(failure) => ("failure".to_owned(), failure.to_string()),
    }
}

fn stays_within_its_limits(run: &Run) {
    for LimitUse { limit, granted, used, .. } in run.usage.iter() {
        assert!(used <= granted, "{used} {limit} used of {granted}");
    }
    // Beside the rule's lines stand those of the host: one for each artifact at most, and one for a trap.
    let of_host = run.usage.granted.get(Limit::Artifacts) + 1;
    assert!(run.log.len() as u64 <= run.usage.granted.get(Limit::LogLines) + of_host);
    let log_bytes: u64 = run.log.iter().map(|line| line.message.as_str().len() as u64).sum();
    let bytes_of_host = of_host * UntrustedText::BYTES_MAX as u64;
    assert!(log_bytes <= run.usage.granted.get(Limit::LogBytes) + bytes_of_host, "{log_bytes} bytes of log");
}

#[test]
fn every_hostile_rule_ends_as_its_folder_says_in_its_time_and_memory_and_a_good_rule_runs_after_it() {
    let sandbox = sandbox();
    let good = rule(&sandbox, GOOD);
    refiner_testruns::run(&good);
    // A compiler's bombs are for processes that may die of them.
    let cases: Vec<_> = corpus::cases().into_iter().filter(|case| case.expected.compiler.is_none()).collect();
    let (mut wrong, mut kinds) = (Vec::new(), BTreeSet::new());
    for case in &cases {
        let limits = case.limits(Limits::default());
        let component = case.component();
        let (mut moved, begun) = (Moved::default(), processor_time());
        let found = play(&sandbox, case, &component, &mut kinds, &mut moved);
        let took = processor_time() - begun;
        println!(
            "{:<40} {:>8.1} ms {:>8} KiB for admission {:>8} KiB for the run  {}",
            case.name,
            took.as_secs_f64() * 1e3,
            moved.admission_bytes >> 10,
            moved.run_bytes >> 10,
            found.0
        );

        let expected = case.end("0.38", &limits, RAW.len());
        if found != expected {
            wrong.push(format!(
                "{}\n  expected {}: {}\n  found    {}: {}",
                case.name, expected.0, expected.1, found.0, found.1
            ));
        }
        let allowed = Duration::from_millis(limits.get(Limit::WallMs)) + GRACE;
        assert!(took <= allowed, "{} took {took:?} of {allowed:?}", case.name);
        let allowed = limits.get(Limit::MemoryBytes) + STORE_BYTES;
        assert!(moved.run_bytes <= allowed, "{} moved memory by {} of {allowed} bytes", case.name, moved.run_bytes);
        let (moved, allowed) = (moved.admission_bytes, allowed + COMPILE_BYTES_EACH * component.len() as u64);
        assert!(moved <= allowed, "{} was admitted with {moved} of {allowed} bytes", case.name);
        assert_eq!(refiner_testruns::run(&good).verdict.kind(), "produced", "after {}", case.name);
    }
    assert!(wrong.is_empty(), "{} of {} cases ended otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let all = BTreeSet::from(RefusalKind::ALL);
    assert_eq!(kinds, all, "every kind of refusal has a case");
}

#[test]
fn every_kind_of_refusal_has_a_number_and_a_remedy_of_one_sentence() {
    for (number, kind) in RefusalKind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, number, "{kind:?}");
        let remedy = kind.remedy();
        assert!(remedy.len() > 20 && !remedy.contains('\n') && !remedy.ends_with('.'), "{kind:?}: {remedy}");
        assert!(!remedy.contains("  "), "{kind:?}: {remedy}");
    }
}
