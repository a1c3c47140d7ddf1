//! The command line of `refiner content`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use refiner_config::{Flags, scope};
use refiner_content::ContentId;
use refiner_diagnostics::ExitCode;

/// `refiner content`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the content id under which the network's pinners keep a file; needs no network.
    Cid {
        /// Files, or `-`.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// Prints the DAS root that ewm-das answers under `/api/v1` instead; takes seconds for a file of 3 MB.
        #[arg(long)]
        das: bool,
    },
    /// Fetches content and checks it: the local store first, then the pinner, then gateways.
    Get(Get),
    /// Keeps files in the local store, and with `--pinner` where the network finds them; prints their ids.
    Put(Put),
    /// Serves the local store over the pinner's HTTP API (`/upload`, `/cid`, `/get`, `/health`, each also under
    /// `/api/v1` with DAS roots) and as a gateway.
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
    #[command(flatten)]
    pub settings: Flags<scope::ContentGet>,
}

/// `refiner content put`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Put {
    /// Files, or `-`.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub settings: Flags<scope::ContentPut>,
}

/// `refiner content serve`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Serve {
    #[command(flatten)]
    pub settings: Flags<scope::ContentServe>,
}

fn id(text: &str) -> Result<ContentId, String> {
    text.strip_prefix("ipfs://").unwrap_or(text).parse().map_err(|error: refiner_content::IdError| error.to_string())
}
