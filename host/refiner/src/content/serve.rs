//! `refiner content serve`.

use refiner_config::table;
use refiner_content::serve::{ServeLimits, listen, serve};
use refiner_diagnostics::{ExitCode, Failure};
use tokio::signal::unix::{SignalKind, signal};

use super::{ContentError, arguments::Serve, runtime, store};
use crate::terminal;

/// Serves until SIGTERM or SIGINT, and ends when the requests then open have.
pub fn run(arguments: &Serve) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let store = store(&settings.get(&table::DATA))?;
    let (address, remote) = (settings.get(&table::CONTENT_LISTEN), settings.get(&table::ALLOW_REMOTE_CONTENT));
    runtime()?.block_on(async {
        let listener = listen(address, remote).await.map_err(ContentError::from)?;
        let signals =
            signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
        let (mut terminate, mut interrupt) = signals.map_err(ContentError::Runtime)?;
        // With port 0 the address is known only here.
        let address = listener.local_addr().map_err(ContentError::Runtime)?;
        writeln!(terminal::out(false), "http://{address}")?;
        let end = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(listener, store, ServeLimits::default(), end).await.map_err(ContentError::Runtime)?;
        Ok(ExitCode::Done)
    })
}
