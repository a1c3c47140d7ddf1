//! The fate of an item when a stage fails: the one place that decides.

use std::{fmt, time::Duration};

use refiner_content::{Blame, FetchFailure, KeepError, Refused};
use refiner_journal::{JournalError, State};
use refiner_proofchain::RpcError;
use refiner_queue::{Blame as TaskBlame, TaskFailure};
use refiner_specimen::DecodeError;
use refiner_worker::{FailureBlame, Quarantined};

use super::{
    backoff::{PAUSE_FACTOR_MAX, pause},
    clock::milliseconds,
    mismatch::Mismatch,
};

/// Failures of one item in one stage after which each further one is logged as an error.
const ALARM_AFTER: u32 = 6;
/// Tries of what may be bad luck and may be the item's fault.
const DOUBTFUL_TRIES_MAX: u32 = 3;
/// Fruitless searches of all sources after which a specimen waits: most sources are well again within a minute, or are not for long.
const SEARCHES_BEFORE_WAITING: u32 = 4;
/// The longest pause between two looks at what waits, as a multiple of the first pause: six hours for one of a second.
const LOOK_FACTOR_MAX: u32 = 21_600;
/// Looks that a specimen without any readable address is ahead of others: only a further producer can help.
const LOOKS_SKIPPED: u32 = 2;

