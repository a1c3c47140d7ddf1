//! Entries for fuzzing: any bytes in the place of what the other side of a pipe sends. The first byte chooses the message.

use alloy_primitives::B256;
use refiner_buffers::Buffers;
use refiner_evm::{Answer as Document, ExecutionTerms, ResultFormat};
use refiner_rule_model::{FuelParts, Grants, Limits, Params};

use crate::{
    confinement::{Ceilings, Confinement},
    protocol::{
        Answer, Asked, CompileRequest, Executed, Hello, Kind, RuleRequest, RunRequest, Settings, read, read_answer,
        read_side, write_run, write_sample,
    },
};

/// Reads what a supervisor sends. Settings, runs and executions arrive as they were sent again.
pub fn read_requests(bytes: &[u8]) {
    let Some((choice, mut input)) = bytes.split_first() else { return };
    match choice % 4 {
        0 => {
            if let Ok(settings) = Settings::receive(&mut input) {
                assert_eq!(Settings::receive(&mut sent(|out| settings.send(out)).as_slice()).ok(), Some(settings));
            }
        }
        1 => {
            let _ = CompileRequest::receive(&mut input);
        }
        2 => {
            if let Ok(executed) = Executed::receive(&mut input) {
                assert_eq!(Executed::receive(&mut sent(|out| executed.send(out)).as_slice()).ok(), Some(executed));
            }
        }
        _ => {
            while let Ok(frame) = read(&mut input) {
                match frame.kind {
                    Kind::Rule => drop(RuleRequest::receive(&frame.payload, &mut input)),
                    Kind::Run => drop(RunRequest::receive(&frame.payload, &mut input, &Buffers::default())),
                    _ => {}
                }
            }
        }
    }
}

/// Reads what a worker sends. A run arrives as it was sent again.
pub fn read_answers(bytes: &[u8]) {
    let Some((choice, mut input)) = bytes.split_first() else { return };
    match choice % 4 {
        0 => {
            if let Ok(hello) = Hello::receive(&mut input) {
                assert_eq!(Hello::receive(&mut sent(|out| hello.send(out)).as_slice()).ok(), Some(hello));
            }
        }
        1 => {
            let _ = Asked::read(input);
        }
        2 => {
            if let Ok(frame) = read(&mut input) {
                let _ = read_side(&frame.payload, &mut input);
            }
        }
        _ => {
            let answer = |mut input: &[u8]| read_answer(read(&mut input)?, &mut input, &Limits::caps());
            match answer(input) {
                Ok(Answer::Run(run)) => {
                    let again = answer(&sent(|out| write_run(out, &run)));
                    assert!(matches!(again, Ok(Answer::Run(again)) if again == run), "a run arrives as it was sent");
                }
                Ok(Answer::Sample(sample)) => {
                    let again = answer(&sent(|out| write_sample(out, &sample)));
                    assert!(
                        matches!(again, Ok(Answer::Sample(again)) if again == sample),
                        "a sample arrives as it was sent"
                    );
                }
                Ok(Answer::HostFailure(_) | Answer::NoSpecimen(_)) | Err(_) => {}
            }
        }
    }
}

/// Messages of a supervisor to start from.
pub fn request_seeds() -> Vec<Vec<u8>> {
    let component: alloy_primitives::Bytes = b"component".as_slice().into();
    let settings = Settings {
        supervisor: 1,
        ceilings: Ceilings { data_bytes: 1, address_bytes: Some(2), cpu_seconds: 3, file_bytes: 4 },
        chains: vec!["{}".to_owned()],
        terms: ExecutionTerms::default(),
    };
    let compile = CompileRequest { component: component.clone(), beside: Some("".into()), grants: Grants::all() };
    let executed = Executed::Answer(Document::Document(component.clone()));
    let run = RunRequest {
        rule: 1,
        specimen_hash: None,
        raw: component,
        params: [("a", "b")].into_iter().collect::<Params>(),
        limits: Limits::default(),
        trace: Some(crate::TraceContext { trace: [1; 16], parent: [2; 8] }),
        stop: Some(FuelParts { code: 1, calls: 2 }),
    };
    [
        [vec![0], sent(|out| settings.send(out))],
        [vec![1], sent(|out| compile.send(out))],
        [vec![2], sent(|out| executed.send(out))],
        [vec![3], sent(|out| run.send(out))],
    ]
    .map(|parts| parts.concat())
    .into()
}

/// Messages of a worker to start from.
pub fn answer_seeds() -> Vec<Vec<u8>> {
    use refiner_rule_model::{
        Evidence, FuelSample, Function, LogLevel, LogLine, PerLimit, Run, UntrustedText, Usage, Verdict,
    };

    let run = Run {
        verdict: Verdict::Produced { artifacts: Vec::new(), records: 1 },
        usage: Usage { asked: PerLimit::ZERO, granted: PerLimit::ZERO, used: PerLimit::ZERO, log_lines_lost: 0 },
        log: vec![LogLine { level: LogLevel::Info, message: UntrustedText::new("a line") }],
        evidence: Evidence { supplied: vec![UntrustedText::new("a value")], ..Evidence::default() },
    };
    let name = |text| Some(UntrustedText::new(text));
    let sample = FuelSample {
        used: FuelParts { code: 1, calls: 2 },
        functions: name("inner").map(Function::Named).into_iter().chain([Function::Numbered(3)]).collect(),
        is_cut: true,
        call: name("log.write"),
    };
    let hello = Hello { confinement: Confinement::default(), compatibility: B256::repeat_byte(1) };
    let asked = sent(|out| Asked { format: ResultFormat::ALL[0] }.send(out));
    [
        [vec![0], sent(|out| hello.send(out))],
        [vec![1], asked[5..].to_vec()],
        [vec![3], sent(|out| write_run(out, &run))],
        [vec![3], sent(|out| write_sample(out, &sample))],
    ]
    .map(|parts| parts.concat())
    .into()
}

fn sent<E>(send: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes everything.
    let _ = send(&mut bytes);
    bytes
}
