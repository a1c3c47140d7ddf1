//! What a worker sends past its limits is refused, and what just keeps to them is taken.

use alloy_primitives::Bytes;
use refiner_buffers::Buffers;
use refiner_rule_model::{
    CheckOutcome, CheckReport, Evidence, Limit, Limits, LogLevel, LogLine, Params, Run, UntrustedText, Verdict,
};

use super::{
    super::{
        Answer, Kind, ProtocolError, RunRequest, evidence::write_evidence, frame::FRAME_BYTES_MAX, read, write,
        write_run,
    },
    artifact, evidence, read_answer, run,
};

/// An answer of these log lines and artifacts, and how it is taken when `granted` of `limit` are granted.
fn taken(limit: Limit, granted: u64) -> Result<Answer, ProtocolError> {
    let artifacts = vec![artifact("a", vec![1; 60]), artifact("b", vec![2; 40])];
    let mut bytes = Vec::new();
    write_run(&mut bytes, &Run { log: log_of_ten_bytes(), ..run(Verdict::Produced { artifacts, records: 1 }) })
        .unwrap();
    let limits = Limits::default().with(limit, granted).unwrap();
    read_answer(&mut bytes.as_slice(), &limits)
}

fn log_of_ten_bytes() -> Vec<LogLine> {
    let line = |text| LogLine { level: LogLevel::Info, message: UntrustedText::new(text) };
    // Three bytes of each are forgiven: an ellipsis may stand past the limit.
    vec![line("12345678"), line("12345678")]
}

#[test]
fn coordinator_takes_what_was_granted_and_not_one_more() {
    for (limit, sent) in [(Limit::Artifacts, 2), (Limit::OutputBytes, 100)] {
        taken(limit, sent).unwrap();
        let over = taken(limit, sent - 1).unwrap_err();
        assert!(matches!(over, ProtocolError::OverGrant { limit: found, .. } if found == limit), "{limit}: {over:?}");
    }
}

#[test]
fn log_has_a_line_of_the_host_for_each_artifact_and_one_beside_what_was_granted() {
    let taken = |limit: Limit, granted: u64, lines: Vec<String>| {
        let limits = Limits::default().with(Limit::Artifacts, 8).unwrap().with(limit, granted).unwrap();
        let line = |text: &String| LogLine { level: LogLevel::Info, message: UntrustedText::new(text) };
        let verdict = Verdict::Produced { artifacts: Vec::new(), records: 1 };
        let mut bytes = Vec::new();
        write_run(&mut bytes, &Run { log: lines.iter().map(line).collect(), ..run(verdict) }).unwrap();
        let answer = read_answer(&mut bytes.as_slice(), &limits);
        answer.map(drop).map_err(|error| assert!(matches!(error, ProtocolError::OverGrant { .. }), "{error:?}"))
    };
    let lines = |count: usize| vec!["12345678".to_owned(); count];
    assert_eq!(taken(Limit::LogLines, 2, lines(2 + 9)), Ok(()));
    assert_eq!(taken(Limit::LogLines, 2, lines(2 + 9 + 1)), Err(()));
    // Three bytes of each line are forgiven: an ellipsis may stand past the limit.
    let bytes = |last: usize| vec!["x".repeat(1_024); 9].into_iter().chain(["x".repeat(last)]).collect();
    assert_eq!(taken(Limit::LogBytes, 10, bytes(10 + 10 * 3)), Ok(()));
    assert_eq!(taken(Limit::LogBytes, 10, bytes(10 + 10 * 3 + 1)), Err(()));
}

/// The supervisor's reading of an answer whose worker sends this evidence, once or twice.
fn taken_evidence(evidence: &Evidence, times: usize) -> Result<Answer, ProtocolError> {
    let mut bytes = Vec::new();
    for _ in 0..times {
        write_evidence(&mut bytes, evidence).unwrap();
    }
    let verdict = Verdict::Produced { artifacts: Vec::new(), records: 0 };
    write_run(&mut bytes, &Run { log: Vec::new(), evidence: Evidence::default(), ..run(verdict) }).unwrap();
    read_answer(&mut bytes.as_slice(), &Limits::default())
}

