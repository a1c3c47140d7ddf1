//! The schedule of a soak, which follows from its seed alone.

use std::collections::{BTreeMap, BTreeSet};

use refiner_testkit::pinner::{Fault, Route};

use super::kinds::{KILL, KILL_AT_SEND, NodeFault, PoolFault, REORGANISATION, of_pinner, of_pinner_kind};

/// Nodes that the daemon knows.
pub const NODES: usize = 3;
/// The deepest reorganisation.
const DEPTH_MAX: u64 = 12;
/// Announcements after which memory has been looked at first.
pub const FIRST_LOOK: usize = 200;
/// Announcements before the first look in which the daemon is not killed, so that it has worked by then.
const WARM: usize = 100;
/// Looks at memory up to then, and as many up to the end.
const LOOKS: usize = 5;
/// Announcements between two of them.
const LOOK_EVERY: usize = 10;
/// Rounds between two waits for everything to be proved.
const ROUNDS_TO_CALM: usize = 25;

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
    pub kill: Option<Kill>,
    /// At its end, memory is looked at.
    pub look: Option<Look>,
    /// At its end all faults are taken away, until everything is proved.
    pub calm: bool,
}

/// A kill of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Blocks of the round before it.
    pub block: u64,
    /// It waits for the first transaction that the daemon sends then, for as long as the round lasts: what is sent must be in the
    /// journal already.
    pub at_send: bool,
}

/// A part of the soak at which memory is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    First,
    Last,
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
        let mut nodes = Deck::new(NodeFault::all());
        let mut pool = Deck::new(PoolFault::all());
        let mut pinner = Deck::new(of_pinner());
        let mut depths = Deck::new((1..=DEPTH_MAX).collect());
        let looks = looks(announcements);
        let (mut rounds, mut announced) = (Vec::<Round>::new(), 0);
        // As many rounds for few announcements as show every kind of fault.
        let most: usize = if announcements < FIRST_LOOK { 6 } else { 14 };
        while announced < announcements {
            // What is looked at is a round's end.
            let end = looks.range(announced + 1..).next().map_or(announcements, |(count, _)| *count);
            let announce = random.index(most).saturating_add(1).min(end - announced);
            let warm = announcements > FIRST_LOOK && (FIRST_LOOK - WARM..FIRST_LOOK).contains(&announced);
            // The last half is one life of the daemon, so that its memory has time to grow.
            let may_kill = announced < announcements / 2 && !warm;
            announced += announce;
            let look = looks.get(&announced).copied();
            let blocks = 8 + random.below(9);
            rounds.push(Round {
                announce,
                blocks,
                nodes: [(); NODES].map(|()| random.one_in(2).then(|| nodes.draw(&mut random))),
                pool: random.one_in(2).then(|| pool.draw(&mut random)),
                pinner: random.one_in(2).then(|| pinner.draw(&mut random)),
                reorganisation: random.one_in(2).then(|| (random.below(blocks), depths.draw(&mut random))),
                kill: (may_kill && random.one_in(3))
                    .then(|| Kill { block: random.below(blocks), at_send: random.one_in(2) }),
                look,
                calm: look.is_some()
                    || announced == announcements
                    || rounds.len() % ROUNDS_TO_CALM == ROUNDS_TO_CALM - 1,
            });
        }
        Self { seed, rounds }
    }

    /// The rounds with faults of each kind.
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for kind in self.rounds.iter().flat_map(Round::kinds) {
            *kinds.entry(kind).or_default() += 1;
        }
        kinds
    }
}

impl Round {
    /// The kinds of its faults, each once.
    fn kinds(&self) -> BTreeSet<String> {
        let mut kinds: BTreeSet<_> = self.nodes.iter().flatten().map(|fault| fault.kind()).collect();
        kinds.extend(self.pool.map(PoolFault::kind));
        kinds.extend(self.pinner.as_ref().map(|(route, fault)| of_pinner_kind(*route, fault)));
        kinds.extend(self.reorganisation.map(|_| REORGANISATION.to_owned()));
        kinds.extend(self.kill.map(|kill| if kill.at_send { KILL_AT_SEND } else { KILL }.to_owned()));
        kinds
    }
}

/// The counts of announcements after which memory is looked at: the first looks, and the last.
fn looks(announcements: usize) -> BTreeMap<usize, Look> {
    let before = |end: usize| (0..LOOKS).map(move |look| end - look * LOOK_EVERY);
    if announcements <= FIRST_LOOK {
        return BTreeMap::new();
    }
    let last = before(announcements).filter(|count| *count > FIRST_LOOK).map(|count| (count, Look::Last));
    before(FIRST_LOOK).map(|count| (count, Look::First)).chain(last).collect()
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
    let depths: BTreeSet<_> = one.rounds.iter().filter_map(|round| Some(round.reorganisation?.1)).collect();
    assert_eq!(depths, (1..=DEPTH_MAX).collect());
}
