//! Tests that messages round-trip, and that any bytes at all end in an answer or an error.

use alloy_primitives::{B256, Bytes};
use proptest::prelude::*;
use refiner_buffers::Buffers;
use refiner_evm::{
    Answer as ServiceMessage, BasisPolicy, ExecutedBy, ExecutionPolicy, ExecutionTerms, OnDifference, ResultFormat,
    SenderPolicy,
};
use refiner_rule_model::{
    Artifact, BasisReport, CheckOutcome, CheckReport, Evidence, FUNCTION_NAME_BYTES_MAX, FuelParts, FuelSample,
    Function, HostFailure, LIMITS, Limit, Limits, LogLevel, LogLine, Misuse, Params, PerLimit, ReasonClass, Run,
    SAMPLE_FRAMES_MAX, Thing, TrapKind, UntrustedText, Usage, Verdict,
};

use super::{
    Answer, Asked, CompileRequest, Executed, Hello, Kind, ProtocolError, RunRequest, Settings, VERSION, read,
    write_failure, write_run, write_sample,
};
use crate::confinement::{Ceilings, Confinement, Measure, Outcome};

mod bounds;
mod report;

fn read_answer(bytes: &mut &[u8], limits: &Limits) -> Result<Answer, ProtocolError> {
    super::read_answer(read(bytes)?, bytes, limits)
}

fn artifact(name: &str, bytes: Vec<u8>) -> Artifact {
    Artifact {
        name: name.to_owned(),
        media_type: "application/json".to_owned(),
        schema: Some("a schema".to_owned()),
        bytes: bytes.into(),
    }
}

fn run(verdict: Verdict) -> Run {
    let mut asked = PerLimit::ZERO;
    let mut granted = PerLimit::ZERO;
    let mut used = PerLimit::ZERO;
    for (number, spec) in LIMITS.iter().enumerate() {
        asked.set(spec.limit, 1_000 + number as u64);
        granted.set(spec.limit, u64::MAX - number as u64);
        used.set(spec.limit, number as u64);
    }
    let line = |level, text: &str| LogLine { level, message: UntrustedText::new(text) };
    let log = vec![
        line(LogLevel::Debug, ""),
        line(LogLevel::Info, "two\nlines"),
        line(LogLevel::Warn, &"long".repeat(1_000)),
        line(LogLevel::Error, "…"),
    ];
    Run { verdict, usage: Usage { asked, granted, used, log_lines_lost: 5 }, log, evidence: evidence() }
}

fn evidence() -> Evidence {
    let text = UntrustedText::new;
    let check = |name, outcome| CheckReport { name: text(name), outcome };
    Evidence {
        checks: vec![
            check("blockHash", CheckOutcome::Passed),
            check(
                "senders",
                CheckOutcome::Failed {
                    subject: text("Senders[3]"),
                    stated: text(&"long".repeat(1_000)),
                    computed: text("absent"),
                },
            ),
            check("requestsHash", CheckOutcome::NotApplicable { reason: text("no requests") }),
            check("knownBlock", CheckOutcome::NotCheckable { reason: text("") }),
        ],
        basis: Some(BasisReport::Receipts { reason: Some(text("no state")) }),
        without_state: true,
        reason_class: Some(ReasonClass::NoState),
        unproven: vec![text("/transactions/3/blobVersionedHashes")],
        supplied: vec![text("one"), text("two")],
        left_out: 9,
    }
}

fn verdicts() -> Vec<Verdict> {
    let text = || UntrustedText::new("a reason with a \u{202e} mark");
    let long = || UntrustedText::new(&"é".repeat(2_000));
    let misuses = [
        Misuse::ArtifactName { name: text() },
        Misuse::ArtifactTwice { name: text() },
        Misuse::MediaType { media_type: text() },
        Misuse::Schema { schema: text() },
        Misuse::ArtifactFinished { name: text() },
        Misuse::Exited { status: 0 },
        Misuse::Exited { status: 255 },
        Misuse::EmptyWait,
        Misuse::TooManyWaits,
        Misuse::Row { misfit: text() },
        Misuse::ArtifactUnlisted { artifact: text() },
    ];
    let nothing_there = Thing::ALL.iter().map(|what| Misuse::NothingThere { what: *what });
    let traps = [
        TrapKind::Unreachable,
        TrapKind::StackOverflow,
        TrapKind::MemoryOutOfBounds,
        TrapKind::IndirectCall,
        TrapKind::Arithmetic,
        TrapKind::Other(text()),
        TrapKind::Abi(long()),
    ];
    let mut verdicts = vec![
        Verdict::Produced { artifacts: Vec::new(), records: 0 },
        Verdict::Produced { artifacts: vec![artifact("empty", Vec::new())], records: 1 },
        Verdict::Produced {
            artifacts: vec![artifact("a", vec![1; 700_000]), artifact("b", vec![2])],
            records: u64::MAX,
        },
        Verdict::Rejected { reason: long() },
        Verdict::Unsupported { reason: text() },
        Verdict::OutOfFuel { granted: 1 },
        Verdict::OutOfMemory { granted_bytes: 2 },
    ];
    verdicts.extend(LIMITS.iter().map(|spec| Verdict::OverBudget { limit: spec.limit, granted: spec.cap }));
    verdicts.extend(
        traps.into_iter().chain(misuses.into_iter().chain(nothing_there).map(TrapKind::Misuse)).map(Verdict::Trapped),
    );
    verdicts
}

