//! The table at the end of a soak.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    time::Duration,
};

/// The facts of a soak.
pub struct Report {
    pub seed: u64,
    pub announcements: usize,
    pub faults: BTreeMap<String, usize>,
    pub proofs: usize,
    pub reorganisations: usize,
    pub restarts: usize,
    pub blocks: u64,
    /// Transactions of the operator on chain.
    pub nonces: u64,
    /// KiB after the first announcements, and at the end.
    pub memory: (Option<u32>, u32),
    pub took: Duration,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mebibytes = |kib: u32| format!("{:.1} MiB", f64::from(kib) / 1024.0);
        let mut line = |what: &str, value: &dyn Display| writeln!(f, "soak: {what:<32} {value}");
        line("seed", &self.seed)?;
        for (kind, count) in &self.faults {
            line(kind, count)?;
        }
        line("announcements", &self.announcements)?;
        line("accepted proofs", &self.proofs)?;
        line("transactions of the operator", &self.nonces)?;
        line("reorganisations", &self.reorganisations)?;
        line("restarts after kill -9", &self.restarts)?;
        line("blocks of the proof chain", &self.blocks)?;
        if let Some(first) = self.memory.0 {
            line("memory after 200", &mebibytes(first))?;
        }
        line("memory at the end", &mebibytes(self.memory.1))?;
        line("duration", &format!("{:.0} s", self.took.as_secs_f64()))
    }
}
