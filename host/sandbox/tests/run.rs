//! Rules that behave: what they get and what becomes of what they give.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    sync::{Arc, Mutex},
    thread,
};

use alloy_primitives::{B256, Bytes};
use refiner_evm::{
    ExecuteError, ExecutedBy, Execution, ExecutionPolicy, ExecutionTerms, Executor, Rejected, ResultFormat,
    SenderPolicy, Unavailable, Unsupported,
};
use refiner_manifest::{Column, ColumnType, Scalar};
use refiner_rows::{RowCollector, RowError, RowReader};
use refiner_rule_model::{
    Artifact, Grants, HostFailure, Limit, Limits, LogLevel, LogLine, Params, Run, UntrustedText, Verdict, engine,
};
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName},
};
use refiner_testruns::{
    BLOCK_RESULT, GOOD, RAW, RunInput, bare_component, component, input, manifest, module_of_fields, rule, run,
    sandbox, workspace,
};
use sha2::{Digest, Sha256};

const REFINE: &str = r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32)"#;
const OUTPUT: &str = r#"
;; output: out.txt text/plain notes
(import "refiner:rule/output" "[constructor]artifact"
  (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.write" (func $write (param i32 i32 i32)))
(import "refiner:rule/output" "[method]artifact.finish" (func $finish (param i32)))
(import "refiner:rule/output" "[resource-drop]artifact" (func $close (param i32)))
(data (i32.const 256) "out.txttext/plainnotes")
"#;

/// Opens "out.txt" with schema "notes", writes "out" and ".txt", then runs `end` with `$handle`.
fn writes_an_artifact(end: &str) -> String {
    format!(
        "{OUTPUT} {REFINE} (local $handle i32)
          (local.set $handle (call $artifact (i32.const 256) (i32.const 7) (i32.const 263) (i32.const 10)
            (i32.const 1) (i32.const 273) (i32.const 5)))
          (call $write (local.get $handle) (i32.const 256) (i32.const 3))
          (call $write (local.get $handle) (i32.const 259) (i32.const 4))
          {end}
          (call $ok (local.get 0) (i64.const 1)))"
    )
}

#[test]
fn rule_that_does_nothing_produces_nothing() {
    let sandbox = sandbox();
    let run = run(&rule(&sandbox, GOOD));
    assert_eq!(run.verdict, Verdict::Produced { artifacts: Vec::new(), records: 7 });
    assert!(run.log.is_empty());
}

#[test]
fn finished_artifact_has_the_bytes_written_and_their_hash() {
    let sandbox = sandbox();
    let run = run(&rule(&sandbox, &writes_an_artifact("(call $finish (local.get $handle))")));
    let artifact = Artifact {
        name: "out.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        schema: Some("notes".to_owned()),
        bytes: b"out.txt".as_slice().into(),
    };
    assert_eq!(artifact.sha256(), B256::from(<[u8; 32]>::from(Sha256::digest(b"out.txt"))));
    assert_eq!(run.verdict, Verdict::Produced { artifacts: vec![artifact], records: 1 });
    assert_eq!(run.usage.used.get(Limit::OutputBytes), 7);
    assert_eq!(run.usage.used.get(Limit::Artifacts), 1);
}

#[test]
fn artifact_that_is_not_finished_is_no_part_of_the_output() {
    let sandbox = sandbox();
    for end in ["", "(call $close (local.get $handle))"] {
        let run = run(&rule(&sandbox, &writes_an_artifact(end)));
        assert_eq!(run.verdict, Verdict::Produced { artifacts: Vec::new(), records: 1 }, "{end}");
        let [LogLine { level: LogLevel::Warn, message }] = run.log.as_slice() else { panic!("{:?}", run.log) };
        assert_eq!(
            message.as_str(),
            "the artifact out.txt was opened and not finished, so it is not part of the output"
        );
    }
}

#[test]
fn warning_of_the_host_is_kept_where_the_rule_has_filled_its_log() {
    let sandbox = sandbox();
    let fills = writes_an_artifact(
        "(call $log (i32.const 1) (i32.const 256) (i32.const 3)) (call $log (i32.const 1) (i32.const 256) (i32.const 3))",
    );
    let fills = format!("(import \"refiner:rule/log\" \"write\" (func $log (param i32 i32 i32)))\n{fills}");
    let rule = rule(&sandbox, &fills);
    let lines = |limit: Limit, granted: u64| {
        let input = input(&rule);
        let run = rule.run(RunInput { limits: input.limits.with(limit, granted).unwrap(), ..input }).unwrap();
        let lines: Vec<_> = run.log.iter().map(|line| line.message.as_str().to_owned()).collect();
        (lines, run.usage.log_lines_lost)
    };
    let warning = "the artifact out.txt was opened and not finished, so it is not part of the output".to_owned();
    assert_eq!(lines(Limit::LogLines, 1), (vec!["out".to_owned(), warning.clone()], 1));
    assert_eq!(lines(Limit::LogBytes, 3), (vec!["out".to_owned(), warning.clone()], 1));
    assert_eq!(lines(Limit::LogLines, 0), (vec![warning], 2));
}

#[test]
fn trap_names_the_innermost_functions_where_the_component_has_their_names() {
    let sandbox = sandbox();
    let named = format!(
        "(func $table_of_senders unreachable) (func $totals call $table_of_senders) {REFINE} call $totals unreachable)"
    );
    let run = run(&rule(&sandbox, &named));
    assert!(matches!(run.verdict, Verdict::Trapped(_)), "{}", run.verdict);
    let [LogLine { level: LogLevel::Error, message }] = run.log.as_slice() else { panic!("{:?}", run.log) };
    assert!(message.as_str().starts_with("trapped in table_of_senders < totals"), "{message}");
}

#[test]
fn log_lines_arrive_in_order_with_their_level() {
    let sandbox = sandbox();
    let fields = format!(
        r#"(import "refiner:rule/log" "write" (func $log (param i32 i32 i32)))
        (data (i32.const 256) "onetwo")
        {REFINE}
          (call $log (i32.const 0) (i32.const 256) (i32.const 3))
          (call $log (i32.const 3) (i32.const 259) (i32.const 3))
          (call $ok (local.get 0) (i64.const 0)))"#
    );
    let run = run(&rule(&sandbox, &fields));
    let line = |level, message| LogLine { level, message: UntrustedText::new(message) };
    assert_eq!(run.log, [line(LogLevel::Debug, "one"), line(LogLevel::Error, "two")]);
}