#[test]
fn every_verdict_arrives_as_it_was_sent() {
    for verdict in verdicts() {
        let sent = run(verdict);
        let mut bytes = Vec::new();
        write_run(&mut bytes, &sent).unwrap();
        match read_answer(&mut bytes.as_slice(), &Limits::default()).unwrap() {
            Answer::Run(arrived) => assert_eq!(*arrived, sent),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_host_failure_arrives_as_it_was_sent() {
    let reason = || UntrustedText::new("a reason");
    for sent in [
        HostFailure::Deadline { wall_ms: 7 },
        HostFailure::CapabilityUnavailable { reason: reason() },
        HostFailure::NoRoom,
        HostFailure::SystemMemory(std::io::Error::from_raw_os_error(12)),
        HostFailure::UnknownTrap { message: reason() },
        HostFailure::ExecutorUnavailable { reason: reason() },
    ] {
        let mut bytes = Vec::new();
        write_failure(&mut bytes, &sent).unwrap();
        match read_answer(&mut bytes.as_slice(), &Limits::default()).unwrap() {
            Answer::HostFailure(arrived) => assert_eq!(format!("{arrived:?}"), format!("{sent:?}")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn executions_arrive_as_they_were_asked_and_answered() {
    for format in ResultFormat::ALL {
        let mut bytes = Vec::new();
        Asked { format }.send(&mut bytes).unwrap();
        let frame = read(&mut bytes.as_slice()).unwrap();
        assert_eq!(Asked::read(&frame.expect(Kind::Execute).unwrap()).unwrap(), Asked { format });
    }
    for sent in [
        Executed::Answer(ServiceMessage::Document(vec![7; 300_000].into())),
        Executed::Answer(ServiceMessage::Document(Bytes::new())),
        Executed::Answer(ServiceMessage::Refusal("error on EBE".into())),
        Executed::Unavailable(UntrustedText::new("no connection")),
    ] {
        let mut bytes = Vec::new();
        sent.send(&mut bytes).unwrap();
        assert_eq!(Executed::receive(&mut bytes.as_slice()).unwrap(), sent);
        bytes.truncate(bytes.len() - 1);
        assert!(Executed::receive(&mut bytes.as_slice()).is_err());
    }
}

#[test]
fn block_result_past_the_limit_is_not_taken_whoever_sends_it() {
    for (bytes, taken) in [((64 << 20) + 1, false), (u64::MAX, false), (0, true)] {
        let mut payload = vec![0];
        payload.extend_from_slice(&u64::to_be_bytes(bytes));
        assert_eq!(super::read_side(&payload, &mut &b""[..]).is_ok(), taken, "{bytes}");
    }
}

#[test]
fn requests_arrive_as_they_were_sent() {
    let settings = Settings {
        supervisor: 77,
        ceilings: Ceilings { data_bytes: 1, address_bytes: Some(2), cpu_seconds: 3, file_bytes: 4 },
        chains: vec!["{}".to_owned(), String::new()],
        terms: ExecutionTerms {
            executed_by: ExecutedBy::Both(OnDifference::Hold),
            policy: ExecutionPolicy {
                senders: SenderPolicy::Stated,
                gas_bound: 5,
                basis: BasisPolicy::Receipts,
                stateless_eras: true,
            },
        },
    };
    let mut bytes = Vec::new();
    settings.send(&mut bytes).unwrap();
    assert_eq!(Settings::receive(&mut bytes.as_slice()).unwrap(), settings);

    let mut confinement = Confinement::default();
    confinement.add(Measure::Landlock, Outcome::Applied { detail: UntrustedText::new("all") });
    confinement.add(Measure::SystemCalls, Outcome::Unavailable { reason: UntrustedText::new("old kernel") });
    let hello = Hello { confinement, compatibility: B256::repeat_byte(7) };
    let mut bytes = Vec::new();
    hello.send(&mut bytes).unwrap();
    assert_eq!(Hello::receive(&mut bytes.as_slice()).unwrap(), hello);

    let request = RunRequest {
        rule: 3,
        specimen_hash: Some(B256::repeat_byte(5)),
        raw: vec![9; 600_000].into(),
        params: [("name", "value"), ("other", "")].into_iter().collect::<Params>(),
        limits: Limits::default().with(Limit::Fuel, 12).unwrap(),
        trace: Some(crate::trace::TraceContext { trace: [3; 16], parent: [4; 8] }),
        stop: Some(FuelParts { code: 1, calls: u64::MAX }),
    };
    let mut bytes = Vec::new();
    request.send(&mut bytes).unwrap();
    let mut input = bytes.as_slice();
    let payload = read(&mut input).unwrap().expect(Kind::Run).unwrap();
    assert_eq!(RunRequest::receive(&payload, &mut input, &Buffers::default()).unwrap(), request);
}

#[test]
fn sample_arrives_as_it_was_sent_with_bounded_names_and_no_more_functions_than_a_sample_has() {
    let arrived = |sample: &FuelSample| {
        let mut bytes = Vec::new();
        write_sample(&mut bytes, sample).unwrap();
        read_answer(&mut bytes.as_slice(), &Limits::default())
    };
    let call = Some(UntrustedText::new("specimen.transactions"));
    let used = FuelParts { code: 5, calls: 6 };
    let named = |bytes: usize| Function::Named(UntrustedText::at_most(&"n".repeat(bytes), bytes));
    let functions = vec![named(FUNCTION_NAME_BYTES_MAX), Function::Numbered(u32::MAX)];
    for sample in [FuelSample { used, functions, is_cut: true, call }, FuelSample::default()] {
        assert!(matches!(arrived(&sample), Ok(Answer::Sample(found)) if found == sample), "{sample:?}");
    }
    let long = FuelSample { functions: vec![named(2 * FUNCTION_NAME_BYTES_MAX)], ..FuelSample::default() };
    let Ok(Answer::Sample(cut)) = arrived(&long) else { panic!("no sample") };
    let [Function::Named(name)] = cut.functions.as_slice() else { panic!("{cut:?}") };
    assert!(name.as_str().len() < FUNCTION_NAME_BYTES_MAX + 8 && name.as_str().ends_with('…'), "{name}");
    let deep = |count| FuelSample { functions: vec![Function::Numbered(1); count], ..FuelSample::default() };
    assert!(arrived(&deep(SAMPLE_FRAMES_MAX)).is_ok());
    assert!(matches!(
        arrived(&deep(SAMPLE_FRAMES_MAX + 1)),
        Err(ProtocolError::TooMany { allowed: SAMPLE_FRAMES_MAX, .. })
    ));
}

proptest! {
    #[test]
    fn any_bytes_in_place_of_an_answer_end_in_an_answer_or_an_error(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
        tail in prop::collection::vec(any::<u8>(), 0..10),
    ) {
        let mut bytes = Vec::new();
        for (kind, payload) in frames {
            // Mostly kinds that have a meaning here, or nothing but the first frame would ever be looked at.
            bytes.push(0x80 | (kind % 0x0f));
            bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
            bytes.extend(payload);
        }
        bytes.extend(tail);
        let _ = read_answer(&mut bytes.as_slice(), &Limits::default());
        let _ = Hello::receive(&mut bytes.as_slice());
        let _ = Settings::receive(&mut bytes.as_slice());
        let _ = CompileRequest::receive(&mut bytes.as_slice());
    }

    #[test]
    fn answer_with_a_flipped_bit_or_a_cut_is_another_answer_or_an_error(
        verdict in prop::sample::select(verdicts()),
        position in any::<prop::sample::Index>(),
        bit in 0u8..8,
        cut in any::<bool>(),
    ) {
        let sent = run(verdict);
        let mut bytes = Vec::new();
        write_run(&mut bytes, &sent).unwrap();
        let position = position.index(bytes.len());
        if cut {
            bytes.truncate(position);
            prop_assert!(read_answer(&mut bytes.as_slice(), &Limits::default()).is_err());
        } else {
            bytes[position] ^= 1 << bit;
            if let Ok(Answer::Run(arrived)) = read_answer(&mut bytes.as_slice(), &Limits::default()) {
                prop_assert_ne!(*arrived, sent);
            }
        }
    }
}

#[test]
fn version_of_the_protocol_is_the_one_its_documentation_describes() {
    let documentation = include_str!("mod.rs");
    assert!(documentation.contains(&format!("Version {VERSION}.")));
}
