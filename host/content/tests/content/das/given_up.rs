//! Work that no caller waits for any more.

use std::{thread, time::Duration};

use refiner_content::{FetchBackend as _, Pinner, PinnerLimits};
use tokio::time::timeout;

use super::hostile::{lists, processor_time};
use crate::{Outcome, bytes, patient_pinner, pinner::PinnerDouble};

/// Without an announced hash, what a pinner sends for a DAS root is encoded again: minutes for 16 MB.
#[tokio::test]
async fn encoding_ends_within_five_seconds_of_the_deadline_of_its_fetch() -> Outcome {
    let double = PinnerDouble::start()?;
    let id = lists(1)[0];
    double.serve_at(&format!("/api/v1/get?cid={id}"), 200, &bytes(16_000_000));
    let mut limits: PinnerLimits = patient_pinner();
    limits.get.body_bytes = 32 << 20;
    let pinner = Pinner::new(&double.url(), limits)?;
    assert!(timeout(Duration::from_secs(8), pinner.fetch(&id)).await.is_err(), "it ended before its deadline");
    assert!(processor_time() > Duration::from_secs(1), "nothing was encoded");
    thread::sleep(Duration::from_secs(5));
    let before = processor_time();
    thread::sleep(Duration::from_secs(1));
    let worked = processor_time() - before;
    assert!(worked < Duration::from_millis(200), "{worked:?} of work in a second");
    Ok(())
}
