//! The schedule of a soak, which follows from its seed alone.

use std::collections::BTreeMap;

use refiner_testchain::{Outage, PoolWords, Provider};
use refiner_testkit::pinner::{Fault, Route};

/// Nodes that the daemon knows.
pub const NODES: usize = 3;
/// The deepest reorganisation.
const DEPTH_MAX: u64 = 12;
/// Announcements after which memory is looked at first; the daemon is not killed for as long before.
pub const FIRST_LOOK: usize = 200;
/// Announcements before the first look in which the daemon is not killed, so that it has worked by then.
const WARM: usize = 100;
/// Rounds between two waits for everything to be proved.
const ROUNDS_TO_CALM: usize = 25;

/// A fault of one node for one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFault {
    /// Half of the requests meet a node that is behind.
    Lagging,
    /// Questions for logs do.
    LaggingLogs,
    /// Logs are found later than headers.
    LateLogs,
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

/// A fault of the pool, the same behind every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolFault {
    /// Transactions are accepted and dropped.
    Swallowed,
    /// The pool is emptied.
    Emptied,
    /// Refusals in a node's words.
    Refused(PoolWords),
    /// Accepted with the words of a refusal.
    AlreadyImported,
}

/// One round: an announcement of some specimens, and the faults that last until the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub announce: usize,
    /// Blocks in this round.
    pub blocks: u64,
    pub nodes: [Option<NodeFault>; NODES],
    pub pool: Option<PoolFault>,
    pub pinner: Option<(Route, Fault)>,
    /// The block of the round at which so many blocks are replaced.
    pub reorganisation: Option<(u64, u64)>,
    /// The block of the round at which the daemon is killed.
    pub kill: Option<u64>,
    /// At its end all faults are taken away, until everything is proved.
    pub calm: bool,
}

/// All rounds.
pub struct Plan {
    pub seed: u64,
    pub rounds: Vec<Round>,
}

impl Plan {
    /// The schedule for so many announcements.
    pub fn new(announcements: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut nodes = Deck::new(node_faults());
        let mut pool = Deck::new(pool_faults());
        let mut pinner = Deck::new(pinner_faults());
        let mut depths = Deck::new((1..=DEPTH_MAX).collect());
        let (mut rounds, mut announced) = (Vec::<Round>::new(), 0);
        // As many rounds for few announcements as show every kind of fault.
        let most: usize = if announcements < FIRST_LOOK { 6 } else { 14 };
        while announced < announcements {
            let announce = random.index(most).saturating_add(1).min(announcements - announced);
            // What is looked at is a round's end.
            let announce = if announced < FIRST_LOOK { announce.min(FIRST_LOOK - announced) } else { announce };
            let warm = announcements > FIRST_LOOK && (FIRST_LOOK - WARM..FIRST_LOOK).contains(&announced);
            // The last half is one life of the daemon, so that its memory has time to grow.
            let may_kill = announced < announcements / 2 && !warm;
            announced += announce;
            let blocks = 8 + random.below(9);
            rounds.push(Round {
                announce,
                blocks,
                nodes: [(); NODES].map(|()| random.one_in(2).then(|| nodes.draw(&mut random))),
                pool: random.one_in(2).then(|| pool.draw(&mut random)),
                pinner: random.one_in(2).then(|| pinner.draw(&mut random)),
                reorganisation: random.one_in(2).then(|| (random.below(blocks), depths.draw(&mut random))),
                kill: (may_kill && random.one_in(3)).then(|| random.below(blocks)),
                calm: announced == FIRST_LOOK
                    || announced == announcements
                    || rounds.len() % ROUNDS_TO_CALM == ROUNDS_TO_CALM - 1,
            });
        }
        Self { seed, rounds }
    }

