//! Sealed WASI: the interfaces that programs of ordinary toolchains import, with nothing behind them.
//!
//! Nothing here asks the system for anything. Clocks begin at the block's timestamp, and a wait ends at once and moves them; random
//! numbers follow from the specimen's hash, standard output ends in the rule's log, and there are no files, sockets, arguments or variables. Interfaces and
//! types are wasmtime-wasi's. Its own clocks, streams and polls are not linked: they wait in real time on a runtime of their
//! own, which neither fuel nor epochs stop.
//!
//! The guest's handles are numbers with their whole meaning ([`Stream`](super::state::wasi::lines::Stream)); times to wait for alone are kept here, and are bounded
//! ([`refiner_rule_model::WAITS_MAX`]).

mod absent;
mod clocks;
pub(super) mod poll;
pub(super) mod random;
pub(super) mod stdio;

use wasmtime::{
    StoreContextMut,
    component::{HasSelf, Linker, Resource, ResourceType},
};
use wasmtime_wasi::{
    filesystem::WasiFilesystem,
    p2::{
        IoError,
        bindings::{cli, clocks as clock, filesystem, random as random_bytes, sockets, sync},
    },
    sockets::WasiSockets,
};

use super::HostState;

/// Links every interface of WASI 0.2 that a library of a language may import.
pub(crate) fn link(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    link_what_is_there(linker)?;
    link_what_is_not(linker)
}

fn link_what_is_there(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    clock::wall_clock::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    clock::monotonic_clock::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    random_bytes::random::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    random_bytes::insecure::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    random_bytes::insecure_seed::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sync::io::poll::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sync::io::streams::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::stdin::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::stdout::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::stderr::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::exit::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)
}

fn link_what_is_not(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    link_io_errors(linker)?;
    cli::environment::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::terminal_input::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::terminal_output::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::terminal_stdin::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::terminal_stdout::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    cli::terminal_stderr::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    filesystem::preopens::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sockets::network::add_to_linker::<_, HasSelf<HostState>>(linker, &Default::default(), |state| state)?;
    sockets::instance_network::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sockets::ip_name_lookup::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sockets::tcp_create_socket::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    sync::sockets::udp_create_socket::add_to_linker::<_, HasSelf<HostState>>(linker, |state| state)?;
    // Every function of these takes a file or a socket, and no guest can come by one.
    sync::filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, |state| state.wasi.absent.files())?;
    sync::sockets::tcp::add_to_linker::<_, WasiSockets>(linker, |state| state.wasi.absent.sockets())?;
    sync::sockets::udp::add_to_linker::<_, WasiSockets>(linker, |state| state.wasi.absent.sockets())
}

/// `wasi:io/error`, by hand: wasmtime-wasi does not pass its bindings on. No stream here ever gives an error.
fn link_io_errors(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut errors = linker.instance("wasi:io/error@0.2.12")?;
    errors.resource("error", ResourceType::host::<IoError>(), |_, _| Ok(()))?;
    errors.func_wrap(
        "[method]error.to-debug-string",
        |mut store: StoreContextMut<'_, HostState>, _: (Resource<IoError>,)| {
            store.data_mut().budget.call("error.to-debug-string")?;
            Ok((String::new(),))
        },
    )
}
