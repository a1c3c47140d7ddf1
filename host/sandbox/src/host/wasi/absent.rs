//! Parts of an ordinary system that a rule does not have: files, sockets, names, terminals, arguments, variables.

use refiner_rule_model::{Misuse, Thing};
use wasmtime::component::Resource;
use wasmtime_wasi::{
    filesystem::Descriptor,
    p2::{
        DynPollable, SocketError, SocketResult, TcpSocket, UdpSocket,
        bindings::{
            cli::{
                environment,
                terminal_input::{self, TerminalInput},
                terminal_output::{self, TerminalOutput},
                terminal_stderr, terminal_stdin, terminal_stdout,
            },
            filesystem::preopens,
            sockets::{
                instance_network,
                ip_name_lookup::{self, ResolveAddressStream},
                network::{self, ErrorCode, IpAddress, IpAddressFamily, Network},
                tcp_create_socket,
            },
            sync::sockets::udp_create_socket,
        },
    },
};

use crate::host::{
    budget::BudgetExceeded,
    state::{HostState, wasi::times},
};

/// Number of the network's handle. Whatever is asked of it is denied.
const NETWORK_REP: u32 = 0;

/// For functions of things that no guest can hold.
fn nothing_there(what: Thing) -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what })
}

impl environment::Host for HostState {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.budget.call("environment.get-environment")?;
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        self.budget.call("environment.get-arguments")?;
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        self.budget.call("environment.initial-cwd")?;
        Ok(None)
    }
}

impl preopens::Host for HostState {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.budget.call("preopens.get-directories")?;
        Ok(Vec::new())
    }
}

impl terminal_input::Host for HostState {}
impl terminal_input::HostTerminalInput for HostState {
    fn drop(&mut self, _: Resource<TerminalInput>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl terminal_output::Host for HostState {}
impl terminal_output::HostTerminalOutput for HostState {
    fn drop(&mut self, _: Resource<TerminalOutput>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl terminal_stdin::Host for HostState {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<TerminalInput>>> {
        self.budget.call("terminal-stdin.get-terminal-stdin")?;
        Ok(None)
    }
}

impl terminal_stdout::Host for HostState {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<TerminalOutput>>> {
        self.budget.call("terminal-stdout.get-terminal-stdout")?;
        Ok(None)
    }
}

impl terminal_stderr::Host for HostState {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<TerminalOutput>>> {
        self.budget.call("terminal-stderr.get-terminal-stderr")?;
        Ok(None)
    }
}

impl From<BudgetExceeded> for SocketError {
    fn from(stop: BudgetExceeded) -> Self {
        Self::trap(stop)
    }
}

impl instance_network::Host for HostState {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Network>> {
        self.budget.call("instance-network.instance-network")?;
        Ok(Resource::new_own(NETWORK_REP))
    }
}

impl network::Host for HostState {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Err(nothing_there(Thing::Error).into())
    }
}

impl network::HostNetwork for HostState {
    fn drop(&mut self, _: Resource<Network>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl tcp_create_socket::Host for HostState {
    fn create_tcp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.budget.call("tcp-create-socket.create-tcp-socket")?;
        Err(ErrorCode::AccessDenied.into())
    }
}

impl udp_create_socket::Host for HostState {
    fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.budget.call("udp-create-socket.create-udp-socket")?;
        Err(ErrorCode::AccessDenied.into())
    }
}

impl ip_name_lookup::Host for HostState {
    fn resolve_addresses(
        &mut self,
        _: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.budget.call("ip-name-lookup.resolve-addresses")?;
        self.budget.copy(name.len())?;
        Err(ErrorCode::AccessDenied.into())
    }
}

impl ip_name_lookup::HostResolveAddressStream for HostState {
    fn resolve_next_address(&mut self, _: Resource<ResolveAddressStream>) -> SocketResult<Option<IpAddress>> {
        Err(nothing_there(Thing::Name).into())
    }

    fn subscribe(&mut self, _: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        Ok(times::over())
    }

    fn drop(&mut self, _: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}
