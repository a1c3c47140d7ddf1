//! `refiner session`: the phase of a session of the result contract, asked of the chain itself.

use clap::{Args, Subcommand};
use refiner_config::{ConfigError, Flags, egress, scope, table};
use refiner_daemon::{RunError, config};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_proofchain::{ChainError, ProofChain, Rpc, RpcLimits, SessionView};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::terminal::{self, EscapingStdout, PrintError};

/// `refiner session`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints phase, deadline, proofs and winner of the session of a height.
    Show(Show),
}

/// `refiner session show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Height of the block whose results are proved.
    #[arg(value_name = "HEIGHT")]
    pub height: u64,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: Flags<scope::Session>,
}

/// Answers one question.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    let Command::Show(show) = command;
    let values = show.settings.values()?;
    let mut problems = Vec::new();
    let (rpc, network) = (config::rpc(&values, &mut problems), config::network(&values, &mut problems));
    let (Some(rpc), Some(network)) = (rpc, network) else { return Err(ConfigError { problems }.into()) };
    let limits = RpcLimits { timeout: values.get(&table::RPC_TIMEOUT), ..RpcLimits::default() };
    let chains = values.get(&table::SOURCE_CHAIN);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::from)?;
    let rpc = Rpc::through(&egress::of(&values), rpc, limits).map_err(RunError::from)?;
    let views = runtime.block_on(async {
        let chain = ProofChain::connect(rpc, network).await?;
        let mut views = Vec::new();
        for source in chains {
            views.push((source, chain.session(source, show.height).await?));
        }
        Ok::<_, ChainError>(views)
    });
    let out = &mut terminal::out(show.json);
    for (source, view) in views.map_err(RunError::from)? {
        if show.json {
            out.json_line(&in_json(source, show.height, &view))?;
        } else {
            print(source, show.height, &view, out)?;
        }
    }
    Ok(ExitCode::Done)
}

fn in_json(chain: u64, height: u64, view: &SessionView) -> Value {
    let proofs: Vec<_> = view
        .proofs
        .iter()
        .map(|((specimen, result), operators)| json!({ "specimenHash": specimen, "resultHash": result, "operators": operators }))
        .collect();
    let quorum = view.quorum.map(|(specimen, result, validators)| {
        json!({ "specimenHash": specimen, "resultHash": result, "validators": validators })
    });
    json!({
        "schemaVersion": 1,
        "chain": chain,
        "height": height,
        "phase": view.phase.as_str(),
        "head": view.head,
        "eventsSince": view.since,
        "deadline": view.deadline,
        "proofs": proofs,
        "quorum": quorum,
        "withoutQuorum": view.without_quorum,
    })
}

fn print(chain: u64, height: u64, view: &SessionView, out: &mut EscapingStdout) -> Result<(), PrintError> {
    writeln!(out, "{chain}-{height}  {}", view.phase.as_str())?;
    if let Some(deadline) = view.deadline {
        writeln!(out, "deadline  block {deadline}, the newest is {}", view.head)?;
    }
    for ((specimen, result), operators) in &view.proofs {
        writeln!(out, "proved by {operators}  result {result} of specimen {specimen}")?;
    }
    if let Some((_, result, validators)) = view.quorum {
        writeln!(out, "quorum    result {result}, {} validators", validators.count_ones())?;
    }
    if view.without_quorum {
        writeln!(out, "quorum    not reached")?;
    }
    writeln!(out, "events    of blocks {} to {}", view.since, view.head)
}
