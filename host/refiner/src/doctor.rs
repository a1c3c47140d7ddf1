//! `refiner doctor`: the checks of the preflight, where no daemon starts.

use std::sync::Arc;

use alloy_primitives::Address;
use refiner_config::ConfigError;
use refiner_content::{Pinner, PinnerLimits};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::JournalReader;
use refiner_proofchain::{ProofChain, Rpc, RpcLimits, Signer};
use tokio::runtime::Builder;

use crate::{
    cli, custody,
    preflight::{self, Check, KnownNonces, State},
    run::{
        RunError,
        config::{self, Key, Nodes, Settings},
    },
    terminal::{self, EscapingStdout, PrintError},
};

/// Version of the JSON report: since 2 it has `checks`, which were `findings`.
const SCHEMA_VERSION: u32 = 2;
/// The source chain whose sessions are looked at where all are followed.
const MAINNET: u64 = 1;

/// Checks everything and prints it.
pub fn run(arguments: &cli::Run, json: bool) -> Result<ExitCode, Failure> {
    let checks = match config::nodes(arguments) {
        // Nothing is configured: the machine alone.
        Ok(None) => preflight::machine(config::requirement(arguments)),
        nodes => configured(arguments, nodes.ok().flatten())?,
    };
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    let stdout = &mut terminal::out(json);
    if json {
        stdout.json_line(&serde_json::json!({ "schemaVersion": SCHEMA_VERSION, "state": worst, "checks": checks }))?;
    } else {
        print(&checks, worst, stdout)?;
    }
    Ok(if worst == State::Error { ExitCode::Host } else { ExitCode::Done })
}

fn print(checks: &[Check], worst: State, out: &mut EscapingStdout) -> Result<(), PrintError> {
    for Check { name, state, detail, remedy } in checks {
        writeln!(out, "{:<7}  {name:<24}  {detail}", state.mark())?;
        if let Some(remedy) = remedy {
            writeln!(out, "{:<7}  {:<24}  remedy: {remedy}", "", "")?;
        }
    }
    let verdict = match worst {
        State::Ok => "All checks passed.",
        State::Warning => "All checks passed; each warning takes away some protection, speed or reserve.",
        State::Error => "Not ready: mend the errors first.",
    };
    writeln!(out, "\n{verdict}")
}

/// The machine, and what the settings of `run` name.
fn configured(arguments: &cli::Run, nodes: Option<Nodes>) -> Result<Vec<Check>, Failure> {
    let key = custody::take_key()?;
    let settings = config::read(arguments, key);
    custody::keep_memory_private()?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(RunError::from)?;
    let requirement = settings.as_ref().map_or_else(|_| config::requirement(arguments), preflight::requirement);
    let mut checks = preflight::machine_apart(requirement);
    match (settings, nodes) {
        (Ok(settings), _) => checks.extend(runtime.block_on(of_settings(Arc::new(settings)))?),
        (Err(ConfigError { problems }), nodes) => {
            let remedy = "see `refiner run --help`";
            checks.extend(problems.iter().map(|problem| Check::error("settings", problem.to_string(), remedy)));
            if let Some(nodes) = nodes {
                let none = KnownNonces::default();
                checks.extend(runtime.block_on(of_nodes(&nodes, MAINNET, None, 0, none))?);
            }
        }
    }
    Ok(checks)
}

async fn of_settings(settings: Arc<Settings>) -> Result<Vec<Check>, RunError> {
    let mut checks = Vec::new();
    let operator = match &settings.key {
        Key::None => None,
        Key::From(source) => match Signer::load(source).await {
            Ok(signer) => Some(signer.address()),
            Err(error) => {
                checks.push(preflight::key_failed(&error));
                None
            }
        },
    };
    if checks.is_empty() {
        checks.push(preflight::key(&settings.key, operator));
    }
    let known = KnownNonces { highest: highest_nonce(&settings) };
    let nodes = Nodes { network: settings.network.clone(), rpc: settings.rpc.clone(), timeout: settings.rpc_timeout };
    let limits =
        PinnerLimits { upload: settings.upload, ..PinnerLimits::patient(settings.fetch_stall, settings.fetch) };
    let pinner = settings.pinner.as_deref().map(|url| Pinner::new(url, limits)).transpose()?;
    let source_chain = settings.scan.source_chains.first().copied().unwrap_or(MAINNET);
    let local = Arc::clone(&settings);
    let local = tokio::task::spawn_blocking(move || {
        [Some(preflight::disk(&local.data)), preflight::evm_server(&local.evm, local.format)]
    });
    let (local, of_nodes, pinner) = tokio::join!(
        local,
        of_nodes(&nodes, source_chain, operator, settings.low_balance, known),
        preflight::pinner(pinner.as_ref())
    );
    checks.extend(local.into_iter().flatten().flatten());
    checks.extend(of_nodes?);
    checks.push(pinner);
    Ok(checks)
}

/// The highest nonce of the journal, which a running daemon may hold; none where there is no journal yet.
fn highest_nonce(settings: &Settings) -> Option<u64> {
    let journal = JournalReader::open(&settings.data.join("journal.sqlite")).ok()?;
    journal.highest_nonce().ok().flatten()
}

async fn of_nodes(
    nodes: &Nodes,
    source_chain: u64,
    operator: Option<Address>,
    low_balance: u64,
    known: KnownNonces,
) -> Result<Vec<Check>, RunError> {
    let Nodes { network, rpc: urls, timeout } = nodes;
    let limits = RpcLimits { timeout: *timeout, retries: 0, ..RpcLimits::default() };
    let rpc = Rpc::new(urls.iter().cloned(), limits)?;
    let connected = ProofChain::connect(rpc.clone(), network.clone()).await;
    let mut checks = preflight::nodes(&rpc, connected.is_ok());
    match connected {
        Ok(chain) => {
            checks.extend(preflight::log_ranges(urls, network, *timeout).await);
            checks.extend(preflight::chain(&chain, source_chain, operator, low_balance, known).await);
        }
        Err(error) => checks.push(preflight::no_node(&error)),
    }
    Ok(checks)
}
