//! `refiner content serve`.

use refiner_config::{Bytes, Values, table};
use refiner_content::{
    LocalStore,
    serve::{ServeLimits, serve},
};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_listener::{Access, bind};
use tokio_util::sync::CancellationToken;

use super::{ContentError, arguments::Serve, runtime};
use crate::{signals, terminal};

/// Serves until SIGTERM or SIGINT, and ends when the requests then open have.
pub fn run(arguments: &Serve) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let limits = limits(&settings)?;
    let directory = settings.get(&table::DATA).join("content");
    let store = LocalStore::open(directory, limits.upload_bytes).map_err(ContentError::from)?;
    let (address, remote) = (settings.get(&table::CONTENT_LISTEN), settings.get(&table::ALLOW_REMOTE_CONTENT));
    let access = Access::of_hosts(settings.get(&table::ALLOW_HOST));
    let runtime = runtime()?;
    runtime.block_on(async {
        let listener = bind(address, remote).await.map_err(ContentError::from)?;
        let stop = CancellationToken::new();
        signals::shutdown_on_signal(&stop, || tracing::info!("stopping after running requests"))
            .map_err(ContentError::Runtime)?;
        // With port 0 the address is known only here.
        let address = listener.local_addr().map_err(ContentError::Runtime)?;
        writeln!(terminal::out(false), "http://{address}")?;
        serve(listener, store, limits, access, stop).await;
        Ok::<_, Failure>(())
    })?;
    // Work whose client is gone is not waited for.
    runtime.shutdown_background();
    Ok(ExitCode::Done)
}

/// The limits that the settings give.
fn limits(settings: &Values) -> Result<ServeLimits, ContentError> {
    let (upload, in_flight) = (settings.get(&table::CONTENT_UPLOAD_SIZE), settings.get(&table::CONTENT_IN_FLIGHT_SIZE));
    if upload.0 > in_flight.0 / 2 {
        return Err(ContentError::Limits { upload, in_flight });
    }
    let size = |size: Bytes| usize::try_from(size.0).unwrap_or(usize::MAX);
    Ok(ServeLimits { upload_bytes: size(upload), in_flight_bytes: size(in_flight), ..ServeLimits::default() })
}
