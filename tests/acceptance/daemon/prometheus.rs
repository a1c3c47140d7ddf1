//! A real Prometheus that scrapes the daemon: every query of dashboards and alerts has a value, those of the earlier refiner's dashboard too.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use refiner_http_client::Egress;
use refiner_journal::State;
use refiner_testchain::of_prometheus;
use refiner_testkit::{
    pinner::{Fault, Route},
    unused_address,
};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    bench::{Bench, PATIENCE},
    specimens::stream,
};

/// The comparisons of alerts, which give nothing while an alert is quiet.
const COMPARISONS: [&str; 4] = [" == ", " > ", " < ", " >= "];
/// Queries of the earlier refiner's dashboard (docs/protocol.md): bare names.
const EARLIER: [&str; 6] = [
    "refiner_events_brp_upload_success_count",
    "refiner_events_refiner_pipeline_success_count",
    "refiner_events_refiner_pipeline_failure_count",
    "refiner_events_ipfs_fetch_count",
    "refiner_events_refiner_pipeline_success_duration",
    "refiner_events_brp_proof_duration",
];

fn compose() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compose")
}

/// A Prometheus with the alerts, which scrapes a daemon by the job of the earlier refiner's documentation.
struct Prometheus {
    url: String,
    client: reqwest::Client,
    process: Child,
    directory: tempfile::TempDir,
}

impl Prometheus {
    fn start(program: &Path, port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let configuration = directory.path().join("prometheus.yml");
        // As it was in the earlier refiner's documentation but for the interval and the port.
        let text = format!(
            "global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}\nrule_files: [{}]\nscrape_configs:\n  - job_name: telemetry_metrics_prometheus\n    static_configs:\n      - targets: ['localhost:{port}']\n",
            compose().join("prometheus/alerts.yml").display(),
        );
        fs::write(&configuration, text).unwrap();
        let address = unused_address();
        let log = || fs::File::options().create(true).append(true).open(directory.path().join("log")).unwrap();
        let process = Command::new(program)
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .unwrap();
        Self {
            url: format!("http://{address}"),
            client: Egress::default().builder().build().unwrap(),
            process,
            directory,
        }
    }

    fn log(&self) -> String {
        let mut log = String::new();
        fs::File::open(self.directory.path().join("log")).unwrap().read_to_string(&mut log).unwrap();
        log
    }

    /// The answer to a query now, or nothing while Prometheus does not answer.
    async fn query(&self, query: &str) -> Option<Value> {
        let request = self.client.get(format!("{}/api/v1/query", self.url)).query(&[("query", query)]);
        let answer: Value = request.send().await.ok()?.json().await.ok()?;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        Some(answer["data"]["result"].clone())
    }

    /// Waits until a query has a value that is a number.
    async fn value_of(&self, query: &str) -> f64 {
        let begun = Instant::now();
        loop {
            let result = self.query(query).await;
            let values = result.as_ref().and_then(Value::as_array).into_iter().flatten();
            let mut numbers = values.filter_map(|series| series["value"][1].as_str()?.parse::<f64>().ok());
            if let Some(number) = numbers.find(|number| !number.is_nan()) {
                return number;
            }
            assert!(begun.elapsed() < PATIENCE, "{query} has no value: {result:?}\n{}", self.log());
            sleep(Duration::from_millis(250)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Queries of the rules: each record as it is, each alert with its comparisons made to answer 0 or 1.
fn of_rules() -> Vec<String> {
    let text = fs::read_to_string(compose().join("prometheus/alerts.yml")).unwrap();
    let queries: Vec<_> =
        text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned).collect();
    let names = text.lines().filter(|line| ["- alert: ", "- record: "].iter().any(|key| line.contains(key))).count();
    assert_eq!(queries.len(), names, "every rule has one line with its query");
    let answering = |query: String| {
        COMPARISONS.iter().fold(query, |query, comparison| query.replace(comparison, &format!("{comparison}bool ")))
    };
    queries.into_iter().map(answering).collect()
}

/// Queries of every panel of a dashboard.
fn of_dashboard(name: &str) -> Vec<String> {
    let text = fs::read_to_string(compose().join("grafana").join(name)).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        targets.iter().map(|target| target["expr"].as_str().unwrap().to_owned())
    });
    queries.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_dashboards_and_alerts_has_a_value() {
    let Some(program) = of_prometheus("prometheus").unwrap() else { return };
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--heartbeat", "100ms"].map(str::to_owned).into();
    bench.start_ready().await;
    let prometheus = Prometheus::start(&program, bench.health().port());
    assert!(prometheus.value_of("up == 1").await > 0.0);
    // A rate needs a scrape before what happens.
    let given = stream(3);
    bench.announce(&given[..2]).await;
    bench.until_all(State::Final, 2).await;
    bench.pinner.fault(Route::Upload, Fault::Panic);
    bench.announce(&given[2..]).await;
    bench.until("pinning failed", |bench| bench.items().last().is_some_and(|item| item.attempts > 1)).await;
    bench.pinner.mend(Route::Upload);
    bench.until_all(State::Final, 3).await;

    let mut queries: BTreeSet<_> = of_rules().into_iter().chain(of_dashboard("refiner.json")).collect();
    assert!(queries.len() > 35, "{queries:#?}");
    // The job of this Prometheus has the earlier refiner's name.
    assert!(queries.remove("up{job=\"refiner\"} == bool 0"));
    queries.insert("up{job=\"telemetry_metrics_prometheus\"} == bool 0".to_owned());
    queries.extend(EARLIER.map(str::to_owned));
    for query in &queries {
        prometheus.value_of(query).await;
    }
    // A scrape of before the last proof may still be the newest; these queries have a value once a scrape has all three.
    for series in ["refiner_items{state=\"final\"}", "refiner_events_refiner_pipeline_success_count"] {
        assert_eq!(prometheus.value_of(&format!("{series} == 3")).await, 3.0);
    }
    // Nothing is wrong here, so nothing fires.
    let alerts = prometheus.query("ALERTS{alertstate=\"firing\"}").await.unwrap();
    assert_eq!(alerts, Value::Array(Vec::new()));
}

#[test]
fn rules_are_valid_and_each_alert_fires_and_is_quiet_in_a_test() {
    let rules = fs::read_to_string(compose().join("prometheus/alerts.yml")).unwrap();
    let tests_path = compose().join("../tests/compose/alerts.test.yml");
    let tests = fs::read_to_string(&tests_path).unwrap();
    let alerts: BTreeSet<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        for (case, expected) in [("fires", "exp_alerts:\n"), ("quiet", "exp_alerts: []\n")] {
            let begin = tests.find(&format!("- name: {alert} {case}\n")).unwrap_or_else(|| panic!("{alert} {case}"));
            let case = tests[begin..].split("\n  - name: ").next().unwrap().to_owned() + "\n";
            assert!(case.contains(&format!("alertname: {alert}\n")) && case.contains(expected), "{case}");
        }
    }
    let Some(promtool) = of_prometheus("promtool").unwrap() else { return };
    for (words, file) in [
        (["check", "config"], compose().join("prometheus/prometheus.yml")),
        (["check", "rules"], compose().join("prometheus/alerts.yml")),
        (["test", "rules"], tests_path),
    ] {
        let output = Command::new(&promtool).args(words).arg(&file).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&text));
    }
}
