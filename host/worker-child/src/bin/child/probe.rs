//! A confined process that tries one door and reports the outcome.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    net::{TcpStream, UdpSocket},
    os::unix::{net::UnixStream, process::CommandExt},
    process::{Command, ExitCode},
    thread,
};

use refiner_rule_model::Grants;
use refiner_sandbox::{Allocation, EngineProfile, Sandbox};
use refiner_worker::Ceilings;
use refiner_worker_child::Confined;
use rustix::process::{Pid, Signal, getppid};

/// Confines itself as a worker does, tries the door, and writes what happened to standard output.
pub fn probe(door: &str) -> ExitCode {
    let mut component = Vec::new();
    let parent = getppid().map_or(0, |parent| parent.as_raw_nonzero().get().cast_unsigned());
    let ceilings = Ceilings { data_bytes: 1 << 30, address_bytes: None, cpu_seconds: 60, file_bytes: 1 << 20 };
    // The component of the door that makes code comes before: reading it is a worker's right.
    let confined = io::stdin().read_to_end(&mut component).and_then(|_| confine(parent, &ceilings));
    let Ok(sandbox) = confined else {
        say("not confined");
        return ExitCode::FAILURE;
    };
    match try_door(door, parent, &sandbox, &component) {
        Ok(()) => say("open"),
        Err(error) => say(&format!("closed: {error}")),
    }
    ExitCode::SUCCESS
}

fn confine(parent: u32, ceilings: &Ceilings) -> io::Result<Sandbox> {
    let mut confinement = Confined::begin(parent, ceilings).map_err(io::Error::other)?;
    let sandbox = Sandbox::new(EngineProfile::with_allocation(Allocation::OnDemand)).map_err(io::Error::other)?;
    // Code could be compiled, as far as that goes: threads for it are there.
    sandbox.start_compiler().map_err(io::Error::other)?;
    confinement.lock().map_err(io::Error::other)?;
    confinement.seal_code();
    Ok(sandbox)
}

fn try_door(door: &str, parent: u32, sandbox: &Sandbox, component: &[u8]) -> io::Result<()> {
    let (kind, argument) = door.split_once('=').unwrap_or((door, ""));
    match kind {
        "read-file" => File::open(argument).map(drop),
        "write-file" => OpenOptions::new().create(true).append(true).open(argument).map(drop),
        "list" => std::fs::read_dir(argument).map(drop),
        "parent-environment" => File::open(format!("/proc/{parent}/environ")).map(drop),
        "parent-memory" => File::open(format!("/proc/{parent}/mem")).map(drop),
        "own-descriptors" => File::open("/proc/self/fd/0").map(drop),
        "tcp" => TcpStream::connect(argument).map(drop),
        "udp" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "unix-socket" => UnixStream::connect(argument).map(drop),
        "exec" => Err(Command::new("/bin/true").exec()),
        "spawn" => Command::new("/bin/true").spawn().map(drop),
        "thread" => thread::Builder::new().spawn(|| {}).map(drop),
        "trace-parent" => {
            nix::sys::ptrace::attach(nix::unistd::Pid::from_raw(parent.cast_signed())).map_err(Into::into)
        }
        "signal-parent" => {
            let parent = Pid::from_raw(parent.cast_signed()).ok_or(io::ErrorKind::NotFound)?;
            Ok(rustix::process::kill_process(parent, Signal::CONT)?)
        }
        // What the kernel sends for a pipe, it sends in the name of whoever writes to it: the parent, which may signal itself.
        "signals-of-pipe" => set_flags(nix::libc::O_ASYNC),
        "flags-of-pipe" => set_flags(nix::libc::O_NONBLOCK),
        "size-of-pipe" => Ok(rustix::pipe::fcntl_setpipe_size(io::stdin(), 1 << 12).map(drop)?),
        "copy-of-pipe" => Ok(rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3).map(drop)?),
        "device" => Ok(rustix::io::ioctl_fionbio(io::stdin(), false)?),
        "namespace" => nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).map_err(Into::into),
        "become-root" => Ok(rustix::thread::set_thread_uid(rustix::process::Uid::ROOT)?),
        "more-memory" => {
            let mut held = Vec::<u8>::new();
            Ok(held.try_reserve_exact(2 << 30)?)
        }
        "make-code" => sandbox.admit(component, None, &Grants::all()).map(drop).map_err(io::Error::other),
        // What must work, or the others prove nothing.
        "nothing" => Ok(()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Sets the flags of standard input.
fn set_flags(flags: i32) -> io::Result<()> {
    let flags = rustix::fs::OFlags::from_bits_retain(flags.cast_unsigned());
    Ok(rustix::fs::fcntl_setfl(io::stdin(), flags)?)
}

fn say(text: &str) {
    // A closed pipe is a test that no longer listens.
    let _ = io::stdout().write_all(text.as_bytes());
}
