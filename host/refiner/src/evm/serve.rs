//! `refiner evm serve`.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use clap::{Args, value_parser};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_evm::{Era, ResultFormat};
use refiner_evm_server::serve::{EXECUTIONS_A_PROCESSOR, EvmServer, Limits, PORT};
use tokio::{net::TcpListener, runtime};
use tokio_util::sync::CancellationToken;

use crate::{chains, cli::ChainConfigs, executor::GasBound, signals};

const MIB: u64 = 1 << 20;

/// Threads for whatever else blocks, such as the look-up of a name.
const SPARE_THREADS: usize = 8;

/// `refiner evm serve`. It has no authentication, as the server it stands in for.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen on. An address that other machines reach, such as 0.0.0.0:3002, lets every one of them have blocks
    /// executed: there is no authentication.
    #[arg(long, value_name = "ADDRESS", env = "REFINER_EVM_LISTEN", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)))]
    listen: SocketAddr,
    /// What it answers: `canonical`, or the bytes of the network's evm-server in era `a` to `e`.
    #[arg(long, value_name = "FORMAT", env = "REFINER_EVM_FORMAT", default_value_t = ResultFormat::EvmServer(Era::D))]
    format: ResultFormat,
    #[command(flatten)]
    chains: ChainConfigs,
    #[command(flatten)]
    bound: GasBound,
    /// MiB of one body; more is answered 413.
    #[arg(long, value_name = "MIB", default_value_t = defaults().body_bytes as u64 / MIB, value_parser = value_parser!(u64).range(1..=4_096))]
    body_mib: u64,
    /// MiB of all bodies being read, waiting or executed; beyond, 503. Memory stays under 192 MiB, this, 10 times the bodies
    /// of `--executions`, and 256 MiB for each of these.
    #[arg(long, value_name = "MIB", default_value_t = defaults().in_flight_bytes as u64 / MIB, value_parser = value_parser!(u64).range(1..=1_048_576))]
    in_flight_mib: u64,
    /// Executions that use a processor at once [default: as many as there are cores].
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=512))]
    running: Option<u16>,
    /// Executions under way at once; they share the processors in slices of time, so that long ones do not keep short ones
    /// waiting [default: three times `--running`].
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1_536))]
    executions: Option<u16>,
    /// Requests that wait for one of those to end; beyond, 503.
    #[arg(long, value_name = "N", default_value_t = defaults().waiting)]
    waiting: usize,
    /// Connections at once.
    #[arg(long, value_name = "N", default_value_t = defaults().connections)]
    connections: usize,
    /// Seconds between two pieces of a request, or until a client takes a piece of its answer.
    #[arg(long, value_name = "SECONDS", default_value_t = defaults().idle.as_secs(), value_parser = value_parser!(u64).range(1..))]
    idle_seconds: u64,
    /// Seconds for the whole of a body.
    #[arg(long, value_name = "SECONDS", default_value_t = defaults().body_time.as_secs(), value_parser = value_parser!(u64).range(1..=86_400))]
    body_seconds: u64,
    /// Gas that the transactions of a block may really use; beyond, execution ends. What the header allows is not looked at.
    #[arg(long, value_name = "GAS", default_value_t = defaults().block_gas)]
    block_gas: u64,
    /// Seconds of processor time for one execution; beyond, 503. A last resort, as `--block-gas` ends blocks earlier.
    #[arg(long, value_name = "SECONDS", default_value_t = defaults().processor_time.as_secs(), value_parser = value_parser!(u64).range(1..=86_400))]
    processor_seconds: u64,
    /// Seconds for running work when told to stop; a second signal ends it at once.
    #[arg(long, value_name = "SECONDS", default_value_t = defaults().drain.as_secs(), value_parser = value_parser!(u64).range(..=86_400))]
    drain_seconds: u64,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No body as large as is allowed would ever be read.
    #[error("--body-mib {body_mib} is more than --in-flight-mib {in_flight_mib}")]
    Limits {
        /// MiB of one body.
        body_mib: u64,
        /// MiB of all.
        in_flight_mib: u64,
    },
    /// The runtime or its signals.
    #[error("the system gives no threads or signals: {0}")]
    Runtime(#[source] io::Error),
}

impl Diagnostic for ServeError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Listen { .. } | Self::Runtime(_) => ExitCode::Host,
            Self::Limits { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

fn defaults() -> Limits {
    Limits::default()
}

impl Serve {
    fn limits(&self) -> Result<Limits, ServeError> {
        let Self { body_mib, in_flight_mib, .. } = *self;
        if body_mib > in_flight_mib {
            return Err(ServeError::Limits { body_mib, in_flight_mib });
        }
        let running = self.running.map_or(defaults().running, usize::from);
        let executions = self.executions.map_or(running * EXECUTIONS_A_PROCESSOR, usize::from);
        let bytes = |mib: u64| usize::try_from(mib * MIB).unwrap_or(usize::MAX);
        Ok(Limits {
            body_bytes: bytes(body_mib),
            in_flight_bytes: bytes(in_flight_mib),
            running,
            executions: executions.max(running),
            waiting: self.waiting,
            processor_time: Duration::from_secs(self.processor_seconds),
            connections: self.connections.max(1),
            idle: Duration::from_secs(self.idle_seconds),
            body_time: Duration::from_secs(self.body_seconds),
            block_gas: self.block_gas,
            drain: Duration::from_secs(self.drain_seconds),
        })
    }
}

/// Serves until it is told to stop.
pub fn run(arguments: &Serve) -> Result<ExitCode, Failure> {
    let limits = arguments.limits()?;
    let server =
        EvmServer::new(chains::executor(&arguments.chains, arguments.bound.policy())?, arguments.format, limits)?;
    // A paused execution holds its thread.
    let threads = limits.executions.saturating_add(SPARE_THREADS);
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(threads)
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(serve(arguments.listen, arguments.format, limits, server))?;
    // A block whose client has gone is not waited for.
    runtime.shutdown_background();
    Ok(ExitCode::Done)
}

async fn serve(address: SocketAddr, format: ResultFormat, limits: Limits, server: EvmServer) -> Result<(), ServeError> {
    let stop = CancellationToken::new();
    signals::heed(&stop, || tracing::info!("Told to stop: what is running is finished."))
        .map_err(ServeError::Runtime)?;
    let refuse = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    tracing::info!(%address, %format, memory_bytes = limits.memory_bytes(), "executing blocks for clients");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "listening beyond loopback without authentication: every machine that reaches this address can have blocks executed");
    }
    say(address);
    server.serve(listener, stop).await;
    Ok(())
}

/// Tells whoever started it where it listens, which port 0 leaves open.
fn say(address: SocketAddr) {
    use io::Write as _;
    // Nobody has to listen.
    let _ = writeln!(io::stdout(), "listening on http://{address}");
}
