//! Reports of runs, which worker hosts send.

use super::*;
use crate::protocol::{read_report, report_of};

#[test]
fn report_has_everything_of_a_run_but_its_artifacts_and_takes_no_others() {
    for verdict in verdicts() {
        let mut sent = run(verdict);
        let bytes = report_of(&sent).unwrap();
        if let Verdict::Produced { artifacts, .. } = &mut sent.verdict {
            artifacts.clear();
        }
        assert_eq!(read_report(&bytes, &Limits::default()).unwrap(), sent);
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(matches!(read_report(&longer, &Limits::default()), Err(ProtocolError::Trailing { bytes: 1 })));
        assert!(read_report(&bytes[..bytes.len() - 1], &Limits::default()).is_err());
    }
    let mut with_artifact = Vec::new();
    write_run(&mut with_artifact, &run(Verdict::Produced { artifacts: vec![artifact("a", vec![1])], records: 1 }))
        .unwrap();
    let refused = read_report(&with_artifact, &Limits::default());
    assert!(matches!(refused, Err(ProtocolError::Unexpected { found: Kind::Artifact })), "{refused:?}");
    let mut failure = Vec::new();
    write_failure(&mut failure, &HostFailure::NoRoom).unwrap();
    assert!(read_report(&failure, &Limits::default()).is_err());
}
