//! Measures that were applied and those that could not be, as data.

use std::fmt;

use refiner_rule_model::UntrustedText;

macro_rules! measures {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal $text:literal,)*) => {
        /// One thing that is taken from a child.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Measure {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Measure {
            /// Every measure, in the order in which they are taken.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in reports and logs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

measures! {
    /// The environment is empty.
    Environment = 1 "environment",
    /// No descriptor is open but standard input, output and error.
    Descriptors = 2 "descriptors",
    /// A network namespace of its own, with no interface that is up.
    Network = 3 "network namespace",
    /// Bounds on memory, processor time, files and processes.
    Resources = 4 "resource limits",
    /// A user that owns nothing.
    User = 5 "user",
    /// The process has no capabilities.
    Capabilities = 6 "capabilities",
    /// No way to new privileges, no core dumps, no tracing by others of the same user, no outliving the supervisor.
    Privileges = 7 "privileges",
    /// No file can be opened, no TCP port connected to or bound, no process outside signalled.
    Landlock = 8 "landlock",
    /// No system calls beyond those that running a rule needs.
    SystemCalls = 9 "seccomp",
    /// A mount namespace of its own, with an empty tree of files.
    Files = 10 "mount namespace",
}

impl Measure {
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|measure| measure.number() == number)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The outcome of a measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The measure holds.
    Applied {
        /// The extent to which it holds.
        detail: UntrustedText,
    },
    /// The measure does not hold.
    Unavailable {
        /// The reason, in words.
        reason: UntrustedText,
    },
}

impl Outcome {
    /// A measure that holds to this extent.
    pub fn applied(detail: &str) -> Self {
        Self::Applied { detail: UntrustedText::new(detail) }
    }

    /// A measure that does not hold, for this reason.
    pub fn unavailable(reason: &impl ToString) -> Self {
        Self::Unavailable { reason: UntrustedText::new(&reason.to_string()) }
    }
}

/// Rights that a child took from itself. The supervisor learns it from the child before anything of a stranger's is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement(Vec<(Measure, Outcome)>);

impl Confinement {
    /// Every measure with what became of it.
    pub fn iter(&self) -> impl Iterator<Item = &(Measure, Outcome)> {
        self.0.iter()
    }

    /// True when the measure holds.
    pub fn applied(&self, measure: Measure) -> bool {
        self.0.iter().any(|(known, outcome)| *known == measure && matches!(outcome, Outcome::Applied { .. }))
    }

    /// Adds a measure with its outcome.
    pub fn add(&mut self, measure: Measure, outcome: Outcome) {
        self.0.push((measure, outcome));
    }
}
