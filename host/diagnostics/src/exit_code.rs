//! Exit codes: a public table, printed by `refiner --help` and kept stable.

use std::{io, process};

/// Declares the codes once: the enum, its table and its order come from the same rows.
macro_rules! exit_codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// The exit codes of the program. The order is the order of precedence: a command with several outcomes ends with the greatest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ExitCode {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl ExitCode {
            /// Every code, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The table for `--help`.
            pub const TABLE: &str = concat!(
                "Exit codes:\n",
                $("  ", $code, "  ", $meaning, "\n",)*
                "\nWhen several apply, the greatest of 3 to 6 is given."
            );

            /// The meaning of the code, as in the table.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                }
            }
        }
    };
}

exit_codes! {
    Done = 0, "everything asked for was done";
    Internal = 1, "internal error (a bug; please report it)";
    Usage = 2, "the command line, or a configuration file it names, is wrong";
    Verdict = 3, "at least one run ended in a verdict other than \"produced\", or a check failed";
    Input = 4, "at least one specimen could not be read or decoded";
    Host = 5, "at least one run hit a failure of this host: a deadline, a full disk, a missing service";
    Refused = 6, "a rule was refused at admission";
    Interrupted = 130, "a replay was ended by SIGINT or SIGTERM; the same command goes on where it was";
}

impl ExitCode {
    /// The code for output that could not be written. A reader that closed it has seen enough: `refiner … | head` is no failure.
    #[must_use]
    pub fn of_unwritten_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Done } else { Self::Host }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_public_ones_and_ascend() {
        let numbers: Vec<_> = ExitCode::ALL.iter().map(|code| *code as u8).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 130]);
        assert!(ExitCode::ALL.is_sorted());
    }

    #[test]
    fn closed_output_is_no_failure_and_a_full_disk_is_one() {
        assert_eq!(ExitCode::of_unwritten_output(&io::ErrorKind::BrokenPipe.into()), ExitCode::Done);
        assert_eq!(ExitCode::of_unwritten_output(&io::ErrorKind::StorageFull.into()), ExitCode::Host);
    }

    #[test]
    fn table_lists_every_code_with_its_meaning() {
        for code in ExitCode::ALL {
            assert!(ExitCode::TABLE.contains(&format!("\n  {}  {}\n", *code as u8, code.meaning())), "{code:?}");
        }
    }
}
