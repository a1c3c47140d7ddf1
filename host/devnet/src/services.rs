//! The product's own parts, each this program in a process of its own.

use std::{
    fs,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    children::Children,
    contracts::{Contracts, OPERATOR_KEY},
    error::DevnetError,
    node::{CHAIN_ID, free_port},
};

/// The names of the processes.
pub const CONTENT: &str = "content";
const EVM: &str = "evm";
const DAEMON: &str = "daemon";
/// Format of the results, for the evm-server and the daemon.
const FORMAT: &str = "evm-server@e";
/// Time limit for a service to listen. Compiling the rules comes first, and takes long on a slow machine.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(100);

/// Where the services listen.
pub struct Services {
    program: PathBuf,
    directory: PathBuf,
    content: SocketAddr,
    evm: SocketAddr,
    health: SocketAddr,
}

impl Services {
    pub async fn start(
        listen: IpAddr,
        directory: &Path,
        contracts: &Contracts,
        rpc: &str,
        children: &mut Children,
    ) -> Result<Self, DevnetError> {
        let port = |wanted| free_port(listen, wanted).map_err(DevnetError::System);
        let services = Self {
            program: std::env::current_exe().map_err(DevnetError::System)?,
            directory: directory.to_owned(),
            content: port(5_080)?,
            evm: port(3_002)?,
            health: port(9_568)?,
        };
        services.start_content(children)?;
        let mut evm = services.command(&["evm", "serve", "--format", FORMAT, "--listen"]);
        children.start(EVM, evm.arg(services.evm.to_string()))?;
        wait_for(services.content, CONTENT, children).await?;
        wait_for(services.evm, EVM, children).await?;
        children.start(DAEMON, &mut services.daemon(listen, contracts, rpc)?)?;
        wait_for(services.health, DAEMON, children).await?;
        Ok(services)
    }

    /// The content server, which is pinner and source; also after it was stopped.
    pub fn start_content(&self, children: &mut Children) -> Result<(), DevnetError> {
        let mut content = self.command(&["content", "serve", "--listen", &self.content.to_string()]);
        content.arg("--data").arg(self.directory.join("content"));
        children.start(CONTENT, content.args(remote(self.content.ip(), "--allow-remote-content")))
    }

    fn daemon(&self, listen: IpAddr, contracts: &Contracts, rpc: &str) -> Result<Command, DevnetError> {
        let key = self.directory.join("key");
        let mut file = fs::OpenOptions::new();
        let mut file =
            file.write(true).create(true).truncate(true).mode(0o600).open(&key).map_err(DevnetError::System)?;
        file.write_all(OPERATOR_KEY.as_bytes()).map_err(DevnetError::System)?;
        let mut daemon = self.command(&["run", "--network", "custom", "--proof-chain-id", &CHAIN_ID.to_string()]);
        daemon
            .args(["--specimen-contract", &contracts.specimens.to_string()])
            .args(["--result-contract", &contracts.results.to_string()])
            .args(["--rpc", rpc, "--pinner", &self.content_url(), "--gateway", "none"])
            .args(["--format", FORMAT, "--evm", "both", "--evm-server", &url(self.evm)])
            .args(["--start", "1", "--depth", "0", "--proof-depth", "1", "--finalize", "own"])
            .args([
                "--poll-interval",
                "500ms",
                "--retry-delay",
                "500ms",
                "--recheck-interval",
                "3s",
                "--heartbeat",
                "5s",
            ])
            .args(["--health", &self.health.to_string()])
            .args(remote(listen, "--allow-remote-health"))
            .arg("--data")
            .arg(self.directory.join("data"))
            .arg("--key-file")
            .arg(key);
        Ok(daemon)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    pub fn content_url(&self) -> String {
        url(self.content)
    }

    pub fn evm_url(&self) -> String {
        url(self.evm)
    }

    pub fn status_url(&self) -> String {
        url(self.health)
    }
}

/// The URL of a service for programs of this machine.
pub fn url(address: SocketAddr) -> String {
    let ip = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// The flag that permits others to reach a service, where the address is not of this machine alone.
fn remote(listen: IpAddr, flag: &'static str) -> Option<&'static str> {
    (!listen.is_loopback()).then_some(flag)
}

async fn wait_for(address: SocketAddr, name: &'static str, children: &mut Children) -> Result<(), DevnetError> {
    let begun = Instant::now();
    let ip = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    while TcpStream::connect_timeout(&SocketAddr::new(ip, address.port()), LOOK).is_err() {
        children.all_run()?;
        if begun.elapsed() > PATIENCE {
            return Err(children.silent(name, PATIENCE));
        }
        sleep(LOOK).await;
    }
    Ok(())
}
