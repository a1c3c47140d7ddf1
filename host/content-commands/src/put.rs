//! `refiner content put`.

use refiner_config::table;
use refiner_content::{ContentStore as _, Pinner, PinnerLimits};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;

use super::{ContentError, arguments::Put, content, runtime, store};
use crate::{egress, terminal};

/// Keeps each file, and prints its id when every store has it.
pub fn run(arguments: &Put) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let store = store(&settings.get(&table::DATA))?;
    let pinner = settings.get(&table::CONTENT_PINNER);
    let pinner = pinner.map(|url| Pinner::through(&egress::of(&settings), &url, PinnerLimits::default())).transpose();
    let pinner = pinner.map_err(ContentError::from)?;
    let runtime = runtime()?;
    for file in &arguments.files {
        let content = content(file)?;
        let id = store.write(&content).map_err(ContentError::from)?;
        if let Some(pinner) = &pinner {
            runtime.block_on(pinner.keep(&content)).map_err(ContentError::from)?;
        }
        writeln!(terminal::out(false), "{id}  {}", OneLine(file))?;
    }
    Ok(ExitCode::Done)
}
