//! The table at the end of a soak.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    time::Duration,
};

/// Rounds with a fault of a kind after which it must have been met once.
const ROUNDS_UNMET_MAX: usize = 5;

/// The facts of a soak.
pub struct Report {
    pub seed: u64,
    pub announcements: usize,
    /// By kind of fault.
    pub faults: BTreeMap<String, Tally>,
    pub proofs: usize,
    pub reorganisations: usize,
    pub restarts: usize,
    pub blocks: u64,
    /// Transactions of the operator on chain.
    pub nonces: u64,
    pub first_memory: Readings,
    pub last_memory: Readings,
    pub took: Duration,
}

/// A kind of fault as planned and as met.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Rounds that have it in the plan.
    pub planned: usize,
    /// Rounds in which the daemon met it.
    pub met: usize,
    /// Requests that it answered, or what else it took away.
    pub times: u64,
}

impl Tally {
    /// Whether the fault was planned often and never met, so that the soak shows nothing about it.
    pub const fn is_unmet(&self) -> bool {
        self.met == 0 && self.planned >= ROUNDS_UNMET_MAX
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "planned in {:>4} rounds, met in {:>4}, {:>6} times", self.planned, self.met, self.times)
    }
}

/// Memory of the daemon in KiB, at several moments without work.
#[derive(Clone, Debug, Default)]
pub struct Readings(pub Vec<u32>);

impl Readings {
    /// The median; 0 without any reading.
    pub fn median(&self) -> u32 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

impl Display for Readings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mebibytes = |kib: u32| f64::from(kib) / 1024.0;
        let (least, most) = (self.0.iter().min().copied(), self.0.iter().max().copied());
        let [median, least, most] = [self.median(), least.unwrap_or_default(), most.unwrap_or_default()].map(mebibytes);
        write!(f, "{median:.1} MiB, the median of {} readings of {least:.1} to {most:.1}", self.0.len())
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, value: &dyn Display| writeln!(f, "soak: {what:<32} {value}");
        line("seed", &self.seed)?;
        for (kind, tally) in &self.faults {
            line(kind, tally)?;
        }
        line("announcements", &self.announcements)?;
        line("accepted proofs", &self.proofs)?;
        line("transactions of the operator", &self.nonces)?;
        line("reorganisations", &self.reorganisations)?;
        line("restarts after kill -9", &self.restarts)?;
        line("blocks of the proof chain", &self.blocks)?;
        if !self.first_memory.0.is_empty() {
            line("memory after 200", &self.first_memory)?;
            line("memory at the end", &self.last_memory)?;
        }
        line("duration", &format!("{:.0} s", self.took.as_secs_f64()))
    }
}

#[test]
fn median_of_readings_is_the_one_in_the_middle() {
    assert_eq!(Readings(vec![9, 1, 5]).median(), 5);
    assert_eq!(Readings::default().median(), 0);
}

#[test]
fn fault_that_is_planned_often_and_never_met_is_a_difference() {
    let tally = |planned, met| Tally { planned, met, times: 0 };
    assert!(tally(5, 0).is_unmet());
    assert!(!tally(4, 0).is_unmet());
    assert!(!tally(50, 1).is_unmet());
}