/// A rule that takes one call's answer, a list or text whose pointer and length lie at `at`, and gives it back as an
/// error text.
fn gives_back(imports: &str, call: &str, at: u32) -> String {
    format!(
        "{imports} {REFINE} {call}
          (call $err (local.get 0) (i32.const 0) (i32.load (i32.const {at})) (i32.load (i32.const {}))))",
        at + 4
    )
}

#[test]
fn rule_reads_what_the_specimen_says() {
    let sandbox = sandbox();
    let check = |function: &str, params: &str, call: &str, at: u32, expected: &str| {
        let imports = format!(
            r#"(import "refiner:rule/specimen" "[method]block-specimen.{function}" (func $call (param {params})))"#
        );
        let run = run(&rule(&sandbox, &gives_back(&imports, call, at)));
        assert_eq!(run.verdict, Verdict::Rejected { reason: UntrustedText::new(expected) }, "{function} {call}");
    };
    let raw = std::str::from_utf8(RAW).unwrap();
    let raw_call = "(call $call (local.get 0) (i64.const 0) (i32.const 100) (i32.const 256))";
    check("raw", "i32 i64 i32 i32", raw_call, 256, raw);
    let raw_call = "(call $call (local.get 0) (i64.const 3) (i32.const 4) (i32.const 256))";
    check("raw", "i32 i64 i32 i32", raw_call, 256, &raw[3..7]);
    let raw_call = "(call $call (local.get 0) (i64.const 10) (i32.const 4) (i32.const 256))";
    check("raw", "i32 i64 i32 i32", raw_call, 256, "");
    let input_call = "(call $call (local.get 0) (i32.const 2) (i32.const 1) (i32.const 3) (i32.const 256))";
    check("input", "i32 i32 i32 i32 i32", input_call, 256, "npu");
    let input_call = "(call $call (local.get 0) (i32.const 3) (i32.const 0) (i32.const 3) (i32.const 256))";
    check("input", "i32 i32 i32 i32 i32", input_call, 256, "");
}

