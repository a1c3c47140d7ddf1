//! `refiner content put`.

use refiner_config::{Values, table};
use refiner_content::{ContentStore, Pinner, PinnerLimits};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;

use super::{ContentError, arguments::Put, content, runtime, store};
use crate::{egress, terminal};

/// Keeps each file, and prints its id when every store has it.
pub fn run(arguments: &Put) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let stores = stores(&settings)?;
    let runtime = runtime()?;
    for file in &arguments.files {
        let content = content(file)?;
        for store in &stores {
            runtime.block_on(store.keep(&content)).map_err(ContentError::from)?;
        }
        writeln!(terminal::out(false), "{}  {}", content.unixfs_id(), OneLine(file))?;
    }
    Ok(ExitCode::Done)
}

/// The local store, and the pinner where one is named.
fn stores(settings: &Values) -> Result<Vec<Box<dyn ContentStore>>, ContentError> {
    let mut stores: Vec<Box<dyn ContentStore>> = vec![Box::new(store(&settings.get(&table::DATA))?)];
    if let Some(url) = settings.get(&table::CONTENT_PINNER) {
        stores.push(Box::new(Pinner::through(&egress::of(settings), &url, PinnerLimits::default())?));
    }
    Ok(stores)
}
