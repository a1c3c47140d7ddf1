//! The confinement that is required before a rule's bytes reach a child.

use std::fmt;

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::UntrustedText;
use rustix::process::getuid;

use super::{Confinement, Measure, Outcome};

/// The measures without which a rule is not given to a child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requirement {
    /// None: for rules that come with this program, and for an operator who takes the risk.
    None,
    /// The filter of system calls, which Linux has since 3.17, in containers too.
    #[default]
    Filter,
    /// Every measure but the empty tree of files, and another user where only root could become one.
    Full,
}

/// A child that took less from itself than is required.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules that are not built in need the confinement '{}', and a worker here lacks {}", .required.as_str(), Lacking(.lacking))]
pub struct Unconfined {
    /// The requirement.
    pub required: Requirement,
    /// Each measure that does not hold, with the reason.
    pub lacking: Vec<(Measure, UntrustedText)>,
}

impl Requirement {
    /// The spelling of settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Filter => "filter",
            Self::Full => "full",
        }
    }

    /// Compares what a child took from itself with what is required.
    pub fn check(self, confinement: &Confinement) -> Result<(), Unconfined> {
        let lacks = |measure: &Measure| self.needs(*measure) && !confinement.applied(*measure);
        let reason = |measure: Measure| (measure, confinement.reason(measure));
        let lacking: Vec<_> = Measure::ALL.iter().copied().filter(lacks).map(reason).collect();
        if lacking.is_empty() { Ok(()) } else { Err(Unconfined { required: self, lacking }) }
    }

    fn needs(self, measure: Measure) -> bool {
        match self {
            Self::None => false,
            Self::Filter => measure == Measure::SystemCalls,
            Self::Full => match measure {
                // Landlock denies every file already, and kernels that refuse a user's mounts are common.
                Measure::Files => false,
                Measure::User => getuid().is_root(),
                Measure::Environment
                | Measure::Descriptors
                | Measure::Network
                | Measure::Resources
                | Measure::Capabilities
                | Measure::Privileges
                | Measure::Landlock
                | Measure::SystemCalls => true,
            },
        }
    }
}

impl Confinement {
    /// The reason for which a measure does not hold.
    fn reason(&self, measure: Measure) -> UntrustedText {
        let found = self.iter().find_map(|(known, outcome)| match outcome {
            Outcome::Unavailable { reason } if *known == measure => Some(reason.clone()),
            _ => None,
        });
        found.unwrap_or_else(|| UntrustedText::new("not reported"))
    }
}

struct Lacking<'a>(&'a [(Measure, UntrustedText)]);

impl fmt::Display for Lacking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (measure, reason)) in self.0.iter().enumerate() {
            write!(f, "{}{measure} ({reason})", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Unconfined {
    /// The remedy.
    pub const HINT: &str = "give the kernel or the container what is missing (`refiner doctor` lists it), or accept less by \
         `--require-confinement`: `none` runs such rules without a filter of system calls";
}

impl Diagnostic for Unconfined {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        Some(Self::HINT.into())
    }
}