#[test]
fn rule_reads_its_parameters_and_only_those() {
    let sandbox = sandbox();
    let imports = r#"(import "refiner:rule/params" "get" (func $get (param i32 i32 i32)))
        (data (i32.const 256) "greetings")"#;
    let of_len = |len: u32| format!("(call $get (i32.const 256) (i32.const {len}) (i32.const 512))");
    let found = run(&rule(&sandbox, &gives_back(imports, &of_len(8), 516)));
    assert_eq!(found.verdict, Verdict::Rejected { reason: UntrustedText::new("hello") });
    let absent = run(&rule(&sandbox, &gives_back(imports, &of_len(9), 516)));
    assert_eq!(absent.verdict, Verdict::Rejected { reason: UntrustedText::default() });
}

#[test]
fn capability_that_the_rule_reports_missing_is_a_failure_and_no_verdict() {
    let sandbox = sandbox();
    let fields = format!("{REFINE} (call $err (local.get 0) (i32.const 2) (i32.const 0) (i32.const 4)))");
    let rule = rule(&sandbox, &fields);
    assert!(matches!(rule.run(input(&rule)), Err(HostFailure::CapabilityUnavailable { .. })));
}

const EVM: &str = r#"
(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
(import "refiner:rule/evm" "[method]execution.block-result" (func $result (param i32 i64 i32 i32)))
(import "refiner:rule/evm" "[method]execution.logs" (func $logs (param i32 i32 i32 i32)))
(import "refiner:rule/evm" "[method]execution.log-count" (func $log-count (param i32) (result i32)))
(data (i32.const 256) "canonical")
"#;
const EXECUTE: &str = "(call $execute (local.get 0) (i32.const 256) (i32.const 9) (i32.const 512))";

#[test]
fn rule_reads_the_block_result_that_the_executor_wrote() {
    let sandbox = sandbox();
    let call =
        format!("{EXECUTE} (call $result (i32.load (i32.const 516)) (i64.const 0) (i32.const -1) (i32.const 600))");
    let run = run(&rule(&sandbox, &gives_back(EVM, &call, 600)));
    let expected = std::str::from_utf8(BLOCK_RESULT).unwrap();
    assert_eq!(run.verdict, Verdict::Rejected { reason: UntrustedText::new(expected) });
    assert_eq!(run.usage.used.get(Limit::EvmExecutions), 1);
}

#[test]
fn logs_of_all_receipts_are_one_list() {
    let sandbox = sandbox();
    // Log 2 is the first log of receipt 1: its page has one item, whose receipt and position are its first words.
    let fields = format!(
        "{EVM} {REFINE} (local $page i32) {EXECUTE}
          (call $logs (i32.load (i32.const 516)) (i32.const 2) (i32.const 9) (i32.const 600))
          (local.set $page (i32.load (i32.const 600)))
          (call $ok (local.get 0) (i64.extend_i32_u (i32.add (i32.add (i32.add
            (i32.mul (i32.const 1000) (i32.load (i32.const 604)))
            (i32.mul (i32.const 100) (call $log-count (i32.load (i32.const 516)))))
            (i32.mul (i32.const 10) (i32.load (local.get $page))))
            (i32.load offset=4 (local.get $page))))))"
    );
    let run = run(&rule(&sandbox, &fields));
    assert_eq!(run.verdict, Verdict::Produced { artifacts: Vec::new(), records: 1_312 });
}

/// Is not there.
struct Absent;

impl Executor for Absent {
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
        Err(Unavailable::Held { format })
    }
}

#[test]
fn rule_that_swallows_a_missing_executor_has_no_verdict_all_the_same() {
    let sandbox = sandbox();
    // The first returns the host's text as its own rejection; the second reports 7 records.
    let content = format!("{EVM} {REFINE} {EXECUTE} (call $ok (local.get 0) (i64.const 7)))");
    for fields in [gives_back(EVM, EXECUTE, 520), content] {
        let rule = rule(&sandbox, &fields);
        let run = rule.run(RunInput { executor: Arc::new(Absent), ..input(&rule) });
        let Err(HostFailure::ExecutorUnavailable { reason }) = run else { panic!("{run:?}") };
        assert!(reason.as_str().contains("differences are held"), "{reason}");
    }
}

