//! `refiner evm serve`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use clap::Args;
use refiner_arguments::ChainConfigs;
use refiner_config::{Bytes, Flags, Values, scope, table};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_evm::{ExecutionPolicy, ResultFormat};
use refiner_evm_server::serve::{EXECUTIONS_A_PROCESSOR, EvmServer, Limits};
use refiner_listener::Access;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, runtime};
use tokio_util::sync::CancellationToken;

use crate::{chains::ConfiguredChains, signals};

/// Connections that wait in the system's queue, as tokio has it.
const BACKLOG: i32 = 1024;
/// Threads for whatever else blocks, such as the look-up of a name.
const SPARE_THREADS: usize = 8;

/// `refiner evm serve`. It has no authentication, as the server it stands in for.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    chains: ChainConfigs,
    #[command(flatten)]
    settings: Flags<scope::EvmServe>,
}

/// Reasons for which nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// No body as large as is allowed would ever be read.
    #[error("--body-size {body} is more than --in-flight-size {in_flight}")]
    Limits {
        /// Size of one body.
        body: Bytes,
        in_flight: Bytes,
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

/// The limits that the settings give.
fn limits(settings: &Values) -> Result<Limits, ServeError> {
    let (body, in_flight) = (settings.get(&table::EVM_BODY_SIZE), settings.get(&table::EVM_IN_FLIGHT_SIZE));
    if body > in_flight {
        return Err(ServeError::Limits { body, in_flight });
    }
    let default = Limits::default();
    let running = settings.get(&table::EVM_RUNNING).map_or(default.running, size);
    let executions = settings.get(&table::EVM_EXECUTIONS).map_or(running * EXECUTIONS_A_PROCESSOR, size);
    Ok(Limits {
        body_bytes: size(body.0),
        in_flight_bytes: size(in_flight.0),
        room_time: settings.get(&table::EVM_ROOM_TIMEOUT),
        running,
        executions: executions.max(running),
        waiting: size(settings.get(&table::EVM_WAITING)),
        processor_time: settings.get(&table::EVM_PROCESSOR_TIME),
        connections: size(settings.get(&table::EVM_CONNECTIONS)),
        idle: settings.get(&table::EVM_IDLE_TIMEOUT),
        body_time: settings.get(&table::EVM_BODY_TIMEOUT),
        block_gas: settings.get(&table::EVM_BLOCK_GAS),
        drain: settings.get(&table::EVM_SHUTDOWN_TIMEOUT),
    })
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Serves until a signal asks it to stop.
pub fn run(arguments: &Serve) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let (limits, format) = (limits(&settings)?, settings.get(&table::EVM_FORMAT));
    let policy = ExecutionPolicy { gas_bound: settings.get(&table::GAS_BOUND), ..ExecutionPolicy::default() };
    let server =
        EvmServer::new(ConfiguredChains::read(&arguments.chains.chain_configs)?.executor(policy), format, limits)?;
    let server = server.with_access(Access::of_hosts(settings.get(&table::ALLOW_HOST)));
    // A paused execution holds its thread.
    let threads = limits.executions.saturating_add(SPARE_THREADS);
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(threads)
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(serve(settings.get(&table::EVM_LISTEN), format, limits, server))?;
    // A block whose client has gone is not waited for.
    runtime.shutdown_background();
    Ok(ExitCode::Done)
}

async fn serve(address: SocketAddr, format: ResultFormat, limits: Limits, server: EvmServer) -> Result<(), ServeError> {
    let stop = CancellationToken::new();
    signals::shutdown_on_signal(&stop, || tracing::info!("stopping: running requests are finished"))
        .map_err(ServeError::Runtime)?;
    let refuse = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let mut listeners = vec![listener];
    if let Some(twin) = twin(address) {
        match listen_on_one_family(twin) {
            Ok(listener) => listeners.push(listener),
            // A machine without that family, or a port of that number which another program has.
            Err(error) => tracing::info!(address = %twin, %error, "address of the other family not listened on"),
        }
    }
    tracing::info!(%address, %format, memory_bytes = limits.memory_bytes(), "executing blocks for clients");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "listening beyond loopback without authentication: every machine that reaches this address can have blocks executed");
    }
    say(address);
    server.serve(listeners, stop).await;
    Ok(())
}

/// The address of the other family with the same meaning, by which a client may know this machine. The network's server
/// listens on both. None for `[::]`, which takes both families by itself.
fn twin(address: SocketAddr) -> Option<SocketAddr> {
    let twin: IpAddr = match address.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv6Addr::UNSPECIFIED.into(),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv4Addr::LOCALHOST.into(),
        _ => return None,
    };
    Some(SocketAddr::new(twin, address.port()))
}

/// Listens on an address, and for IPv6 on that family alone.
fn listen_on_one_family(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Prints the address it listens on, which port 0 leaves open.
fn say(address: SocketAddr) {
    use io::Write as _;
    // Standard error may be closed.
    let _ = writeln!(io::stdout(), "listening on http://{address}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_every_address_have_a_twin_in_the_other_family() {
        let twin_of = |text: &str| twin(text.parse().unwrap()).map(|twin| twin.to_string());
        assert_eq!(twin_of("127.0.0.1:3002").as_deref(), Some("[::1]:3002"));
        assert_eq!(twin_of("0.0.0.0:3002").as_deref(), Some("[::]:3002"));
        assert_eq!(twin_of("[::1]:3002").as_deref(), Some("127.0.0.1:3002"));
        for lonely in ["[::]:3002", "10.0.0.1:3002", "127.0.0.2:3002"] {
            assert_eq!(twin_of(lonely), None);
        }
    }
}