    /// The number of faults of each kind.
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        let mut count = |kind: String| *kinds.entry(kind).or_default() += 1;
        for round in &self.rounds {
            for fault in round.nodes.iter().flatten() {
                count(match fault {
                    NodeFault::Out(Outage::Forbidden) => "node: 403".to_owned(),
                    NodeFault::Out(_) => "node: other outage".to_owned(),
                    NodeFault::Limits(_) => "node: range limit".to_owned(),
                    other => format!("node: {other:?}"),
                });
            }
            match round.pool {
                Some(PoolFault::Refused(words)) => count(format!("pool: {words:?}")),
                Some(other) => count(format!("pool: {other:?}")),
                None => {}
            }
            if let Some((route, fault)) = &round.pinner {
                count(format!("pinner, {route:?}: {}", format!("{fault:?}").split('(').next().unwrap_or_default()));
            }
            if round.reorganisation.is_some() {
                count("reorganisation".to_owned());
            }
            if round.kill.is_some() {
                count("kill -9".to_owned());
            }
        }
        kinds
    }
}

fn node_faults() -> Vec<NodeFault> {
    let fixed = [
        NodeFault::Lagging,
        NodeFault::LaggingLogs,
        NodeFault::LateLogs,
        NodeFault::Stale,
        NodeFault::WrongChain,
        NodeFault::Out(Outage::Forbidden),
        NodeFault::Throttled,
        NodeFault::NoReceipts,
        NodeFault::OtherReceipts,
        NodeFault::Hangs,
    ];
    let limits = [Provider::Infura, Provider::QuickNode, Provider::Reth, Provider::Drpc].map(NodeFault::Limits);
    let outages = [Outage::Payment, Outage::ParkedDomain, Outage::Empty, Outage::Null].map(NodeFault::Out);
    fixed.into_iter().chain(limits).chain(outages).collect()
}

fn pool_faults() -> Vec<PoolFault> {
    let refused = [
        PoolWords::TemporarilyBanned,
        PoolWords::BannedAsKnown,
        PoolWords::TooLowPriority,
        PoolWords::Payment,
        PoolWords::QueueLimit,
        PoolWords::ImmediatelyDropped,
    ];
    let others = [PoolFault::Swallowed, PoolFault::Emptied, PoolFault::AlreadyImported];
    refused.map(PoolFault::Refused).into_iter().chain(others).collect()
}

fn pinner_faults() -> Vec<(Route, Fault)> {
    let broken = || Fault::Status(503, "later".to_owned());
    let get = [Fault::Empty, Fault::Stall, Fault::Flipped, Fault::DieInAnswer, broken()];
    let upload =
        [Fault::Empty, Fault::InvalidJson, Fault::Panic, Fault::Stall, Fault::WrongCid, Fault::DieInRequest, broken()];
    let get = get.into_iter().map(|fault| (Route::Get, fault));
    get.chain(upload.into_iter().map(|fault| (Route::Upload, fault))).collect()
}

/// Each card comes once before one comes again.
struct Deck<T> {
    cards: Vec<T>,
    left: Vec<T>,
}

impl<T: Clone> Deck<T> {
    const fn new(cards: Vec<T>) -> Self {
        Self { cards, left: Vec::new() }
    }

    fn draw(&mut self, random: &mut Random) -> T {
        if self.left.is_empty() {
            self.left.clone_from(&self.cards);
        }
        let index = random.index(self.left.len());
        self.left.swap_remove(index)
    }
}

/// Numbers that follow from the seed: splitmix64.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    const fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

#[test]
fn schedule_of_a_soak_follows_from_its_seed() {
    let (one, same, other) = (Plan::new(2_000, 1), Plan::new(2_000, 1), Plan::new(2_000, 2));
    assert_eq!(one.rounds, same.rounds);
    assert_ne!(one.rounds, other.rounds);
    assert_eq!(one.rounds.iter().map(|round| round.announce).sum::<usize>(), 2_000);
    let depths: std::collections::BTreeSet<_> =
        one.rounds.iter().filter_map(|round| Some(round.reorganisation?.1)).collect();
    assert_eq!(depths, (1..=DEPTH_MAX).collect());
}
