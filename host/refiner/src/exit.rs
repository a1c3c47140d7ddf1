//! Exit codes: a public table, printed by `refiner --help` and kept stable.

use std::process;

/// How the program ended. The order is the order of precedence: a run that saw several ends with the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// The program itself is at fault.
    Internal = 1,
    /// The command line, or a file it names as configuration, is wrong.
    Usage = 2,
    /// At least one run ended in a verdict other than "produced", or a check failed.
    Verdict = 3,
    /// At least one specimen could not be read or decoded.
    Input = 4,
    /// At least one run hit a failure of this host: a deadline, a full disk, a missing service.
    Host = 5,
    /// A rule was refused at admission.
    Refused = 6,
}

/// The table, for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0  everything asked for was done
  1  the program itself is at fault: please report it
  2  the command line, or a configuration file it names, is wrong
  3  at least one run ended in a verdict other than \"produced\", or a check failed
  4  at least one specimen could not be read or decoded
  5  at least one run hit a failure of this host: a deadline, a full disk, a missing service
  6  a rule was refused at admission

When several apply, the greatest of 3 to 6 is given.";

impl From<Exit> for process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