#[test]
fn reason_why_there_is_no_execution_reaches_the_rule() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, &gives_back(EVM, EXECUTE, 520));
    let check = |error: ExecuteError, expected: &str| {
        let run =
            rule.run(RunInput { executor: Arc::new(refiner_testruns::Answers(Err(error))), ..input(&rule) }).unwrap();
        assert_eq!(run.verdict, Verdict::Rejected { reason: UntrustedText::new(expected) });
    };
    let unsupported = Unsupported::AuthorizationListMissing { transaction: 5 };
    check(unsupported.clone().into(), &unsupported.to_string());
    let rejected = Rejected::BlockHashMissing { number: 5 };
    check(rejected.clone().into(), &rejected.to_string());
}

#[test]
fn one_run_leaves_nothing_for_the_next() {
    let sandbox = sandbox();
    // Returns what byte 2000 held before, and sets it.
    let fields = format!(
        "{REFINE} (local $before i64)
          (local.set $before (i64.load (i32.const 2000)))
          (i64.store (i32.const 2000) (i64.const 99))
          (call $ok (local.get 0) (local.get $before)))"
    );
    let rule = rule(&sandbox, &fields);
    for _ in 0..3 {
        assert_eq!(run(&rule).verdict, Verdict::Produced { artifacts: Vec::new(), records: 0 });
    }
}

#[test]
fn many_threads_run_one_rule_and_agree_in_everything() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, &writes_an_artifact("(call $finish (local.get $handle))"));
    let expected = run(&rule);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(run(&rule), expected);
                }
            });
        }
    });
}

#[test]
fn identity_follows_from_component_parameters_limits_profile_and_the_terms_that_concern_the_rule() {
    let sandbox = sandbox();
    let good = rule(&sandbox, GOOD);
    let (params, limits) = (Params::default(), good.default_limits());
    let terms = ExecutionTerms::default();
    let identity = good.identity(&params, &limits, &terms);
    assert_eq!(identity.component, B256::from(<[u8; 32]>::from(Sha256::digest(component(GOOD)))));
    assert_eq!(identity.profile, engine::id());
    assert_eq!(identity, rule(&sandbox, GOOD).identity(&params, &limits, &terms));

    let other_params = [("a", "b")].into_iter().collect();
    let other_limits = limits.with(Limit::Fuel, 1).unwrap();
    let slower = limits.with(Limit::WallMs, 1).unwrap();
    assert_ne!(identity.digest(), good.identity(&other_params, &limits, &terms).digest());
    assert_ne!(identity.digest(), good.identity(&params, &other_limits, &terms).digest());
    assert_eq!(identity.digest(), good.identity(&params, &slower, &terms).digest());

    let executing = rule(&sandbox, &gives_back(EVM, EXECUTE, 520));
    let policy =
        |senders, gas_bound| ExecutionTerms { policy: ExecutionPolicy { senders, gas_bound, ..terms.policy }, ..terms };
    for (terms, concerns_good) in [
        (policy(SenderPolicy::Stated, terms.policy.gas_bound), true),
        (policy(SenderPolicy::Recovered, 1), false),
        (ExecutionTerms { executed_by: ExecutedBy::Remote, ..terms }, false),
    ] {
        assert_eq!(good.identity(&params, &limits, &terms) != identity, concerns_good, "{terms:?}");
        let default = executing.identity(&params, &limits, &ExecutionTerms::default());
        assert_ne!(executing.identity(&params, &limits, &terms), default, "{terms:?}");
    }
}

#[test]
fn identity_names_the_columns_of_rows_and_is_what_it_was_where_there_are_none() {
    let sandbox = sandbox();
    let bare = bare_component(&module_of_fields(&format!(";; output: out application/x-ndjson\n{GOOD}")));
    let identity = |columns: &str| {
        let manifest = manifest(&format!(";; output: out application/x-ndjson\n{columns}"));
        let rule = sandbox.admit(&bare, Some(&manifest), &Grants::all()).unwrap();
        rule.identity(&Params::default(), &rule.default_limits(), &ExecutionTerms::default())
    };
    let limits: String = {
        let mut lines: Vec<_> =
            Limits::default().iter().map(|(limit, granted)| format!("{limit}={granted}\n")).collect();
        lines.retain(|line| !line.starts_with("wall_ms=") && !line.starts_with("record_bytes="));
        lines.concat()
    };
    assert_eq!(identity("").limits, B256::from(<[u8; 32]>::from(Sha256::digest(&limits))));
    let columns = ";; column: out x u8\n;; column: out y list<hash>?";
    let with_columns = format!("{limits}out/\"x\"=u8\nout/\"y\"=list<hash>?\n");
    assert_eq!(identity(columns).limits, B256::from(<[u8; 32]>::from(Sha256::digest(with_columns))));
    let digests = ["", columns, ";; column: out x u16", ";; column: out x u8", ";; column: out x u8?"]
        .map(|columns| identity(columns).digest());
    for (place, digest) in digests.iter().enumerate() {
        assert!(!digests[..place].contains(digest), "{place}");
    }
}

