//! What becomes of an item when a stage fails: the one place that decides.

use std::{fmt, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use refiner_content::{Blame, FetchFailure, KeepError, Refused};
use refiner_journal::JournalError;
use refiner_proofchain::RpcError;
use refiner_sandbox::HostFailure;
use refiner_specimen::DecodeError;
use refiner_worker::{Quarantined, WorkerFailure};

use super::{clock::milliseconds, stage::Mismatch};

/// Failures of one item in one stage after which each further one is told as an alarm.
const ALARM_AFTER: u32 = 6;
/// Tries of what may be bad luck and may be the item's fault.
const DOUBTFUL_TRIES_MAX: u32 = 3;
/// The longest pause between two tries, as a multiple of the first.
const PAUSE_FACTOR_MAX: u32 = 300;

/// Why a stage failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The proof chain could not be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The chain names no place to fetch from.
    #[error("the chain names no place to fetch from ({})", Entries(.refused))]
    Nowhere {
        /// What it names instead.
        refused: Vec<Refused>,
    },
    /// No source gave the specimen.
    #[error(transparent)]
    Fetch(#[from] FetchFailure),
    /// Something could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The specimen is what was announced, and is none.
    #[error("no specimen: {0}")]
    Specimen(#[from] DecodeError),
    /// The specimen is of something else than was announced.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// No worker gave a result.
    #[error(transparent)]
    Run(#[from] Quarantined),
    /// A rule whose results are proved has one result.
    #[error("the rule produced {artifacts} artifacts, and a proof is of one")]
    NotOneArtifact {
        /// How many.
        artifacts: usize,
    },
    /// The rule was taken out of the configuration.
    #[error("rule {name} is not configured any more")]
    NoRule {
        /// Its name.
        name: String,
    },
    /// The journal could not be asked.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A bug of ours.
    #[error("the stage panicked: please report it")]
    Panicked,
}

/// Entries that lead nowhere, with the reasons.
struct Entries<'a>(&'a [Refused]);

impl fmt::Display for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Refused { entry, why }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{entry}: {why}")?;
        }
        Ok(())
    }
}

/// What becomes of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Tried again, ever less often; nothing of it is lost.
    Retry,
    /// Tried again so many times in all, then quarantined.
    RetryUpTo(u32),
    /// The item is tried again, and the stage pauses: every other item would meet the same.
    PauseStage,
    /// Waits for a person.
    Quarantine,
}

impl StageError {
    /// The exhaustive policy: infrastructure is waited for, poison is set aside.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Rpc(_) | Self::Nowhere { .. } | Self::NoRule { .. } | Self::Journal(_) => Disposition::Retry,
            Self::Fetch(failure) => by_blame(failure.blame()),
            // The pinner builds other trees than the network's profile, and would of every result.
            Self::Keep(KeepError::WrongId { .. }) => Disposition::PauseStage,
            Self::Keep(error) => by_blame(error.blame()),
            Self::Specimen(_) | Self::Mismatch(_) | Self::NotOneArtifact { .. } | Self::Panicked => {
                Disposition::Quarantine
            }
            Self::Run(Quarantined { reason, .. }) => match reason {
                // The workers' surroundings, not the specimen.
                WorkerFailure::Spawn(_)
                | WorkerFailure::Host(
                    HostFailure::CapabilityUnavailable { .. }
                    | HostFailure::ExecutorUnavailable { .. }
                    | HostFailure::NoRoom
                    | HostFailure::SystemMemory(_),
                ) => Disposition::Retry,
                // Two workers were lost already; on a loaded machine that may be bad luck.
                WorkerFailure::Hung { .. }
                | WorkerFailure::Died { .. }
                | WorkerFailure::Protocol(_)
                | WorkerFailure::OtherRule
                | WorkerFailure::Host(HostFailure::Deadline { .. } | HostFailure::UnknownTrap { .. }) => {
                    Disposition::RetryUpTo(DOUBTFUL_TRIES_MAX)
                }
                WorkerFailure::Refused { .. } | WorkerFailure::NoSpecimen { .. } => Disposition::Quarantine,
            },
        }
    }

    /// The remedy of an error that pauses a stage.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Keep(KeepError::WrongId { .. }) => Some(
                "the pinner must import as the network does: CIDv1, raw leaves, chunks of 262144 bytes; compare `refiner content cid FILE` with its answer, or name another by --pinner",
            ),
            _ => None,
        }
    }

    /// What is done now, after `failures` earlier failures of the item in this stage.
    pub fn decide(&self, failures: u32) -> Decision {
        let again = Decision::Again { alarm: failures + 1 >= ALARM_AFTER };
        match self.disposition() {
            Disposition::Retry => again,
            Disposition::RetryUpTo(tries) if failures + 1 < tries => again,
            Disposition::PauseStage => Decision::PauseStage,
            Disposition::RetryUpTo(_) | Disposition::Quarantine => Decision::Quarantine,
        }
    }
}

