//! Specimens of a producer that exports no state, announced to the daemon.

use std::fs;

use refiner_journal::State;
use refiner_specimen::{Specimen, StateReads, decode, encode};
use serde_json::Value;

use crate::{bench::Bench, specimens::Given};

/// A sample of mainnet without its state, changed.
fn without_state(name: &str, change: impl FnOnce(&mut Specimen)) -> Given {
    let path = format!("{}/../../tests/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut specimen = decode(&fs::read(path).unwrap()).unwrap();
    specimen.block.state = StateReads::default();
    change(&mut specimen);
    Given::of(encode(&specimen, specimen.layout).unwrap())
}

fn with_receipts() -> Given {
    without_state("1-22500000.avro", |_| {})
}

fn bare() -> Given {
    without_state("1-17100000.avro", |specimen| specimen.block.receipts.clear())
}

#[tokio::test(flavor = "multi_thread")]
async fn specimens_without_state_are_proved_from_receipts_or_refused_and_both_are_counted() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = [with_receipts(), bare()];
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.until_all(State::Refused, 1).await;
    bench.assert_proved_once(&given[..1]).await;

    let items = bench.items();
    let item = |given: &Given| items.iter().find(|item| item.height == given.height).unwrap();
    assert_eq!(item(&given[0]).basis.as_deref(), Some("receipts"));
    assert_eq!(item(&given[1]).reason_class.as_deref(), Some("noState"));
    let reason = item(&given[1]).reason.clone().unwrap();
    assert!(reason.contains("the producer exported no state: 0 accounts read"), "{reason}");
    let status: Value = bench.status().unwrap();
    let counts = [&status["journal"]["fromReceipts"], &status["journal"]["withoutState"]];
    assert_eq!(counts, [&Value::from(1), &Value::from(1)], "{status}");
    let metrics = bench.get("/metrics").unwrap();
    for series in
        ["refiner_results_total{basis=\"receipts\"} 1\n", "refiner_refusals_total{reason_class=\"noState\"} 1\n"]
    {
        assert!(metrics.contains(series), "{series} in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn document_of_an_era_without_state_is_neither_pinned_nor_proved_unless_it_is_permitted() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = with_receipts();
    bench.flags = ["--format", "evm-server@d"].map(str::to_owned).into();
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    bench.until_all(State::Refused, 1).await;
    assert_eq!(bench.proofs().await, []);
    assert_eq!(bench.status().unwrap()["journal"]["withoutState"], 1);
    assert!(!bench.pinner.requests().iter().any(|request| request.contains("/upload")));
}
