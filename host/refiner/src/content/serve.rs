//! `refiner content serve`.

use std::io::{self, Write as _};

use refiner_config::table;
use refiner_content::serve::{ServeLimits, listen, serve};
use tokio::signal::unix::{SignalKind, signal};

use super::{ContentError, arguments::Serve, runtime, store};
use crate::exit::Exit;

/// Serves until SIGTERM or SIGINT, and ends when the requests then open have.
pub fn run(arguments: &Serve) -> anyhow::Result<Exit> {
    let settings = arguments.settings.values()?;
    let store = store(&settings.get(&table::DATA))?;
    let (address, remote) = (settings.get(&table::CONTENT_LISTEN), settings.get(&table::ALLOW_REMOTE_CONTENT));
    runtime()?.block_on(async {
        let listener = listen(address, remote).await.map_err(ContentError::from)?;
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // With port 0 nobody else knows the address.
        writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
        let end = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(listener, store, ServeLimits::default(), end).await.map_err(ContentError::Runtime)?;
        anyhow::Ok(())
    })?;
    Ok(Exit::Done)
}