/// Failures of a stage.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The proof chain could not be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The chain names no place to fetch from.
    #[error("the chain names no place to fetch from ({})", Entries(.refused))]
    Nowhere {
        /// The content that it names instead.
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
    /// No worker host gave a result.
    #[error(transparent)]
    Task(#[from] TaskFailure),
    /// The daemon ends before a host's result came; nothing is written down.
    #[error("the daemon ends before the result came")]
    Stopping,
    /// A rule whose results are proved has one result.
    #[error("the rule produced {artifacts} artifacts, and a proof is of one")]
    NotOneArtifact {
        /// The number that was found.
        artifacts: usize,
    },
    /// The rule was taken out of the configuration, or has another identity. Items under way are superseded at the start.
    #[error("rule {name} is no longer configured with this identity")]
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

/// The fate of an item whose stage failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Tried again, ever less often; nothing of it is lost.
    Retry,
    /// Tried again so many times in all, then quarantined.
    RetryUpTo(u32),
    /// Tried again some times, and then looked at ever more rarely, apart from the backlog.
    RetryThenWait,
    /// Looked at ever more rarely, apart from the backlog.
    Wait,
    /// The item is tried again, and the stage pauses: every other item would meet the same.
    PauseStage,
    /// Waits for a person.
    Quarantine,
}

impl StageError {
    /// The exhaustive policy: infrastructure is waited for, poison is set aside.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Rpc(_) | Self::Journal(_) => Disposition::Retry,
            Self::Nowhere { .. } => Disposition::Wait,
            // No source is configured.
            Self::Fetch(failure) if failure.attempts.is_empty() => Disposition::Wait,
            Self::Fetch(failure) => match failure.blame() {
                Blame::Infrastructure => Disposition::RetryThenWait,
                Blame::Final => Disposition::Quarantine,
            },
            // The pinner builds other trees than the network's profile, and would of every result.
            Self::Keep(KeepError::WrongId { .. }) => Disposition::PauseStage,
            Self::Keep(error) => by_blame(error.blame()),
            Self::Specimen(_)
            | Self::Mismatch(_)
            | Self::NotOneArtifact { .. }
            | Self::NoRule { .. }
            | Self::Panicked => Disposition::Quarantine,
            Self::Run(Quarantined { reason, .. }) => match reason.blame() {
                FailureBlame::Surroundings => Disposition::Retry,
                FailureBlame::Doubtful => Disposition::RetryUpTo(DOUBTFUL_TRIES_MAX),
                FailureBlame::Final => Disposition::Quarantine,
            },
            Self::Task(failure) => match failure.blame() {
                TaskBlame::Infrastructure => Disposition::Retry,
                TaskBlame::Doubtful => Disposition::RetryUpTo(DOUBTFUL_TRIES_MAX),
                TaskBlame::Final => Disposition::Quarantine,
            },
            Self::Stopping => Disposition::Retry,
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

    /// The reaction now, after `failures` earlier failures of the item in this state.
    pub fn decide(&self, state: State, failures: u32) -> Decision {
        let again = Decision::Again { alarm: failures + 1 >= ALARM_AFTER };
        let looks = if state == State::Waiting { failures } else { 0 };
        match self.disposition() {
            Disposition::Wait => Decision::Wait { looks: looks + SEARCHES_BEFORE_WAITING + LOOKS_SKIPPED },
            Disposition::RetryThenWait if state == State::Waiting || failures + 1 >= SEARCHES_BEFORE_WAITING => {
                Decision::Wait { looks: looks + SEARCHES_BEFORE_WAITING }
            }
            Disposition::Retry | Disposition::RetryThenWait => again,
            Disposition::RetryUpTo(tries) if failures + 1 < tries => again,
            Disposition::PauseStage => Decision::PauseStage,
            Disposition::RetryUpTo(_) | Disposition::Quarantine => Decision::Quarantine,
        }
    }
}

/// The reaction to a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Tried again after a pause.
    Again {
        /// A failure that needs the operator.
        alarm: bool,
    },
    /// Looked at again after a pause for so many fruitless looks, and no part of the backlog until then.
    Wait {
        /// The number of looks.
        looks: u32,
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

/// The one failure policy: what [`StageError::decide`] finds, and how long each pause is.
#[derive(Clone, Copy, Debug)]
pub struct FailurePolicy {
    /// The first pause after a failure.
    pub retry: Duration,
    /// The pause of a stage that every item would fail in, and of proving where no proof can succeed.
    pub recheck: Duration,
    /// Time after which a specimen that no source has is given up.
    pub waiting_limit: Duration,
}

impl FailurePolicy {
    /// The pause after `failures` failures: doubling up to 300 times the first, with jitter.
    pub fn pause_ms(&self, failures: u32) -> u64 {
        milliseconds(pause(self.retry, failures, PAUSE_FACTOR_MAX))
    }

    /// The pause after `looks` looks at what no source has: doubling up to 21,600 times the first, with jitter.
    pub fn look_pause_ms(&self, looks: u32) -> u64 {
        milliseconds(pause(self.retry, looks, LOOK_FACTOR_MAX))
    }

    /// The longest of all pauses between two tries.
    pub fn longest_pause(&self) -> Duration {
        // Jitter adds as much again at most.
        self.retry.max(self.recheck).saturating_mul(PAUSE_FACTOR_MAX).saturating_mul(2)
    }
}

#[cfg(test)]
mod tests {
    use refiner_content::{Excerpt, FetchError, NotFetchable};
    use refiner_rule_model::HostFailure;
    use refiner_worker::WorkerFailure;

    use super::*;

    fn run(reason: WorkerFailure) -> StageError {
        Quarantined { reason, tries: 2 }.into()
    }

    #[test]
    fn infrastructure_is_waited_for_and_poison_set_aside() {
        use Disposition::{PauseStage, Quarantine, Retry, RetryThenWait, RetryUpTo, Wait};
        let full = KeepError::DiskFull { path: "/data".into(), needed_bytes: 1 };
        let other_id = KeepError::WrongId {
            to: refiner_content::Origin::of_path("/".as_ref()),
            ours: refiner_content::content_id(b""),
            theirs: Excerpt::of(b"another"),
        };
        let slow = FetchFailure {
            attempts: vec![FetchError::Deadline {
                from: refiner_content::Origin::of_path("/".as_ref()),
                deadline_ms: 1,
            }],
        };
        let from = || refiner_content::Origin::of_path("/".as_ref());
        let page = FetchFailure { attempts: vec![FetchError::NotAnnounced { from: from() }] };
        let other_content = FetchFailure { attempts: vec![FetchError::NotAccepted { from: from() }] };
        for (error, expected) in [
            (
                StageError::Nowhere {
                    refused: vec![Refused { entry: Excerpt::of(b"local"), why: NotFetchable::OnlyLocal }],
                },
                Wait,
            ),
            (full.into(), Retry),
            (other_id.into(), PauseStage),
            (slow.into(), RetryThenWait),
            (page.into(), RetryThenWait),
            (other_content.into(), Quarantine),
            (FetchFailure { attempts: vec![] }.into(), Wait),
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
        let decide = |error: &StageError, failures| error.decide(State::Fetched, failures);
        assert_eq!(decide(&hung, DOUBTFUL_TRIES_MAX - 2), Decision::Again { alarm: false });
        assert_eq!(decide(&hung, DOUBTFUL_TRIES_MAX - 1), Decision::Quarantine);
        let no_room = run(WorkerFailure::Host(HostFailure::NoRoom));
        assert_eq!(decide(&no_room, ALARM_AFTER - 2), Decision::Again { alarm: false });
        assert_eq!(decide(&no_room, ALARM_AFTER - 1), Decision::Again { alarm: true });
        assert_eq!(decide(&no_room, 1_000_000), Decision::Again { alarm: true });
    }

    #[test]
    fn what_no_source_gives_waits_after_some_searches_and_what_has_no_address_at_once() {
        let nowhere = StageError::Nowhere { refused: Vec::new() };
        let slow = || FetchError::Deadline { from: refiner_content::Origin::of_path("/".as_ref()), deadline_ms: 1 };
        let absent = StageError::from(FetchFailure { attempts: vec![slow()] });
        assert_eq!(nowhere.decide(State::Announced, 0), Decision::Wait { looks: 6 });
        assert_eq!(nowhere.decide(State::Waiting, 3), Decision::Wait { looks: 9 });
        assert_eq!(absent.decide(State::Announced, 2), Decision::Again { alarm: false });
        assert_eq!(absent.decide(State::Announced, 3), Decision::Wait { looks: 4 });
        assert_eq!(absent.decide(State::Waiting, 1), Decision::Wait { looks: 5 });
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let of = |retry| FailurePolicy { retry, recheck: retry, waiting_limit: Duration::MAX };
        let policy = of(Duration::from_millis(100));
        for (failures, least, most) in
            [(0, 100, 200), (1, 200, 400), (3, 800, 1_600), (10, 30_000, 60_000), (999, 30_000, 60_000)]
        {
            let pause = policy.pause_ms(failures);
            assert!((least..=most).contains(&pause), "{failures}: {pause}");
        }
        let longest = of(Duration::from_secs(1)).look_pause_ms(1_000_000);
        assert!((21_600_000..=43_200_000).contains(&longest), "{longest}");
    }
}
