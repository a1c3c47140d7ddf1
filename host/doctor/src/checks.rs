//! `refiner doctor`: the checks of the preflight, where no daemon starts.

use std::sync::Arc;

use alloy_primitives::Address;
use refiner_arguments::Run;
use refiner_config::ConfigError;
use refiner_content::{Pinner, PinnerLimits};
use refiner_daemon::{
    RunError,
    config::{Key, Nodes, Settings},
};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::{JournalReader, KnownNonces};
use refiner_proofchain::{ProofChain, Rpc, RpcLimits, Secret, Signer};
use refiner_text::OneLine;
use tokio::runtime::Builder;

use crate::{
    Doctor,
    bundle::{self, Bundle},
    custody, egress, machine,
    machine::checks_apart as machine_apart,
    preflight::{self, Check, State},
    settings,
    terminal::{self, EscapingStdout, PrintError},
};

/// Version of the JSON report: since 2 it has `checks`, which were `findings`.
const SCHEMA_VERSION: u32 = 2;
/// The source chain whose sessions are looked at where all are followed.
const MAINNET: u64 = 1;

/// Checks everything and prints it.
pub fn run(arguments: &Doctor) -> Result<ExitCode, Failure> {
    let Doctor { run, json, bundle, log_file } = arguments;
    let nodes = settings::nodes(run);
    let (checks, bundle) = match (nodes, bundle) {
        // Nothing is configured: the machine alone.
        (Ok(None), None) => (machine::checks(settings::requirement(run)), None),
        (nodes, path) => {
            let key = custody::take_key()?;
            let bundle = path.as_deref().map(|path| Bundle {
                arguments: run,
                path,
                log: log_file.as_deref(),
                redaction: bundle::redaction(run, key.as_ref()),
            });
            // Guests run in another process: this one may hold secrets now.
            let checks = match nodes {
                Ok(None) => machine_apart(settings::requirement(run)),
                nodes => configured(run, key, nodes.ok().flatten())?,
            };
            (checks, bundle)
        }
    };
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    let mut report = serde_json::json!({ "schemaVersion": SCHEMA_VERSION, "state": worst, "checks": checks });
    let files = bundle.as_ref().map(|bundle| bundle.write(report.clone())).transpose()?;
    let stdout = &mut terminal::out(*json);
    if *json {
        if let (Some(files), Some(Bundle { path, .. })) = (&files, &bundle) {
            let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
            report["bundle"] = serde_json::json!({ "path": path.display().to_string(), "files": names });
        }
        stdout.json_line(&report)?;
    } else {
        print(&checks, worst, stdout)?;
        if let (Some(files), Some(Bundle { path, .. })) = (files, bundle) {
            writeln!(
                stdout,
                "\n{}: {} files; look through them before you publish them",
                OneLine(path.display()),
                files.len()
            )?;
            for (name, bytes) in files {
                writeln!(stdout, "  {name:<14} {bytes:>8} bytes")?;
            }
        }
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
fn configured(arguments: &Run, key: Option<Secret>, nodes: Option<Nodes>) -> Result<Vec<Check>, Failure> {
    let settings = settings::read(arguments, key);
    custody::keep_memory_private()?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(RunError::from)?;
    let requirement = settings.as_ref().map_or_else(|_| settings::requirement(arguments), Settings::requirement);
    let mut checks = machine_apart(requirement);
    match (settings, nodes) {
        (Ok(settings), _) => {
            egress::warn_of_ignored_variables(&settings.egress);
            checks.extend(runtime.block_on(of_settings(Arc::new(settings)))?);
        }
        (Err(ConfigError { problems }), nodes) => {
            let remedy = "see `refiner run --help`";
            checks.extend(problems.iter().map(|problem| Check::error("settings", problem.to_string(), remedy)));
            if let Some(nodes) = nodes {
                checks.extend(runtime.block_on(of_nodes(&nodes, MAINNET, None, 0, None))?);
            }
        }
    }
    // A name that is still looked up is not waited for.
    runtime.shutdown_background();
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
    let known = known_nonces(&settings);
    let nodes = Nodes {
        network: settings.network.clone(),
        rpc: settings.rpc.clone(),
        timeout: settings.rpc_timeout,
        egress: settings.egress.clone(),
    };
    let limits =
        PinnerLimits { upload: settings.upload, ..PinnerLimits::patient(settings.fetch_stall, settings.fetch) };
    let pinner = settings.pinner.as_deref().map(|url| Pinner::through(&settings.egress, url, limits)).transpose()?;
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

/// The nonces of the journal, which a running daemon may hold; none where there is no journal yet.
fn known_nonces(settings: &Settings) -> Option<KnownNonces> {
    let journal = JournalReader::open(&settings.data.join("journal.sqlite")).ok()?;
    journal.known_nonces().ok().flatten()
}

async fn of_nodes(
    nodes: &Nodes,
    source_chain: u64,
    operator: Option<Address>,
    low_balance: u64,
    known: Option<KnownNonces>,
) -> Result<Vec<Check>, RunError> {
    let Nodes { network, rpc: urls, timeout, egress } = nodes;
    let limits = RpcLimits { timeout: *timeout, retries: 0, ..RpcLimits::default() };
    let rpc = Rpc::through(egress, urls.iter().cloned(), limits)?;
    let connected = ProofChain::connect(rpc.clone(), network.clone()).await;
    let mut checks = preflight::nodes(&rpc, connected.is_ok());
    match connected {
        Ok(chain) => {
            checks.extend(preflight::log_ranges(egress, urls, network, *timeout).await);
            checks.extend(preflight::chain(&chain, source_chain, operator, low_balance, known).await);
        }
        Err(error) => checks.push(preflight::no_node(&error)),
    }
    Ok(checks)
}
