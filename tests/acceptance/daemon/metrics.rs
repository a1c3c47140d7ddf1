//! `/metrics`, scraped as Prometheus does it.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use refiner_journal::State;
use refiner_testchain::of_prometheus;
use refiner_testkit::pinner::{Fault, Route};

use crate::{bench::Bench, golden::assert_golden, specimens::stream};

/// Prefix of the names of earlier refiners. Their endings are not those that Prometheus recommends.
const EARLIER: &str = "refiner_events_";

/// The text of a scrape, and its series.
fn scrape(bench: &Bench) -> (String, BTreeMap<String, f64>) {
    let answer = bench.get("/metrics").unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    let series = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number in {line}")))
    });
    (text.to_owned(), series.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_happened_is_in_a_scrape() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    bench.start_ready().await;
    bench.announce(&given[..2]).await;
    bench.until_all(State::Final, 2).await;
    bench.pinner.fault(Route::Upload, Fault::Panic);
    bench.announce(&given[2..]).await;
    bench.until("pinning failed", |bench| bench.items().last().is_some_and(|item| item.attempts > 1)).await;
    bench.pinner.mend(Route::Upload);
    bench.until_all(State::Final, 3).await;

    let (text, series) = scrape(&bench);
    let mut families: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    families.sort_unstable();
    assert_golden("metrics", &(families.join("\n") + "\n"));
    let documented = documented();
    for family in &families {
        let (name, kind) = family.split_once(' ').unwrap();
        assert_eq!(documented.get(name).map(String::as_str), Some(kind), "{name} is documented in docs/metrics.md");
    }
    let value = |name: &str| *series.get(name).unwrap_or_else(|| panic!("{name} in\n{text}"));
    for (name, expected) in [
        ("refiner_item_transitions_total{state=\"announced\"}", 3.0),
        ("refiner_item_transitions_total{state=\"final\"}", 3.0),
        ("refiner_items{state=\"final\"}", 3.0),
        ("refiner_items{state=\"quarantined\"}", 0.0),
        ("refiner_item_age_seconds_count{state=\"final\"}", 3.0),
        ("refiner_stage_duration_seconds_count{outcome=\"done\",stage=\"fetch\"}", 3.0),
        ("refiner_stage_duration_seconds_count{outcome=\"done\",stage=\"refine\"}", 3.0),
        ("refiner_stage_duration_seconds_count{outcome=\"done\",stage=\"pin\"}", 3.0),
        ("refiner_ready", 1.0),
        ("refiner_proving_paused", 0.0),
        ("refiner_waiting{part=\"scan\"}", 0.0),
        ("refiner_events_ipfs_fetch_count{operation=\"fetch\",table=\"ipfs_metrics\"}", 3.0),
        ("refiner_events_ipfs_pin_count{operation=\"pin\",table=\"ipfs_metrics\"}", 3.0),
        ("refiner_events_bsp_decode_count{operation=\"decode\",table=\"bsp_metrics\"}", 3.0),
        ("refiner_events_bsp_execute_count{operation=\"execute\",table=\"bsp_metrics\"}", 3.0),
        ("refiner_events_brp_proof_count{operation=\"proof\",table=\"brp_metrics\"}", 3.0),
        ("refiner_events_brp_upload_success_count{operation=\"upload_success\",table=\"brp_metrics\"}", 3.0),
        (
            "refiner_events_refiner_pipeline_success_count{operation=\"pipeline_success\",table=\"refiner_metrics\"}",
            3.0,
        ),
        ("refiner_events_journal_fetch_last_count{operation=\"fetch_last\",table=\"journal_metrics\"}", 1.0),
        ("refiner_preflight_state{check=\"pinner\"}", 0.0),
        ("refiner_preflight_state{check=\"key\"}", 1.0),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    let failures = value("refiner_item_failures_total{state=\"produced\"}");
    assert!(failures >= 2.0, "{failures}");
    assert_eq!(
        value("refiner_events_brp_upload_failure_count{operation=\"upload_failure\",table=\"brp_metrics\"}"),
        failures
    );
    // The old unit: a second is 0.001, and nothing here took a minute.
    let duration = value(
        "refiner_events_refiner_pipeline_success_duration{operation=\"pipeline_success\",table=\"refiner_metrics\"}",
    );
    assert!(duration > 0.0 && duration < 0.06, "{duration}");
    assert!(value("refiner_operator_balance_wei") > 0.0);
    assert!(value("refiner_chain_head_block") >= value("refiner_scan_cursor_block"));
    assert!(value("process_open_fds") > 3.0 && value("process_resident_memory_bytes") > 1e6);
}

/// Names and types of the tables in docs/metrics.md; an event of the earlier refiner has two.
fn documented() -> BTreeMap<String, String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented = BTreeMap::new();
    for row in rows {
        let (name, rest) = row.split_once("` | ").unwrap();
        if rest.starts_with('`') {
            documented.insert(format!("{EARLIER}{name}_count"), "counter".to_owned());
            documented.insert(format!("{EARLIER}{name}_duration"), "gauge".to_owned());
        } else {
            documented.insert(name.to_owned(), rest.split(' ').next().unwrap().to_owned());
        }
    }
    documented
}

#[tokio::test(flavor = "multi_thread")]
async fn first_scrape_has_every_counter_and_every_earlier_name_with_0() {
    let Some(mut bench) = Bench::new().await else { return };
    // No chain, and nothing happens.
    bench.urls[0] = "http://127.0.0.1:1".to_owned();
    bench.start();
    bench.until("it answers", |bench| bench.get("/livez").is_some_and(|answer| answer.contains(" 200 "))).await;
    let (text, series) = scrape(&bench);
    let documented = documented();
    assert_eq!(documented.keys().filter(|name| name.starts_with(EARLIER)).count(), 24);
    for (name, kind) in documented.iter().filter(|(name, kind)| *kind == "counter" || name.starts_with(EARLIER)) {
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name} in\n{text}");
        let values: Vec<_> = series.iter().filter(|(series, _)| series.split('{').next() == Some(name)).collect();
        assert!(!values.is_empty() && values.iter().all(|(_, value)| **value == 0.0), "{name}: {values:?}");
    }
    assert!(series.contains_key("refiner_item_transitions_total{state=\"quarantined\"}"), "{text}");
    assert!(series["refiner_data_free_bytes"] > 0.0);
    assert_eq!(series["refiner_operator_low_balance_proofs"], 100.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_as_prometheus_wants_them() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    bench.announce(&stream(1)).await;
    bench.until_all(State::Final, 1).await;
    let (text, _) = scrape(&bench);
    let ours: String = text.lines().filter(|line| !line.contains(EARLIER)).map(|line| format!("{line}\n")).collect();
    assert!(text.contains(EARLIER) && ours.contains("refiner_items"), "{text}");
    check_names(&ours);
    // Everything is readable, also what has earlier names; those alone may be complained of.
    let Some(complaints) = promtool(&text) else { return };
    for complaint in complaints.lines() {
        assert!(complaint.starts_with(EARLIER), "{complaint}");
    }
    assert_eq!(promtool(&ours).unwrap(), "");
}

/// The output of `promtool check metrics`, where it can be had.
fn promtool(text: &str) -> Option<String> {
    let mut command = Command::new(of_prometheus("promtool").unwrap()?);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// Without promtool: every family has help and a kind, and a name that fits it.
fn check_names(text: &str) {
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ').unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
            assert!(kinds.insert(name.to_owned(), kind).is_none(), "{name} is there twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(kinds.contains_key(family), "{line} is of no family");
        }
    }
}
