//! The one table of what runs and where to look.

use std::path::Path;

use refiner_text::OneLine;

use super::{
    Devnet, DevnetError,
    contracts::{Contracts, OPERATOR},
    services::Services,
};
use crate::terminal;

const WIDTH: usize = 18;

pub fn print(
    arguments: &Devnet,
    directory: &Path,
    contracts: &Contracts,
    services: &Services,
    rpc: &str,
) -> Result<(), DevnetError> {
    let out = &mut terminal::out(false);
    let status = services.status_url();
    let rows = [
        ("status page", format!("{status}/"), "whether it earns, what it waits for, charts"),
        ("status", format!("{status}/status"), "the same as JSON"),
        ("metrics", format!("{status}/metrics"), "for Prometheus"),
        ("content server", services.content_url(), "pinner, and source of the specimens"),
        ("evm server", services.evm_url(), "executes every block a second time"),
        ("node", rpc.to_owned(), "the proof chain, id 31337, a block each second"),
        ("specimen contract", contracts.specimens.to_string(), ""),
        ("result contract", contracts.results.to_string(), ""),
        ("operator", OPERATOR.to_string(), "anvil's fourth account"),
        ("data and logs", OneLine(directory.display()).to_string(), ""),
    ];
    for (name, value, what) in rows {
        writeln!(out, "{}", format!("{name:<WIDTH$} {value:<44} {what}").trim_end())?;
    }
    writeln!(out, "\n{} specimens are announced each minute; the first proof takes some seconds.", arguments.rate)?;
    if arguments.faults {
        writeln!(out, "Troubles come in turn, each for {} s.", arguments.fault_seconds)?;
    }
    writeln!(out, "ctrl-c ends everything.\n")?;
    Ok(())
}
