//! The kinds of faults of a soak.

use refiner_testchain::{Outage, PoolWords, Provider};
use refiner_testkit::pinner::{Fault, Route};

/// The name of a kill in the report.
pub const KILL: &str = "daemon: kill -9";
/// The name of a kill right after a transaction was sent.
pub const KILL_AT_SEND: &str = "daemon: kill -9 at a sending";
/// The name of a reorganisation in the report.
pub const REORGANISATION: &str = "chain: reorganisation";

/// A fault of one node for one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFault {
    /// Half of the requests meet a node that is behind.
    Lagging,
    /// Questions for logs do.
    LaggingLogs,
    /// Logs are found later than headers.
    LateLogs,
    /// The same at every node, and no bloom shows it.
    UnseenLogs,
    /// The node stands still.
    Stale,
    /// The node comes back from an outage as one of another chain.
    WrongChain,
    /// No usable answer, 403 among the kinds.
    Out(Outage),
    /// Ranges are refused.
    Limits(Provider),
    /// Requests for logs get 429.
    Throttled,
    /// Receipts are missing.
    NoReceipts,
    /// Receipts are those of another block.
    OtherReceipts,
    /// Heads are never answered.
    Hangs,
}

impl NodeFault {
    /// Each fault once.
    pub fn all() -> Vec<Self> {
        let fixed = [
            Self::Lagging,
            Self::LaggingLogs,
            Self::LateLogs,
            Self::UnseenLogs,
            Self::Stale,
            Self::WrongChain,
            Self::Out(Outage::Forbidden),
            Self::Throttled,
            Self::NoReceipts,
            Self::OtherReceipts,
            Self::Hangs,
        ];
        let limits = [Provider::Infura, Provider::QuickNode, Provider::Reth, Provider::Drpc].map(Self::Limits);
        let outages = [Outage::Payment, Outage::ParkedDomain, Outage::Empty, Outage::Null].map(Self::Out);
        fixed.into_iter().chain(limits).chain(outages).collect()
    }

    /// The name of its kind.
    pub fn kind(self) -> String {
        match self {
            Self::Out(Outage::Forbidden) => "node: 403".to_owned(),
            Self::Out(_) => "node: other outage".to_owned(),
            Self::Limits(_) => "node: range limit".to_owned(),
            other => format!("node: {other:?}"),
        }
    }
}

/// A fault of the pool, the same behind every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolFault {
    /// Transactions are accepted and dropped.
    Swallowed,
    /// The pool is emptied again and again.
    Emptied,
    /// Refusals in a node's words.
    Refused(PoolWords),
    /// Accepted with the words of a refusal.
    AlreadyImported,
}

impl PoolFault {
    /// Each fault once.
    pub fn all() -> Vec<Self> {
        let others = [Self::Swallowed, Self::Emptied, Self::AlreadyImported];
        PoolWords::ALL.map(Self::Refused).into_iter().chain(others).collect()
    }

    /// The name of its kind.
    pub fn kind(self) -> String {
        match self {
            Self::Refused(words) => format!("pool: {words:?}"),
            other => format!("pool: {other:?}"),
        }
    }
}

/// Faults of the pinner, each once.
pub fn of_pinner() -> Vec<(Route, Fault)> {
    let broken = || Fault::Status(503, "later".to_owned());
    let get = [Fault::Empty, Fault::Stall, Fault::Flipped, Fault::DieInAnswer, broken()];
    let upload =
        [Fault::Empty, Fault::InvalidJson, Fault::Panic, Fault::Stall, Fault::WrongCid, Fault::DieInRequest, broken()];
    let get = get.into_iter().map(|fault| (Route::Get, fault));
    get.chain(upload.into_iter().map(|fault| (Route::Upload, fault))).collect()
}

/// The name of the kind of a pinner's fault.
pub fn of_pinner_kind(route: Route, fault: &Fault) -> String {
    let fault = format!("{fault:?}");
    format!("pinner, {route:?}: {}", fault.split('(').next().unwrap_or_default())
}
