//! Scrapes and the status of a daemon whose journal holds 100,000 items. `cargo bench -p refiner --bench daemon scrape` prints the times.

use serde_json::Value;

use crate::{
    bench::Bench,
    crowd::{answer_times, fill},
};

const ITEMS: u64 = 100_000;
/// Most bytes of the status, head of the answer included.
const STATUS_BYTES_MAX: usize = 64 << 10;
/// Most bytes of a scrape.
const SCRAPE_BYTES_MAX: usize = 128 << 10;
/// Ten times the aim, for a loaded machine and a build without optimisation: a look at every item takes longer.
const SCRAPE_SECONDS_MAX: f64 = 0.05;

#[tokio::test(flavor = "multi_thread")]
async fn status_is_bounded_and_a_scrape_fast_with_a_hundred_thousand_items() {
    let Some(mut bench) = Bench::new().await else { return };
    fill(&bench.data, ITEMS);
    bench.start_ready().await;
    let answer = bench.get("/status").unwrap();
    assert!(answer.len() < STATUS_BYTES_MAX, "{} bytes", answer.len());
    let status: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let journal = &status["journal"];
    assert_eq!(journal["items"]["skipped"], ITEMS * 9 / 10);
    assert_eq!(journal["items"]["quarantined"], ITEMS / 10);
    let shown = journal["quarantined"].as_array().unwrap();
    assert_eq!(shown.len(), 10);
    let reason = shown[0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("é…") && reason.len() < 1_010, "{reason}");

    let scrape = bench.get("/metrics").unwrap();
    assert!(scrape.len() < SCRAPE_BYTES_MAX, "{} bytes", scrape.len());
    assert!(scrape.contains("refiner_items{state=\"quarantined\"} 10000\n"), "{scrape}");
    let times = answer_times(&bench, "/metrics", 21);
    #[allow(clippy::print_stderr)]
    {
        eprintln!("/metrics with {ITEMS} items: median {:.2} ms, {} bytes", times[10] * 1e3, scrape.len());
    }
    assert!(times[10] < SCRAPE_SECONDS_MAX, "{times:?}");
}
