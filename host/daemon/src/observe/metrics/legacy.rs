//! The 24 names of earlier refiners, for the dashboards that know them: a counter `refiner_events_<event>_count` and a gauge
//! `refiner_events_<event>_duration`, each with the labels `operation` and `table`. A series is there from the first scrape on.
//!
//! The gauge holds the last duration **in milliseconds divided by a million**, as it always did: 0.004265 is 4.265 s.

use std::time::Duration;

use prometheus::{GaugeVec, IntCounterVec, Opts, Registry};

/// Events that earlier refiners counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A failure that was never observed.
    Emit,
    /// A result was pinned.
    Pin,
    /// A specimen was fetched and is what was announced.
    Fetch,
    /// A specimen was checked against its announcement, as far as its header.
    Decode,
    /// A rule ran over a specimen, whatever the verdict.
    Execute,
    /// A result is pinned and a node took the proof.
    UploadSuccess,
    /// Pinning or proving failed.
    UploadFailure,
    /// A node took a proof; it may yet fail in its block.
    Proof,
    /// The position was read from the journal.
    JournalFetchLast,
    /// Items to work on were read from the journal.
    JournalFetchItems,
    /// Everything from the announcement to the node that took the proof.
    PipelineSuccess,
    /// Events that [`Self::UploadFailure`] counts.
    PipelineFailure,
}

/// Event, name, operation, table.
pub const EVENTS: [(Event, &str, &str, &str); 12] = [
    (Event::Emit, "emit", "event", "emit_metrics"),
    (Event::Pin, "ipfs_pin", "pin", "ipfs_metrics"),
    (Event::Fetch, "ipfs_fetch", "fetch", "ipfs_metrics"),
    (Event::Decode, "bsp_decode", "decode", "bsp_metrics"),
    (Event::Execute, "bsp_execute", "execute", "bsp_metrics"),
    (Event::UploadSuccess, "brp_upload_success", "upload_success", "brp_metrics"),
    (Event::UploadFailure, "brp_upload_failure", "upload_failure", "brp_metrics"),
    (Event::Proof, "brp_proof", "proof", "brp_metrics"),
    (Event::JournalFetchLast, "journal_fetch_last", "fetch_last", "journal_metrics"),
    (Event::JournalFetchItems, "journal_fetch_items", "fetch_items", "journal_metrics"),
    (Event::PipelineSuccess, "refiner_pipeline_success", "pipeline_success", "refiner_metrics"),
    (Event::PipelineFailure, "refiner_pipeline_failure", "pipeline_failure", "refiner_metrics"),
];

/// The factor that turns seconds into the earlier unit.
const KILOSECOND: f64 = 1_000.0;

/// The instruments, in the order of [`EVENTS`].
pub struct Earlier(Vec<(Event, IntCounterVec, GaugeVec)>);

impl Earlier {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let labels = ["operation", "table"];
        let mut instruments = Vec::with_capacity(EVENTS.len());
        for (event, name, operation, table) in EVENTS {
            let count =
                Opts::new(format!("refiner_events_{name}_count"), format!("Events {name}, under an earlier name."));
            let count = IntCounterVec::new(count, &labels)?;
            let duration = Opts::new(
                format!("refiner_events_{name}_duration"),
                format!("The last duration of {name} in milliseconds divided by a million, under an earlier name."),
            );
            let duration = GaugeVec::new(duration, &labels)?;
            // A panel without data looks like a refiner that does not run.
            count.with_label_values(&[operation, table]);
            duration.with_label_values(&[operation, table]);
            registry.register(Box::new(count.clone()))?;
            registry.register(Box::new(duration.clone()))?;
            instruments.push((event, count, duration));
        }
        Ok(Self(instruments))
    }

    pub fn happened(&self, event: Event, took: Duration) {
        let named = EVENTS.iter().zip(&self.0).find(|((known, ..), _)| *known == event);
        if let Some(((.., operation, table), (_, count, duration))) = named {
            count.with_label_values(&[operation, table]).inc();
            duration.with_label_values(&[operation, table]).set(took.as_secs_f64() / KILOSECOND);
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn every_event_has_its_two_names_and_the_old_unit() {
        let registry = Registry::new();
        let legacy = Earlier::register(&registry).unwrap();
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert_eq!(text.lines().filter(|line| line.ends_with("} 0")).count(), 24, "{text}");
        for (event, ..) in EVENTS {
            legacy.happened(event, Duration::from_millis(4_265));
        }
        let families = registry.gather();
        assert_eq!(families.len(), 24);
        let text = TextEncoder::new().encode_to_string(&families).unwrap();
        let labels = r#"{operation="upload_success",table="brp_metrics"}"#;
        for line in [
            format!("refiner_events_brp_upload_success_count{labels} 1\n"),
            format!("refiner_events_brp_upload_success_duration{labels} 0.004265\n"),
        ] {
            assert!(text.contains(&line), "{line} in {text}");
        }
    }
}
