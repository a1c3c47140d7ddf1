//! `refiner content get`.

use std::{path::Path, sync::Arc};

use refiner_config::{Values, table};
use refiner_content::{
    FetchBackend, Fetcher, Gateway, HedgePolicy, HttpLimits, Pinner, PinnerLimits, SetupError, public_gateways,
};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_http_client::Egress;

use super::{ContentError, arguments::Get, runtime, store};
use crate::{egress, terminal};

/// Fetches and checks, then writes.
pub fn run(arguments: &Get) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let hedge = HedgePolicy::within(settings.get(&table::FETCH_TIMEOUT));
    let fetcher = Fetcher::new(sources(&settings)?, None, hedge);
    let runtime = runtime()?;
    let fetched = runtime.block_on(fetcher.fetch(&arguments.id));
    // A name that is still looked up, and work that was given up, are not waited for.
    runtime.shutdown_background();
    let fetched = fetched.map_err(ContentError::from)?;
    tracing::info!(id = %arguments.id, from = %fetched.from, bytes = fetched.content.bytes().len(), "content fetched");
    match &arguments.out {
        Some(path) => write(path, fetched.content.bytes())?,
        None => terminal::raw_out().bytes(fetched.content.bytes())?,
    }
    Ok(ExitCode::Done)
}

fn sources(settings: &Values) -> Result<Vec<Arc<dyn FetchBackend>>, ContentError> {
    let mut sources: Vec<Arc<dyn FetchBackend>> = Vec::new();
    // A question does not make a directory.
    if let Some(data) = settings.get(&table::CONTENT_DATA).filter(|data| data.is_dir()) {
        sources.push(Arc::new(store(&data)?));
    }
    let egress = egress::of(settings);
    let (stall, whole) = (settings.get(&table::FETCH_STALL_TIMEOUT), settings.get(&table::FETCH_TIMEOUT));
    if let Some(pinner) = settings.get(&table::CONTENT_PINNER) {
        sources.push(Arc::new(Pinner::through(&egress, &pinner, PinnerLimits::patient(stall, whole))?));
    }
    let limits = HttpLimits::patient(stall, whole);
    let gateways = gateways(&egress, &settings.get(&table::GATEWAY), limits)?;
    sources.extend(gateways.into_iter().map(|gateway| Arc::new(gateway) as Arc<dyn FetchBackend>));
    Ok(sources)
}

fn gateways(egress: &Egress, named: &[String], limits: HttpLimits) -> Result<Vec<Gateway>, SetupError> {
    match named {
        [] => public_gateways(egress, limits),
        named => {
            named.iter().filter(|base| *base != "none").map(|base| Gateway::through(egress, base, limits)).collect()
        }
    }
}

/// The file is there whole or not at all; a link stays one, and a device or pipe is written to.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ContentError> {
    refiner_atomic_file::write_through(path, bytes, &refiner_atomic_file::Terms::PRIVATE)
        .map_err(|source| ContentError::Write { path: path.to_owned(), source })
}
