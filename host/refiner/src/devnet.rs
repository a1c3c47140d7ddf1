//! `refiner devnet`: the whole network on one machine.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::Args;
use refiner_devnet::{Network, OPERATOR, Report, Settings, Trouble};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;
use url::Url;

use crate::terminal::{self, PrintError};

const WIDTH: usize = 18;

/// `refiner devnet`.
#[derive(Clone, Debug, Args)]
pub struct Devnet {
    /// Directory for all data and logs, empty or new; without it a temporary one, which is removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Specimens that are announced each minute.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=600))]
    rate: u16,
    /// Plays troubles in turn: the pinner is down, the node fails, the balance is low, the head stands still.
    #[arg(long)]
    faults: bool,
    /// Seconds that each trouble lasts; between two of them all is well for half as long.
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u16).range(12..=3600))]
    fault_seconds: u16,
    /// The node's program [default: `anvil` on PATH, or where the tests of a clone installed it].
    #[arg(long, value_name = "PROGRAM")]
    anvil: Option<PathBuf>,
    /// An anvil that runs already and has nothing on its chain, in place of one that is started.
    #[arg(long, value_name = "URL", conflicts_with_all = ["anvil", "faults"])]
    node: Option<Url>,
    /// Address that all services listen on. None of them has authentication.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
}

/// Runs until SIGINT, SIGTERM or the terminal's end.
pub fn run(arguments: &Devnet) -> Result<ExitCode, Failure> {
    let Devnet { dir, rate, faults, fault_seconds, anvil, node, listen } = arguments.clone();
    let faults = faults.then(|| Duration::from_secs(fault_seconds.into()));
    let settings = Settings { directory: dir, rate, faults, anvil, node, listen };
    refiner_devnet::run(&settings, &mut |report| match report {
        Report::AtWork(network) => table(&settings, network),
        Report::Trouble(Trouble { begins, what }) => {
            writeln!(terminal::out(false), "{}: {what}", if begins { "trouble" } else { "over" })
        }
    })?;
    Ok(ExitCode::Done)
}

/// The one table of what runs and where to look.
fn table(settings: &Settings, network: &Network) -> Result<(), PrintError> {
    let out = &mut terminal::out(false);
    let Network { status_url, content_url, evm_url, rpc_url, specimens, results, directory } = network;
    let rows = [
        ("status page", format!("{status_url}/"), "whether it earns, what it waits for, charts"),
        ("status", format!("{status_url}/status"), "the same as JSON"),
        ("metrics", format!("{status_url}/metrics"), "for Prometheus"),
        ("content server", content_url.clone(), "pinner, and source of the specimens"),
        ("evm server", evm_url.clone(), "executes every block a second time"),
        ("node", rpc_url.clone(), "the proof chain, id 31337, a block each second"),
        ("specimen contract", specimens.to_string(), ""),
        ("result contract", results.to_string(), ""),
        ("operator", OPERATOR.to_string(), "anvil's fourth account"),
        ("data and logs", OneLine(directory.display()).to_string(), ""),
    ];
    for (name, value, what) in rows {
        writeln!(out, "{}", format!("{name:<WIDTH$} {value:<44} {what}").trim_end())?;
    }
    writeln!(out, "\n{} specimens are announced each minute; the first proof takes some seconds.", settings.rate)?;
    if let Some(length) = settings.faults {
        writeln!(out, "Troubles come in turn, each for {} s.", length.as_secs())?;
    }
    writeln!(out, "ctrl-c ends everything.\n")
}
