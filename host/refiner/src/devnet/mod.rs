//! `refiner devnet`: the whole network on one machine, of this program's own parts and an anvil.
//!
//! * **Inputs**: an anvil, and the sample specimens that are part of the program.
//! * **Outputs**: a proof chain, a content server, an evm-server and the daemon with its status page, at work.
//! * **Invariants**: every part is the product's own program in a process of its own, and none outlives this one's end by a signal.

mod announcer;
mod children;
mod contracts;
mod error;
mod faults;
mod node;
mod relay;
mod services;
mod specimens;
mod table;

pub use self::error::DevnetError;

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use refiner_diagnostics::{ExitCode, Failure};
use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    time::{MissedTickBehavior, interval},
};
use url::Url;

use self::{announcer::Announcer, children::Children, faults::Faults, node::Node, relay::Relay, services::Services};

/// Pause between two looks at the processes, each of which has to run.
const LOOK: Duration = Duration::from_millis(500);
const MINUTE: Duration = Duration::from_secs(60);

/// `refiner devnet`.
#[derive(Debug, Args)]
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
    let temporary = match &arguments.dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("refiner-devnet-").tempdir().map_err(DevnetError::System)?),
    };
    let directory = match (&arguments.dir, &temporary) {
        (Some(given), _) => given.clone(),
        (None, Some(made)) => made.path().to_owned(),
        (None, None) => PathBuf::new(),
    };
    fs::create_dir_all(&directory).map_err(DevnetError::System)?;
    // Each devnet has a chain of its own, on which what an earlier one proved is not.
    if fs::read_dir(&directory).map_err(DevnetError::System)?.next().is_some() {
        return Err(DevnetError::NotEmpty { directory }.into());
    }
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(DevnetError::System)?;
    let mut children = Children::in_directory(&directory);
    let ended = runtime.block_on(network(arguments, &directory, &mut children));
    children.end();
    ended?;
    Ok(ExitCode::Done)
}

async fn network(arguments: &Devnet, directory: &Path, children: &mut Children) -> Result<(), DevnetError> {
    // Before anything is started, so that nothing is left when a signal comes early.
    let mut stop = EndSignals::new().map_err(DevnetError::System)?;
    tokio::select! {
        () = stop.signal() => Ok(()),
        ended = at_work(arguments, directory, children) => ended,
    }
}

async fn at_work(arguments: &Devnet, directory: &Path, children: &mut Children) -> Result<(), DevnetError> {
    let node = match &arguments.node {
        Some(url) => Node::at(url, children).await?,
        None => Node::start(&node::find(arguments.anvil.as_deref())?, arguments.faults, children).await?,
    };
    let contracts = contracts::deploy(&node).await?;
    node.mine_each_second().await?;
    let relay = match node.address() {
        Some(address) => Some(Relay::start(arguments.listen, address).await.map_err(DevnetError::System)?),
        None => None,
    };
    let rpc = relay.as_ref().map_or_else(|| node.url().to_owned(), |relay| services::url(relay.address()));
    let services = Services::start(arguments.listen, directory, &contracts, &rpc, children).await?;
    let mut announcer = Announcer::new(&services, &contracts, &node)?;
    table::print(arguments, directory, &contracts, &services, &rpc)?;

    let mut announce = interval(MINUTE / u32::from(arguments.rate));
    announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval(LOOK);
    let length = Duration::from_secs(arguments.fault_seconds.into());
    let mut faults = arguments.faults.then(|| Faults::new(length));
    loop {
        tokio::select! {
            _ = announce.tick() => announcer.announce().await?,
            _ = look.tick() => {
                children.all_run()?;
                node.keep_base_fee().await?;
                announcer.finish_sessions().await?;
                if let (Some(faults), Some(relay)) = (&mut faults, &relay) {
                    faults.play(&node, relay, &services, children).await?;
                }
            }
        }
    }
}

/// The signals that end it.
struct EndSignals([Signal; 3]);

impl EndSignals {
    fn new() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    async fn signal(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
