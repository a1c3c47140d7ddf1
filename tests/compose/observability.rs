//! `compose/observability.yml`: Prometheus beside the daemon. Grafana's image cannot be made of Debian's packages, so its service is left out.

use serde_json::Value;

use crate::{
    engine::{Engine, add, libraries, must},
    stack::{PROMETHEUS_IMAGE, Stack},
};

/// Where the file publishes Prometheus.
const PROMETHEUS: &str = "127.0.0.1:9090";

/// An image with Debian's Prometheus, started as its makers' image starts theirs.
pub fn image(engine: &Engine) -> Option<()> {
    let program = refiner_testchain::of_prometheus("prometheus").unwrap()?;
    let root = tempfile::tempdir().unwrap();
    let at = root.path().join("bin/prometheus");
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::fs::copy(&program, at).unwrap();
    add(root.path(), &libraries(&program));
    let start = r#"ENTRYPOINT ["/bin/prometheus","--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/prometheus"]"#;
    engine.import(root.path(), PROMETHEUS_IMAGE, &[start]);
    Some(())
}

/// What Prometheus answers to a request of its API.
fn asked(stack: &Stack, path: &str) -> Option<Value> {
    serde_json::from_str(&stack.get_of(PROMETHEUS, path)?).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_beside_the_daemon_scrapes_it_and_knows_every_alert() {
    let Some(stack) = Stack::start(&["observability.yml"]).await else { return };
    let up = |stack: &Stack| {
        let answer = asked(stack, "/api/v1/query?query=up")?;
        let sample = answer["data"]["result"].get(0)?.clone();
        Some((sample["metric"]["instance"].as_str()?.to_owned(), sample["value"][1].as_str()?.to_owned()))
    };
    let expected = Some(("refiner:9568".to_owned(), "1".to_owned()));
    stack.until("the daemon is scraped", |stack| up(stack) == expected).await;
    let loaded = asked(&stack, "/api/v1/rules?type=alert").unwrap();
    let groups = loaded["data"]["groups"].as_array().unwrap();
    let names: Vec<_> = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    let written = include_str!("../../compose/prometheus/alerts.yml");
    assert_eq!(names, written.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect::<Vec<_>>());
    let container = stack.container("prometheus");
    assert_eq!(must(&mut stack.docker(&["inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}", &container])), "true");
}
