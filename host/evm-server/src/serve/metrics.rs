//! Metrics of the server.
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `evm_server_requests_total{outcome}` | counter | requests to `/process`; `ok`, or why not |
//! | `evm_server_request_seconds` | histogram | from a request's head to its answer's |
//! | `evm_server_execution_seconds` | histogram | reading and executing one block, pauses for others included |
//! | `evm_server_executions` | gauge | executions under way, running or paused |
//! | `evm_server_running` | gauge | executions that use a processor |
//! | `evm_server_waiting` | gauge | requests waiting for room for their bodies, or for their execution to begin |
//! | `evm_server_in_flight_bytes` | gauge | bytes of bodies and answers in memory |

use std::{sync::Arc, time::Duration};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, MeterProvider as _},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

use super::{MetricsError, admission::AdmissionControl, error::ServerError};

/// The word for a request that got its block result.
pub(super) const OK: &str = "ok";

/// From a block that is refused at once to one that takes all the gas there may be.
const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The instruments, and where they are read.
pub(super) struct Metrics {
    registry: Registry,
    requests: Counter<u64>,
    request_seconds: Histogram<f64>,
    execution_seconds: Histogram<f64>,
    /// Dropping it ends the instruments.
    _provider: SdkMeterProvider,
}

impl Metrics {
    pub(super) fn new(admission: &Arc<AdmissionControl>) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter("refiner-evm-server");
        let gauge = |name: &'static str, describes: &'static str, value: fn(&AdmissionControl) -> usize| {
            let admission = Arc::clone(admission);
            meter
                .u64_observable_gauge(name)
                .with_description(describes)
                .with_callback(move |observer| observer.observe(value(&admission) as u64, &[]))
                .build();
        };
        gauge("evm_server_executions", "Executions under way, running or paused.", AdmissionControl::executions);
        gauge("evm_server_running", "Executions that use a processor.", AdmissionControl::running);
        gauge(
            "evm_server_waiting",
            "Requests waiting for room for their bodies, or for their execution to begin.",
            AdmissionControl::waiting,
        );
        gauge("evm_server_in_flight_bytes", "Bytes of bodies and answers in memory.", |admission| {
            admission.in_flight.bytes()
        });
        let seconds = |name: &'static str, describes: &'static str| {
            meter.f64_histogram(name).with_description(describes).with_boundaries(SECONDS.to_vec()).build()
        };
        let requests =
            meter.u64_counter("evm_server_requests").with_description("Requests to /process by outcome.").build();
        for outcome in ServerError::OUTCOMES.into_iter().chain([OK]) {
            requests.add(0, &[KeyValue::new("outcome", outcome)]);
        }
        Ok(Self {
            request_seconds: seconds("evm_server_request_seconds", "From a request's head to its answer's."),
            execution_seconds: seconds("evm_server_execution_seconds", "Reading and executing one block."),
            requests,
            registry,
            _provider: provider,
        })
    }

    pub(super) fn request(&self, outcome: &'static str, took: Duration) {
        self.requests.add(1, &[KeyValue::new("outcome", outcome)]);
        self.request_seconds.record(took.as_secs_f64(), &[]);
    }

    pub(super) fn execution(&self, took: Duration) {
        self.execution_seconds.record(took.as_secs_f64(), &[]);
    }

    /// The exposition format of Prometheus.
    pub(super) fn text(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}