/// What is done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Tried again after a pause.
    Again {
        /// Somebody should look.
        alarm: bool,
    },
    /// Tried again when the stage resumes.
    PauseStage,
    /// Waits for a person.
    Quarantine,
}

const fn by_blame(blame: Blame) -> Disposition {
    match blame {
        Blame::Infrastructure => Disposition::Retry,
        Blame::Final => Disposition::Quarantine,
    }
}

/// The pause after `failures` failures: doubling from `first` up to 300 times that, with jitter.
pub fn pause_ms(first: Duration, failures: u32) -> u64 {
    let longest = first.saturating_mul(PAUSE_FACTOR_MAX);
    let pauses = ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build();
    // Doubling reaches the longest pause within ten steps.
    let pause = pauses.into_iter().nth(failures.min(10) as usize).unwrap_or(longest);
    milliseconds(pause)
}

#[cfg(test)]
mod tests {
    use refiner_content::{Excerpt, FetchError, NotFetchable};

    use super::*;

    fn run(reason: WorkerFailure) -> StageError {
        Quarantined { reason, tries: 2 }.into()
    }

    #[test]
    fn infrastructure_is_waited_for_and_poison_set_aside() {
        use Disposition::{PauseStage, Quarantine, Retry, RetryUpTo};
        let full = KeepError::DiskFull { path: "/data".into(), needed_bytes: 1 };
        let other_id = KeepError::WrongId {
            to: refiner_content::Origin::of_path("/".as_ref()),
            ours: refiner_content::content_id(b""),
            theirs: Excerpt::of(b"another"),
        };
        let too_large = FetchFailure {
            attempts: vec![FetchError::Deadline {
                from: refiner_content::Origin::of_path("/".as_ref()),
                deadline_ms: 1,
            }],
        };
        for (error, expected) in [
            (
                StageError::Nowhere {
                    refused: vec![Refused { entry: Excerpt::of(b"local"), why: NotFetchable::OnlyLocal }],
                },
                Retry,
            ),
            (full.into(), Retry),
            (other_id.into(), PauseStage),
            (too_large.into(), Retry),
            (FetchFailure { attempts: vec![] }.into(), Quarantine),
            (StageError::NotOneArtifact { artifacts: 2 }, Quarantine),
            (StageError::Panicked, Quarantine),
            (run(WorkerFailure::Hung { wall_ms: 1 }), RetryUpTo(DOUBTFUL_TRIES_MAX)),
            (run(WorkerFailure::Spawn(std::io::ErrorKind::OutOfMemory.into())), Retry),
            (run(WorkerFailure::Host(HostFailure::NoRoom)), Retry),
            (run(WorkerFailure::OtherRule), RetryUpTo(DOUBTFUL_TRIES_MAX)),
        ] {
            assert_eq!(error.disposition(), expected, "{error}");
        }
    }

    #[test]
    fn doubtful_failures_are_tried_three_times_and_infrastructure_for_ever_and_loudly() {
        let hung = run(WorkerFailure::Hung { wall_ms: 1 });
        assert_eq!(hung.decide(DOUBTFUL_TRIES_MAX - 2), Decision::Again { alarm: false });
        assert_eq!(hung.decide(DOUBTFUL_TRIES_MAX - 1), Decision::Quarantine);
        let nowhere = StageError::Nowhere { refused: Vec::new() };
        assert_eq!(nowhere.decide(ALARM_AFTER - 2), Decision::Again { alarm: false });
        assert_eq!(nowhere.decide(ALARM_AFTER - 1), Decision::Again { alarm: true });
        assert_eq!(nowhere.decide(1_000_000), Decision::Again { alarm: true });
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let first = Duration::from_millis(100);
        for (failures, least, most) in
            [(0, 100, 200), (1, 200, 400), (3, 800, 1_600), (10, 30_000, 60_000), (999, 30_000, 60_000)]
        {
            let pause = pause_ms(first, failures);
            assert!((least..=most).contains(&pause), "{failures}: {pause}");
        }
    }
}