#[test]
fn largest_evidence_fits_a_frame_and_one_entry_more_is_refused() {
    let text = |index: usize, bytes| UntrustedText::at_most(&format!("{index:07}").repeat(bytes), bytes);
    let entries = |count| (0..count).map(|index| text(index, Evidence::ENTRY_BYTES_MAX)).collect();
    let longest = |index| {
        let text = || text(index, UntrustedText::BYTES_MAX);
        CheckReport {
            name: text(),
            outcome: CheckOutcome::Failed { subject: text(), stated: text(), computed: text() },
        }
    };
    let most = Evidence {
        basis: None,
        without_state: false,
        reason_class: None,
        checks: (0..Evidence::CHECKS_MAX).map(longest).collect(),
        unproven: entries(Evidence::ENTRIES_MAX),
        supplied: entries(Evidence::ENTRIES_MAX),
        left_out: u64::MAX,
    };
    let Answer::Run(arrived) = taken_evidence(&most, 1).unwrap() else { panic!() };
    assert_eq!(arrived.evidence, most);

    let mut checks = most.clone();
    checks.checks.push(longest(0));
    let unproven = Evidence { unproven: entries(Evidence::ENTRIES_MAX + 1), supplied: Vec::new(), ..most.clone() };
    let supplied = Evidence { supplied: entries(Evidence::ENTRIES_MAX + 1), unproven: Vec::new(), ..most };
    for (evidence, what) in [(checks, "checks"), (unproven, "unproven values"), (supplied, "supplied values")] {
        let refused = taken_evidence(&evidence, 1).unwrap_err();
        assert!(matches!(refused, ProtocolError::TooMany { what: found, .. } if found == what), "{refused:?}");
    }
    let twice = taken_evidence(&evidence(), 2).unwrap_err();
    assert!(matches!(twice, ProtocolError::Unexpected { found: Kind::Evidence }), "{twice:?}");
}

#[test]
fn frame_one_byte_over_its_limit_is_refused_on_both_sides() {
    let largest = vec![0; FRAME_BYTES_MAX];
    let mut bytes = Vec::new();
    write(&mut bytes, Kind::Bytes, &largest).unwrap();
    assert_eq!(read(&mut bytes.as_slice()).unwrap().payload, largest);

    let over = vec![0; FRAME_BYTES_MAX + 1];
    assert!(matches!(write(&mut bytes, Kind::Bytes, &over), Err(ProtocolError::FrameTooLong { .. })));
    let mut announced = vec![Kind::Bytes as u8];
    announced.extend(u32::try_from(over.len()).unwrap().to_be_bytes());
    announced.extend(over);
    assert!(matches!(read(&mut announced.as_slice()), Err(ProtocolError::FrameTooLong { .. })));
}

#[test]
fn limit_above_its_cap_is_refused() {
    let granted: u64 = Limit::WallMs.spec().cap;
    let request = |limits| RunRequest {
        rule: 0,
        specimen_hash: None,
        raw: Bytes::new(),
        params: Params::default(),
        limits,
        trace: None,
        stop: None,
    };
    let mut bytes = Vec::new();
    request(Limits::default().with(Limit::WallMs, granted).unwrap()).send(&mut bytes).unwrap();
    let payload = read(&mut bytes.as_slice()).unwrap().payload;
    RunRequest::receive(&payload, &mut [].as_slice(), &Buffers::default()).unwrap();

    // The rule, no hash, length, count, and then the limits in table order.
    let position = 4 + 1 + 8 + 4 + 8 * Limit::WallMs as usize;
    let mut above = payload;
    above[position..position + 8].copy_from_slice(&(granted + 1).to_be_bytes());
    let refused = RunRequest::receive(&above, &mut [].as_slice(), &Buffers::default()).unwrap_err();
    assert!(matches!(refused, ProtocolError::AboveCap(_)), "{refused:?}");
}