/// Takes what rows are checked, and answers as a reader of one column does; or takes none.
struct Collector {
    reader: Option<RowReader>,
    taken: Mutex<Vec<(String, Vec<u8>)>>,
}

impl RowCollector for Collector {
    fn collect(&self, output: &str, ndjson: &[u8]) -> Option<Result<u64, RowError>> {
        self.taken.lock().unwrap().push((output.to_owned(), ndjson.to_vec()));
        self.reader.as_ref().map(|reader| reader.check(ndjson))
    }
}

#[test]
fn collector_reads_rows_in_place_of_their_check_and_decides_about_them() {
    const MISFIT: &str = include_str!("../../../tests/hostile/rows-that-do-not-fit/rule.wat");
    let fitting = MISFIT.replace(":256}", ":250}");
    let sandbox = sandbox();
    let column = |scalar| {
        let kind = ColumnType::One(scalar);
        [Column { name: "x".to_owned(), kind, nullable: false, key: false, field: None, doc: None }]
    };
    let (u8s, u16s) = (RowReader::new(&column(Scalar::U8)), RowReader::new(&column(Scalar::U16)));
    for (fields, reader, expected, is_as_checked) in [
        (fitting.as_str(), Some(&u8s), "produced", true),
        (MISFIT, Some(&u8s), "trapped", true),
        // A reader of wider numbers than the manifest's shows that there is no second reading.
        (MISFIT, Some(&u16s), "produced", false),
        (fitting.as_str(), None, "produced", true),
        (MISFIT, None, "trapped", true),
    ] {
        let rule = rule(&sandbox, fields);
        let collector = Arc::new(Collector { reader: reader.cloned(), taken: Mutex::default() });
        let collected = rule.run_collecting(input(&rule), Arc::clone(&collector) as Arc<dyn RowCollector>).unwrap();
        assert_eq!(collected.verdict.kind(), expected, "{}", collected.verdict);
        let taken = collector.taken.lock().unwrap();
        let [(output, rows)] = taken.as_slice() else { panic!("{taken:?}") };
        assert_eq!((output.as_str(), rows.len()), ("out", 20));
        let plain = run(&rule);
        let end = |run: Run| (run.verdict, run.usage.used.get(Limit::Fuel));
        assert_eq!(end(collected) == end(plain), is_as_checked);
    }
}

#[test]
fn parameters_that_only_look_alike_have_other_digests() {
    let digest = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Params>().digest();
    assert_ne!(digest(&[("ab", "c")]), digest(&[("a", "bc")]));
    assert_ne!(digest(&[("a", "b"), ("c", "d")]), digest(&[("a", "d"), ("c", "b")]));
    assert_eq!(digest(&[("a", "b"), ("c", "d")]), digest(&[("c", "d"), ("a", "b")]));
}

#[test]
fn block_result_rule_gives_the_executor_s_bytes() {
    let path = workspace().join("target/rules/block-result.wasm");
    let Ok(bytes) = fs::read(&path) else {
        println!("skipped: {} not present; cargo xtask rules builds it", path.display());
        return;
    };
    let rule = sandbox().admit(&bytes, None, &Grants::all()).unwrap();
    assert_eq!(rule.description().name, "block-result");
    let run = run(&rule);
    let Verdict::Produced { artifacts, records: 2 } = run.verdict else { panic!("{}", run.verdict) };
    assert_eq!(artifacts.len(), 1);
    assert_eq!(&artifacts[0].bytes[..], BLOCK_RESULT);
}
