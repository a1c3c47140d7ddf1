//! The command line of `refiner content`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use refiner_content::ContentId;
use refiner_diagnostics::ExitCode;

/// `refiner content`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the content id under which the network's pinners keep a file; asks nobody.
    Cid {
        /// Files, or `-`.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
    /// Fetches content and checks it: the local store first, then the pinner, then gateways.
    Get(Get),
    /// Keeps files in the local store, and with `--pinner` where the network finds them; prints their ids.
    Put(Put),
    /// Serves the local store over the pinner's HTTP API (`/upload`, `/cid`, `/get`, `/health`) and as a gateway.
    Serve(Serve),
}

/// `refiner content get`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Get {
    /// A content id, with or without `ipfs://`.
    #[arg(value_name = "CID", value_parser = id)]
    pub id: ContentId,
    /// Where to; standard output without it.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// A directory of the daemon whose store is asked first.
    #[arg(long, value_name = "DIR", env = "REFINER_DATA")]
    pub data: Option<PathBuf>,
    /// An ipfs-pinner or ewm-das.
    #[arg(long, value_name = "URL", env = "IPFS_PINNER_URL", hide_env_values = true)]
    pub pinner: Option<String>,
    /// A gateway; `none` for no gateway [default: four public ones].
    #[arg(long, value_name = "URL", env = "REFINER_GATEWAY", value_delimiter = ',', hide_env_values = true)]
    pub gateway: Vec<String>,
}

/// `refiner content put`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Put {
    /// Files, or `-`.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// The daemon's directory.
    #[arg(long, value_name = "DIR", env = "REFINER_DATA", default_value = "refiner-data")]
    pub data: PathBuf,
    /// An ipfs-pinner or ewm-das, which must name every file as we do.
    #[arg(long, value_name = "URL", env = "IPFS_PINNER_URL", hide_env_values = true)]
    pub pinner: Option<String>,
}

/// `refiner content serve`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Serve {
    /// The daemon's directory.
    #[arg(long, value_name = "DIR", env = "REFINER_DATA", default_value = "refiner-data")]
    pub data: PathBuf,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5080")]
    pub listen: SocketAddr,
    /// Lets `--listen` be an address that other machines reach. The API has no access control: whoever reaches it can fill the disk.
    #[arg(long)]
    pub beyond_loopback: bool,
}

fn id(text: &str) -> Result<ContentId, String> {
    text.strip_prefix("ipfs://").unwrap_or(text).parse().map_err(|error: refiner_content::IdError| error.to_string())
}
