//! The report of a run within a result: everything of it but the artifacts.

use base64_simd::STANDARD;
use refiner_rule_model::{Limits, Run, Verdict};
use refiner_worker::{
    ProtocolError,
    protocol::{read_report, report_of},
};

use super::MessageError;
use crate::limits::{REASON_BYTES_MAX, REPORT_BYTES_MAX};

/// A report that fits a message. What does not fit is left out and counted: the log first, then lists of values, then checks.
pub(crate) fn encoded(run: &Run) -> Result<String, ProtocolError> {
    let Run { verdict, usage, log, evidence } = run;
    // The artifacts go by another way, and may be large.
    let verdict = match verdict {
        Verdict::Produced { records, .. } => Verdict::Produced { artifacts: Vec::new(), records: *records },
        other => other.clone(),
    };
    let mut run = Run { verdict, usage: *usage, log: log.clone(), evidence: evidence.clone() };
    let shorten: [fn(&mut Run); 3] = [without_log, without_values, without_checks];
    let mut steps = shorten.iter();
    loop {
        let bytes = report_of(&run)?;
        match (bytes.len() > REPORT_BYTES_MAX).then(|| steps.next()).flatten() {
            Some(step) => step(&mut run),
            None => return Ok(STANDARD.encode_to_string(&bytes)),
        }
    }
}

fn without_log(run: &mut Run) {
    run.usage.log_lines_lost = run.usage.log_lines_lost.saturating_add(run.log.len() as u64);
    run.log.clear();
}

fn without_values(Run { evidence, .. }: &mut Run) {
    for list in [&mut evidence.unproven, &mut evidence.supplied] {
        evidence.left_out = evidence.left_out.saturating_add(list.len() as u64);
        list.clear();
    }
}

fn without_checks(Run { evidence, .. }: &mut Run) {
    evidence.left_out = evidence.left_out.saturating_add(evidence.checks.len() as u64);
    evidence.checks.clear();
}

/// The words of a result for a verdict without artifacts.
pub(crate) fn refusal(verdict: &Verdict) -> String {
    shortened(&verdict.to_string())
}

/// The beginning of a text that has room in a message.
pub(crate) fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(REASON_BYTES_MAX.min(text.len()))].to_owned()
}

/// Reads the report of a result, and of it no more than the rule is granted.
pub(crate) fn reported(text: &str, limits: &Limits) -> Result<Run, MessageError> {
    let malformed = || MessageError::Field { field: "report" };
    let bytes = STANDARD.decode_to_vec(text).map_err(|_| malformed())?;
    read_report(&bytes, limits).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use refiner_rule_model::{CheckOutcome, CheckReport, Evidence, LogLevel, LogLine, PerLimit, UntrustedText, Usage};

    use super::*;

    fn run(lines: usize, values: usize, checks: usize) -> Run {
        let long = || UntrustedText::new(&"x".repeat(250));
        let check = |number: usize| CheckReport {
            name: UntrustedText::new(&format!("check{number}")),
            outcome: CheckOutcome::NotCheckable { reason: UntrustedText::new(&"y".repeat(1_020)) },
        };
        let used = PerLimit::ZERO;
        Run {
            verdict: Verdict::Produced { artifacts: Vec::new(), records: 3 },
            usage: Usage { asked: used, granted: used, used, log_lines_lost: 1 },
            log: vec![LogLine { level: LogLevel::Info, message: long() }; lines],
            evidence: Evidence {
                unproven: vec![long(); values],
                checks: (0..checks).map(check).collect(),
                ..Evidence::default()
            },
        }
    }

    #[test]
    fn report_arrives_whole_where_it_fits_and_counts_what_does_not() {
        let arrived = |run: &Run| {
            let text = encoded(run).unwrap();
            assert!(text.len() <= crate::limits::REPORT_TEXT_BYTES_MAX, "{}", text.len());
            reported(&text, &Limits::default()).unwrap()
        };
        let small = run(5, 5, 5);
        assert_eq!(arrived(&small), small);
        let chatty = arrived(&run(400, 5, 5));
        assert_eq!((chatty.log.len(), chatty.usage.log_lines_lost, chatty.evidence.unproven.len()), (0, 401, 5));
        let unproven = arrived(&run(1, 900, 5));
        assert_eq!(
            (unproven.evidence.unproven.len(), unproven.evidence.left_out, unproven.evidence.checks.len()),
            (0, 900, 5)
        );
        let checked = arrived(&run(0, 1, 64));
        assert_eq!((checked.evidence.checks.len(), checked.evidence.left_out), (64, 0));
    }

    #[test]
    fn text_that_is_no_report_is_refused() {
        for text in ["", "AAAA", "no base64!", &STANDARD.encode_to_string(b"\x88\0\0\0\0")] {
            assert!(reported(text, &Limits::default()).is_err(), "{text}");
        }
    }
}
