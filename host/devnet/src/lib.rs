//! The whole network on one machine, of the product's own parts and an anvil.
//!
//! * **Inputs**: [`Settings`], an anvil, and the sample specimens that are part of the program.
//! * **Outputs**: a proof chain, a content server, an evm-server and the daemon with its status page, at work; a [`Report`] when they
//!   are, and one for each trouble.
//! * **Invariants**: every part is the product's own program in a process of its own, and none outlives this one's end by a signal.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use refiner_devnet::{Report, Settings, run};
//!
//! let settings = Settings { rate: 20, faults: None, directory: None, anvil: None, node: None, listen: [127, 0, 0, 1].into() };
//! run(&settings, &mut |report| {
//!     if let Report::AtWork(network) = report {
//!         assert!(network.status_url.starts_with("http://"));
//!     }
//!     Ok(())
//! })?;
//! # Ok::<(), refiner_devnet::DevnetError>(())
//! ```

mod announcer;
mod children;
mod contracts;
#[expect(missing_docs, reason = "fields are named by themselves")]
mod error;
mod faults;
mod node;
mod relay;
mod services;
mod specimens;

pub use self::{contracts::OPERATOR, error::DevnetError, faults::Trouble};

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use alloy_primitives::Address;
use refiner_terminal::PrintError;
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

/// The terms of a devnet.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Directory for all data and logs, empty or new; without it a temporary one, which is removed at the end.
    pub directory: Option<PathBuf>,
    /// Specimens that are announced each minute, at least one.
    pub rate: u16,
    /// The time for which each trouble lasts, where troubles are played.
    pub faults: Option<Duration>,
    /// The node's program; without it the one on PATH.
    pub anvil: Option<PathBuf>,
    /// An anvil that runs already and has nothing on its chain.
    pub node: Option<Url>,
    /// Address that all services listen on.
    pub listen: IpAddr,
}

/// A report of a devnet while it runs.
#[derive(Debug)]
pub enum Report<'a> {
    /// Every part is at work.
    AtWork(&'a Network),
    /// A trouble begins or is over.
    Trouble(Trouble),
}

/// Where the parts are.
#[derive(Clone, Debug)]
pub struct Network {
    /// The daemon's status page.
    pub status_url: String,
    /// The URL of the content server.
    pub content_url: String,
    /// The URL of the evm-server.
    pub evm_url: String,
    /// The URL of the node.
    pub rpc_url: String,
    /// The contract that specimens are proved at.
    pub specimens: Address,
    /// The contract that results are proved at.
    pub results: Address,
    /// All data and logs.
    pub directory: PathBuf,
}

/// Takes reports; an error ends the devnet.
pub type Reporter<'a> = &'a mut dyn FnMut(Report<'_>) -> Result<(), PrintError>;

/// Runs until SIGINT, SIGTERM or the terminal's end.
///
/// # Errors
///
/// [`DevnetError`]; all processes are ended.
pub fn run(settings: &Settings, report: Reporter<'_>) -> Result<(), DevnetError> {
    let temporary = match &settings.directory {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("refiner-devnet-").tempdir().map_err(DevnetError::System)?),
    };
    let directory = match (&settings.directory, &temporary) {
        (Some(given), _) => given.clone(),
        (None, Some(made)) => made.path().to_owned(),
        (None, None) => PathBuf::new(),
    };
    fs::create_dir_all(&directory).map_err(DevnetError::System)?;
    // Each devnet has a chain of its own, on which what an earlier one proved is not.
    if fs::read_dir(&directory).map_err(DevnetError::System)?.next().is_some() {
        return Err(DevnetError::NotEmpty { directory });
    }
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(DevnetError::System)?;
    let mut children = Children::in_directory(&directory, settings.directory.is_some());
    let ended = runtime.block_on(network(settings, &directory, &mut children, report));
    children.end();
    ended
}

async fn network(
    settings: &Settings,
    directory: &Path,
    children: &mut Children,
    report: Reporter<'_>,
) -> Result<(), DevnetError> {
    // Before anything is started, so that nothing is left when a signal comes early.
    let mut stop = EndSignals::new().map_err(DevnetError::System)?;
    tokio::select! {
        () = stop.signal() => Ok(()),
        ended = at_work(settings, directory, children, report) => ended,
    }
}

async fn at_work(
    settings: &Settings,
    directory: &Path,
    children: &mut Children,
    report: Reporter<'_>,
) -> Result<(), DevnetError> {
    let node = match &settings.node {
        Some(url) => Node::at(url, children).await?,
        None => Node::start(&node::find(settings.anvil.as_deref())?, settings.faults.is_some(), children).await?,
    };
    let contracts = contracts::deploy(&node).await?;
    node.mine_each_second().await?;
    let relay = match node.address() {
        Some(address) => Some(Relay::start(settings.listen, address).await.map_err(DevnetError::System)?),
        None => None,
    };
    let rpc = relay.as_ref().map_or_else(|| node.url().to_owned(), |relay| services::url(relay.address()));
    let services = Services::start(settings.listen, directory, &contracts, &rpc, children).await?;
    let mut announcer = Announcer::new(&services, &contracts, &node)?;
    report(Report::AtWork(&Network {
        status_url: services.status_url(),
        content_url: services.content_url(),
        evm_url: services.evm_url(),
        rpc_url: rpc,
        specimens: contracts.specimens,
        results: contracts.results,
        directory: directory.to_owned(),
    }))?;

    let mut announce = interval(MINUTE / u32::from(settings.rate.max(1)));
    announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval(LOOK);
    let mut faults = settings.faults.map(Faults::new);
    loop {
        tokio::select! {
            _ = announce.tick() => announcer.announce().await?,
            _ = look.tick() => {
                children.all_run()?;
                node.keep_base_fee().await?;
                announcer.finish_sessions().await?;
                if let (Some(faults), Some(relay)) = (&mut faults, &relay)
                    && let Some(trouble) = faults.play(&node, relay, &services, children).await?
                {
                    report(Report::Trouble(trouble))?;
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
