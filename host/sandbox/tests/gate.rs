//! No artifact of a specimen that contradicts itself, whatever the rule does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use alloy_primitives::{B256, Bytes, keccak256};
use refiner_evm::{ExecuteError, Execution, Executor, Rejected, ResultFormat, Unavailable, Unsupported};
use refiner_rule_model::{CheckOutcome, Limit, ReasonClass, Run, UntrustedText, Verdict};
use refiner_specimen::{
    CodeRead, Specimen,
    check::{Check, CheckName, Quantity, Subject},
};
use refiner_testruns::{BLOCK_RESULT, GOOD, RunInput, input, rule, sandbox, specimen};

/// Opens an artifact, finishes it empty and reports one record; before that it does what `first` contains.
fn writes(imports: &str, first: &str) -> String {
    format!(
        r#"
;; output: out.txt text/plain notes
{imports}
(import "refiner:rule/output" "[constructor]artifact"
  (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.finish" (func $finish (param i32)))
(data (i32.const 256) "out.txttext/plainnotescanonical")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  {first}
  (call $finish (call $artifact (i32.const 256) (i32.const 7) (i32.const 263) (i32.const 10)
    (i32.const 1) (i32.const 273) (i32.const 5)))
  (call $ok (local.get 0) (i64.const 1)))"#
    )
}

const EVM: &str = r#"
(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
(import "refiner:rule/evm" "[method]execution.block-result-len" (func $len (param i32) (result i64)))"#;
const EXECUTE: &str = "(call $execute (local.get 0) (i32.const 278) (i32.const 9) (i32.const 512))";
const READ: &str = "(drop (call $len (i32.load (i32.const 516))))";

const TRANSACTIONS: &str = r#"
(import "refiner:rule/specimen" "[method]block-specimen.transactions" (func $transactions (param i32 i32 i32 i32)))"#;
const PAGE: &str = "(call $transactions (local.get 0) (i32.const 0) (i32.const 1) (i32.const 512))";

/// Answers as the test sets it, and counts the questions.
struct ScriptedExecutor {
    checks: Check,
    senders: Check,
    execution: Result<Vec<Check>, ExecuteError>,
    made: AtomicUsize,
    recovered: AtomicUsize,
}

impl Executor for ScriptedExecutor {
    fn checks(&self, _: &Specimen) -> Vec<Check> {
        self.made.fetch_add(1, Ordering::Relaxed);
        vec![Check::passed(CheckName::Segment), self.checks.clone()]
    }

    fn senders(&self, _: &Specimen) -> Check {
        self.recovered.fetch_add(1, Ordering::Relaxed);
        self.senders.clone()
    }

    fn execute(
        &self,
        _: &Specimen,
        _: &Bytes,
        _: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        let document = Bytes::from_static(BLOCK_RESULT);
        Ok(self.execution.clone().map(|checks| Execution::with_document(0, Vec::new(), checks, document)))
    }
}

fn failed(name: CheckName) -> Check {
    Check::failure(name, Subject::Whole, Quantity::Number(1), Quantity::Number(2))
}

/// Passes every check.
fn honest() -> ScriptedExecutor {
    ScriptedExecutor {
        checks: Check::passed(CheckName::BlockHash),
        senders: Check::passed(CheckName::Senders),
        execution: Ok(vec![Check::passed(CheckName::GasUsed)]),
        made: AtomicUsize::new(0),
        recovered: AtomicUsize::new(0),
    }
}

fn run(fields: &str, executor: &Arc<ScriptedExecutor>) -> Run {
    run_on(fields, executor, specimen())
}

fn run_on(fields: &str, executor: &Arc<ScriptedExecutor>, specimen: Specimen) -> Run {
    let rule = rule(&sandbox(), fields);
    let (specimen, executor) = (Arc::new(specimen), Arc::clone(executor) as Arc<dyn Executor>);
    rule.run(RunInput { specimen, executor, ..input(&rule) }).unwrap()
}

fn rejected(reason: &str) -> Verdict {
    Verdict::Rejected { reason: UntrustedText::new(reason) }
}

/// Names and outcomes of the evidence, in their order.
fn outcomes(run: &Run) -> Vec<(&str, bool)> {
    let outcome = |outcome: &CheckOutcome| *outcome == CheckOutcome::Passed;
    run.evidence.checks.iter().map(|check| (check.name.as_str(), outcome(&check.outcome))).collect()
}

const CONTRADICTION: &str = "the block contradicts itself: blockHash failed: stated 1, computed 2";

#[test]
fn specimen_that_contradicts_itself_is_rejected_before_a_rule_without_evm_runs() {
    for fields in [GOOD, &writes("", "unreachable")] {
        let executor = Arc::new(ScriptedExecutor { checks: failed(CheckName::BlockHash), ..honest() });
        let run = run(fields, &executor);
        assert_eq!(run.verdict, rejected(CONTRADICTION));
        assert_eq!((run.usage.used.get(Limit::Fuel), run.usage.used.get(Limit::MemoryBytes)), (0, 0));
        assert_eq!(outcomes(&run), [("segment", true), ("blockHash", false)]);
        assert_eq!(executor.made.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn rule_with_evm_that_executes_nothing_or_ignores_a_refusal_has_no_output_of_such_a_specimen() {
    let refused = Rejected::CheckFailed(failed(CheckName::BlockHash));
    for first in ["", EXECUTE] {
        let executor = Arc::new(ScriptedExecutor {
            checks: failed(CheckName::BlockHash),
            execution: Err(refused.clone().into()),
            ..honest()
        });
        let run = run(&writes(EVM, first), &executor);
        assert_eq!(run.verdict, rejected(CONTRADICTION), "{first}");
        assert_eq!(outcomes(&run), [("segment", true), ("blockHash", false)]);
        assert_eq!(executor.made.load(Ordering::Relaxed), 1, "{first}");
    }
}

#[test]
fn checks_are_made_once_by_the_execution_or_else_by_the_sandbox() {
    let says_no = "(func (export \"refiner:rule/rule#refine\") (param i32) (result i32)
      (call $err (local.get 0) (i32.const 0) (i32.const 256) (i32.const 0)))";
    for (fields, made, checks) in [
        (writes("", ""), 1, vec!["segment", "blockHash"]),
        (writes(EVM, ""), 1, vec!["segment", "blockHash"]),
        (writes(EVM, EXECUTE), 0, vec!["gasUsed"]),
        (format!("{EVM} {says_no}"), 0, vec![]),
    ] {
        let executor = Arc::new(honest());
        let run = run(&fields, &executor);
        assert_eq!(executor.made.load(Ordering::Relaxed), made, "{}", run.verdict);
        assert_eq!(outcomes(&run), checks.into_iter().map(|name| (name, true)).collect::<Vec<_>>());
        assert_eq!(matches!(run.verdict, Verdict::Produced { .. }), !fields.contains("$err (local"), "{}", run.verdict);
    }
}

#[test]
fn rule_that_reads_transactions_with_a_wrong_sender_is_rejected_and_one_that_does_not_is_not() {
    let senders = failed(CheckName::Senders);
    let reason = "the block contradicts itself: senders failed: stated 1, computed 2";
    for evm in ["", EVM] {
        let executor = Arc::new(ScriptedExecutor { senders: senders.clone(), ..honest() });
        let reads = run(&writes(&format!("{evm}{TRANSACTIONS}"), PAGE), &executor);
        assert_eq!(reads.verdict, rejected(reason));
        assert!(outcomes(&reads).contains(&("senders", false)), "{:?}", reads.evidence);

        let executor = Arc::new(ScriptedExecutor { senders: senders.clone(), ..honest() });
        let other = run(&writes(evm, ""), &executor);
        assert!(matches!(other.verdict, Verdict::Produced { .. }), "{}", other.verdict);
        assert_eq!(executor.recovered.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn senders_are_recovered_once_for_all_pages() {
    let executor = Arc::new(honest());
    let run = run(&writes(TRANSACTIONS, &PAGE.repeat(3)), &executor);
    assert!(matches!(run.verdict, Verdict::Produced { .. }), "{}", run.verdict);
    assert_eq!(executor.recovered.load(Ordering::Relaxed), 1);
    assert_eq!(outcomes(&run), [("segment", true), ("blockHash", true), ("senders", true)]);
}

#[test]
fn evidence_of_two_executions_holds_each_check_once() {
    let executor = Arc::new(honest());
    let rule = rule(&sandbox(), &writes(EVM, &format!("{EXECUTE}{READ}{EXECUTE}{READ}")));
    let limits = rule.default_limits().with(Limit::EvmExecutions, 2).unwrap();
    let executor = Arc::clone(&executor) as Arc<dyn Executor>;
    let run = rule.run(RunInput { executor, limits, ..input(&rule) }).unwrap();
    assert_eq!(run.usage.used.get(Limit::EvmExecutions), 2);
    assert_eq!(outcomes(&run), [("gasUsed", true)]);
}

#[test]
fn code_is_given_only_under_the_hash_that_it_has() {
    let code = Bytes::from_static(&[0x60, 0x00]);
    let words = |hash: B256| -> String {
        let word = |chunk: &[u8]| format!("(i64.const {}) ", i64::from_be_bytes(chunk.try_into().unwrap()));
        hash.chunks(8).map(word).collect()
    };
    let imports = r#"
(import "refiner:rule/specimen" "[method]block-specimen.code" (func $code (param i32 i64 i64 i64 i64 i32)))"#;
    let asks =
        |hash: B256| writes(imports, &format!("(call $code (local.get 0) {}(i32.const 512))", words(hash)).repeat(2));
    let (right, wrong) = (keccak256(&code), B256::repeat_byte(7));
    let with = |codes: Vec<CodeRead>| {
        let mut specimen = specimen();
        specimen.block.state.codes = codes.into();
        specimen
    };
    let read = |hash| CodeRead { hash, code: code.clone() };

    let honest_run = run_on(&asks(right), &Arc::new(honest()), with(vec![read(right)]));
    assert!(matches!(honest_run.verdict, Verdict::Produced { .. }), "{}", honest_run.verdict);
    let labels = "out.txttext/plainnotes";
    assert_eq!(honest_run.usage.used.get(Limit::CopiedBytes), (labels.len() + 2 * code.len()) as u64);

    let specimen = || with(vec![read(right), read(wrong)]);
    let lied = run_on(&asks(wrong), &Arc::new(honest()), specimen());
    let reason =
        format!("the block contradicts itself: codeHashes failed: CodeRead[1]: stated {wrong}, computed {right}");
    assert_eq!(lied.verdict, rejected(&reason));
    let not_asked = run_on(&asks(right), &Arc::new(honest()), specimen());
    assert!(matches!(not_asked.verdict, Verdict::Produced { .. }), "{}", not_asked.verdict);
}

#[test]
fn rule_that_reads_state_which_the_producer_did_not_export_is_unsupported_by_the_function_and_counts_still_answer() {
    let import = |function: &str, parameters: &str| {
        format!(
            r#"(import "refiner:rule/specimen" "[method]block-specimen.{function}" (func $asked (param {parameters})))"#
        )
    };
    let (page, hash) = ("(i32.const 0) (i32.const 1)", "(i64.const 0) ".repeat(4));
    let asks = |function: &str, parameters: &str, arguments: &str| {
        let call = format!("(call $asked (local.get 0) {arguments} (i32.const 512))");
        writes(&import(function, parameters), &call)
    };
    let stateless = || {
        let mut specimen = specimen();
        specimen.block.state.accounts.clear();
        specimen
    };
    for (function, parameters, arguments) in [
        ("account-reads", "i32 i32 i32 i32", page),
        ("storage-reads", "i32 i32 i32 i32", page),
        ("code", "i32 i64 i64 i64 i64 i32", &hash),
    ] {
        let rule = asks(function, parameters, arguments);
        let run = run_on(&rule, &Arc::new(honest()), stateless());
        let reason = format!("{function}: the producer exported no state: 0 accounts read for 3 transactions");
        assert_eq!(run.verdict, Verdict::Unsupported { reason: UntrustedText::new(&reason) });
        assert_eq!(run.evidence.reason_class, Some(ReasonClass::NoState), "{function}");
        let whole = run_on(&rule, &Arc::new(honest()), specimen());
        assert!(matches!(whole.verdict, Verdict::Produced { .. }), "{function}: {}", whole.verdict);
        assert!(!whole.evidence.without_state && whole.evidence.reason_class.is_none(), "{function}");
    }
    let counts = run_on(&asks("counts", "i32 i32", ""), &Arc::new(honest()), stateless());
    assert!(matches!(counts.verdict, Verdict::Produced { .. }), "{}", counts.verdict);
    assert!(counts.evidence.without_state && counts.evidence.reason_class.is_none());
}

#[test]
fn refusal_for_want_of_state_has_its_class_and_another_has_none() {
    // The error's words do not matter: the rule passes on that it is unsupported.
    let gives_up = format!(
        r#"{EVM}
(data (i32.const 278) "canonical")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  {EXECUTE}
  (call $err (local.get 0) (i32.const 1) (i32.const 256) (i32.const 0)))"#
    );
    let no_state = Unsupported::NoState { transactions: 3 };
    for (error, class) in [
        (no_state.clone(), Some(ReasonClass::NoState)),
        (Unsupported::NoBasis { execution: Box::new(no_state) }, Some(ReasonClass::NoState)),
        (Unsupported::UnknownChain { network_id: 5 }, None),
    ] {
        let run = run(&gives_up, &Arc::new(ScriptedExecutor { execution: Err(error.clone().into()), ..honest() }));
        assert!(matches!(run.verdict, Verdict::Unsupported { .. }), "{error}: {}", run.verdict);
        assert_eq!(run.evidence.reason_class, class, "{error}");
    }
}
