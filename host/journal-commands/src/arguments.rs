//! Arguments of `refiner journal`.

use std::path::PathBuf;

use alloy_primitives::Address;
use clap::{Args, Subcommand, ValueEnum};
use refiner_arguments::Run;
use refiner_config::{Flags, scope};
use refiner_journal::{ItemId, State};
use refiner_proofchain::StartBlock;

/// `refiner journal`.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// One line for each item, with its state and why it is there.
    List {
        /// The items to print.
        #[command(flatten)]
        chosen: Chosen,
        /// Items at most.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        limit: usize,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one item, as JSON.
    Show {
        /// Its number, from `list`.
        #[arg(value_name = "ITEM")]
        item: ItemId,
        /// The directory of the journal.
        #[command(flatten)]
        settings: Flags<scope::Data>,
    },
    /// Gives items another try: quarantined and skipped ones from the beginning, waiting and failed ones at once.
    Retry {
        /// The items to change.
        #[command(flatten)]
        selected: Selected,
    },
    /// Puts items back, so that a stage and those after it are done once more. Not once a transaction is signed.
    Rewind {
        /// The first stage that is done again.
        #[arg(long, value_enum, value_name = "STAGE")]
        to: Stage,
        /// The items to change.
        #[command(flatten)]
        selected: Selected,
    },
    /// Takes items out of the pipeline for good; the journal keeps their history, and `retry` brings them back.
    Skip {
        /// The items to change.
        #[command(flatten)]
        selected: Selected,
    },
    /// Removes items from the journal, but for those that the next scan would announce anew: of the newest 256 blocks, or of twice
    /// `--scan-window` where that is more. One that is scanned again, or announced again, begins anew.
    Forget {
        /// The items to change.
        #[command(flatten)]
        selected: Selected,
    },
    /// Scans blocks of the proof chain again for announcements that are not in the journal. While a daemon runs, it does so, with its
    /// own settings; otherwise this command does, and takes the settings of `run`.
    Scan {
        /// First block.
        #[arg(long, value_name = "BLOCK")]
        from: u64,
        /// Last block [default: the last that was scanned].
        #[arg(long, value_name = "BLOCK")]
        to: Option<u64>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
        /// The settings of `run`.
        #[command(flatten)]
        run: Box<Run>,
    },
    /// Takes over what the network's earlier refiner kept in its directory `logs`: specimens that it did not finish are worked on, those
    /// that it finished are skipped, and the scan starts where it stopped. Can be repeated. No daemon may run; takes the settings of
    /// `run`.
    Import {
        /// The directory with worklog.etf and block_height.etf.
        #[arg(value_name = "DIR")]
        logs: PathBuf,
        /// Shows what would be taken, and writes nothing.
        #[arg(long)]
        dry_run: bool,
        /// One JSON object.
        #[arg(long)]
        json: bool,
        /// The settings of `run`.
        #[command(flatten)]
        run: Box<Run>,
    },
    /// Makes a lost journal anew from the proof chain: announcements whose proof by this operator is on chain are final, the others
    /// are worked on. Can be repeated. No daemon may run; takes the settings of `run`.
    Rebuild {
        /// First block: a number, or `7d` for days back [default: as for `run --start`].
        #[arg(long, value_name = "BLOCK")]
        from: Option<StartBlock>,
        /// Address of the operator whose proofs are looked for [default: that of the key].
        #[arg(long, value_name = "ADDRESS")]
        proved_by: Option<Address>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
        /// The settings of `run`.
        #[command(flatten)]
        run: Box<Run>,
    },
    /// Copies the journal into one file, also while the daemon runs, which then writes it. The file is there once it is complete and
    /// verified; put in the place of `journal.sqlite` of a stopped daemon, it restores the journal.
    Backup {
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Replaces a file that is there.
        #[arg(long)]
        force: bool,
        /// The directory of the journal.
        #[command(flatten)]
        settings: Flags<scope::Data>,
    },
    /// Every item with its artifacts and transactions, one JSON object a line.
    Export {
        /// The items to print.
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// Items that are changed, by number or by what they have in common.
#[derive(Debug, Args)]
pub struct Selected {
    /// Their numbers, from `list`.
    #[arg(required_unless_present_any = ["heights", "state"], value_name = "ITEM")]
    pub items: Vec<ItemId>,
    /// Items from one height to another, both included.
    #[arg(long, value_name = "A:B", value_parser = heights, conflicts_with = "items")]
    pub heights: Option<(u64, u64)>,
    /// Items in this state, such as `waiting`.
    #[arg(long, value_name = "STATE", value_parser = state, conflicts_with = "items")]
    pub state: Option<State>,
    #[command(flatten)]
    pub settings: Flags<scope::Data>,
}

/// A stage of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Find the specimen and fetch it.
    Fetch,
    /// Run the rule.
    Refine,
    /// Pin the result.
    Pin,
    /// Prove the result.
    Prove,
}

impl Stage {
    /// The state in which items wait for the stage.
    pub const fn state(self) -> State {
        match self {
            Self::Fetch => State::Announced,
            Self::Refine => State::Fetched,
            Self::Pin => State::Produced,
            Self::Prove => State::Pinned,
        }
    }
}

/// Which items.
#[derive(Debug, Args)]
pub struct Chosen {
    /// Only items in this state, such as `quarantined`.
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub state: Option<State>,
    /// Only items of this height.
    #[arg(long, value_name = "HEIGHT")]
    pub height: Option<u64>,
    #[command(flatten)]
    pub settings: Flags<scope::Data>,
}

fn state(text: &str) -> Result<State, String> {
    State::from_word(text).ok_or_else(|| {
        let known: Vec<_> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("known states are {}", known.join(", "))
    })
}

fn heights(text: &str) -> Result<(u64, u64), &'static str> {
    const EXPECTED: &str = "expected A:B, two heights in ascending order";
    let (from, to) = text.split_once(':').ok_or(EXPECTED)?;
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if from <= to => Ok((from, to)),
        _ => Err(EXPECTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_two_numbers_in_ascending_order() {
        assert_eq!(heights("7:9"), Ok((7, 9)));
        assert_eq!(heights("7:7"), Ok((7, 7)));
        for wrong in ["7", "9:7", "a:b", "7:", ""] {
            assert!(heights(wrong).is_err(), "{wrong}");
        }
    }
}
