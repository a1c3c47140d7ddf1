//! Connections and room that the files of one command share.

use std::{fmt, time::Duration};

use refiner_content::{Fetcher, UrlFetcher};
use tokio::runtime::Runtime;

use crate::spool::Spool;

/// Connections and room that files share while they are read.
pub(crate) struct Network {
    pub runtime: Runtime,
    pub web: UrlFetcher,
    pub content: Fetcher,
    pub spool: Spool,
    /// The longest time without a further object of a listing.
    pub listing: Duration,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
