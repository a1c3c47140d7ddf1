//! Everything that the page shows, as plain data.

use crate::Window;

/// The page at one moment. Times are milliseconds since 1970, texts are as they came.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Version of the program.
    pub version: String,
    /// The moment.
    pub now_ms: u64,
    /// The chain that is followed, by name or id.
    pub network: String,
    /// Address of the operator, where results are proved.
    pub operator: Option<String>,
    /// State of the daemon as a whole.
    pub health: Health,
    /// The reason for which no proof is submitted, if none is.
    pub paused: Option<Pause>,
    /// Parts that wait.
    pub waits: Vec<Wait>,
    /// The last failure of a stage or a part.
    pub last_failure: Option<String>,
    /// Its time.
    pub last_failure_ms: u64,
    /// The error of the journal, when it cannot be asked.
    pub journal_error: Option<String>,
    /// The proof chain's newest block.
    pub head: Option<u64>,
    /// The last block whose announcements are known.
    pub cursor: Option<u64>,
    /// Nodes of the proof chain.
    pub nodes: Vec<Node>,
    /// Items by state, in the order of an item's life.
    pub counts: Vec<Count>,
    /// Items that failed for good.
    pub quarantine: Quarantine,
    /// Items that no source has.
    pub waiting: Vec<Waiting>,
    /// Proofs that the balance pays for.
    pub proofs_left: Option<u64>,
    /// The balance in coins of the proof chain.
    pub balance: Option<String>,
    /// Proofs of this operator and what became of them.
    pub earnings: Earnings,
    /// Child processes that run rules.
    pub workers: Workers,
    /// Worker hosts, where they share the work.
    pub hosts: Option<Hosts>,
    /// Checks before work begins.
    pub checks: Vec<Check>,
    /// When they were made, milliseconds since 1970. They are not made again once none is an error.
    pub checked_ms: Option<u64>,
    /// Settings in force.
    pub settings: Vec<Setting>,
    /// The time that the charts cover.
    pub window: Window,
}

/// The state of the daemon as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// The chain was not reached yet, or a check is an error.
    #[default]
    Starting,
    /// Every stage runs.
    Ready,
    /// A signal ended it.
    Stopping,
}

/// A pause of proving.
#[derive(Clone, Debug, Default)]
pub struct Pause {
    /// The reason.
    pub reason: String,
    /// Advice for the operator.
    pub remedy: Option<String>,
    /// The beginning.
    pub since_ms: u64,
}

/// A part that waits for something.
#[derive(Clone, Debug, Default)]
pub struct Wait {
    /// The part.
    pub part: String,
    /// The thing that it waits for.
    pub what: String,
    /// Advice for the operator.
    pub remedy: String,
    /// The beginning.
    pub since_ms: u64,
}

/// A node of the proof chain.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Scheme, host and port.
    pub name: String,
    /// Its state in a word.
    pub state: String,
    /// The reason for a state other than well.
    pub reason: Option<String>,
    /// The newest block that it has.
    pub head: Option<u64>,
    /// Age of that block in seconds.
    pub head_age_s: Option<u64>,
}

/// Items in a state.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// The state.
    pub state: String,
    /// The number of items.
    pub items: u64,
}

/// Items that failed for good and wait for a person.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    /// All of them.
    pub total: u64,
    /// The first of them.
    pub first: Vec<Quarantined>,
    /// The command that lists all.
    pub list_command: String,
}

/// An item that failed for good.
#[derive(Clone, Debug, Default)]
pub struct Quarantined {
    /// Number of the item.
    pub item: String,
    /// Number of the block.
    pub height: u64,
    /// Name of the rule.
    pub rule: String,
    /// The reason.
    pub reason: String,
    /// Advice for the operator.
    pub remedy: String,
    /// The command that tries it again.
    pub command: String,
    /// The time of its failure.
    pub since_ms: u64,
}

/// An item that no source has.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Number of the item.
    pub item: String,
    /// Number of the block.
    pub height: u64,
    /// The reason.
    pub reason: String,
    /// The time of the next look.
    pub next_ms: u64,
}

/// Proofs of this operator and what became of them, as far as this host knows: rewards are paid elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Earnings {
    /// Results that other operators proved too.
    pub agreed: u64,
    /// Results of which others proved another.
    pub differed: u64,
    /// Results that no other operator had proved.
    pub alone: u64,
    /// Sessions with a proof of this operator, by outcome.
    pub sessions: Vec<(String, u64)>,
    /// Cost of the transactions of the last 24 hours, in coins.
    pub spent_day: Option<String>,
}

/// Child processes that run rules.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    /// Rules that may run at once.
    pub configured: usize,
    /// Processes there are.
    pub running: Vec<Worker>,
}

/// A child process that runs a rule.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    /// Process id.
    pub pid: u32,
    /// Name of its rule.
    pub rule: String,
    /// Number of the current try; none while it waits for work.
    pub attempt: Option<u32>,
}

/// Worker hosts that share the work over a queue in NATS.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Id of the queue.
    pub queue: String,
    /// True while NATS answers.
    pub connected: bool,
    /// Number of tasks in NATS.
    pub tasks: u64,
    /// Number of tasks whose results are waited for.
    pub waiting: u64,
    /// Age of the oldest of them.
    pub oldest_ms: u64,
    /// Results of tasks that were given to more than one host.
    pub redeliveries: u64,
    /// Tasks that were handed out again.
    pub republished: u64,
    /// Results that could not be used.
    pub unusable: u64,
    /// Messages that were refused.
    pub refused_messages: u64,
    /// Pairs of results that differ.
    pub disagreements: u64,
    /// Number of hosts.
    pub total: u64,
    /// The first of them by name.
    pub first: Vec<Host>,
}

/// A worker host.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Version of its program.
    pub version: String,
    /// Number of runs at once.
    pub workers: u64,
    /// Number of tasks in hand.
    pub running: u64,
    /// Tasks that came to their end there.
    pub done: u64,
    /// Time since its last sign of life.
    pub seen_ms: u64,
    /// Reasons for which it does less than it could.
    pub faults: Vec<String>,
}

/// A check before work begins.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The thing that was checked.
    pub name: String,
    /// The outcome.
    pub level: Level,
    /// The finding.
    pub detail: String,
    /// Advice for the operator.
    pub remedy: Option<String>,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    #[default]
    Ok,
    /// Work goes on with less than there could be.
    Warning,
    /// Nothing is proved until it is mended.
    Error,
}

/// A setting in force.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// Its name in a configuration file.
    pub key: String,
    /// Its value without secrets; none where nothing is set.
    pub value: Option<String>,
    /// A flag, a variable, a file, or the default.
    pub origin: String,
}
