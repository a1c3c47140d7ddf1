//! The executor of a run and its terms, as far as verdicts depend on them.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

use super::OnDifference;
use crate::{policy::ExecutionPolicy, recording::RECORDING_REVISION, what_if::WHAT_IF_REVISION};

/// Goes up when the same block in the same format can give another execution than before, or another verdict of the checks before
/// it: by the embedded executor, or by what is accepted from an evm-server.
const REVISION: u32 = 3;

/// The executor of blocks.
///
/// The era is not here: it is the format that a rule asks for, and every answer is checked against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutedBy {
    /// The executor of this program.
    #[default]
    Embedded,
    /// An evm-server.
    Remote,
    /// The two, compared; a difference ends so.
    Both(OnDifference),
}

/// Everything beside a rule and its specimen that the host's own work for a run depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecutionTerms {
    /// The executor.
    pub executed_by: ExecutedBy,
    /// The terms on which it executes and checks.
    pub policy: ExecutionPolicy,
}

impl ExecutionTerms {
    /// Names the terms of a rule that executes blocks: sha256 of a text such as
    /// `embedded 3, senders recovered, gas 1000000000, basis auto`; the executor is `embedded 3`, `remote 3`, or `both 3 hold` with
    /// its policy, and `, stateless eras` stands at the end where they are written.
    pub fn digest(&self) -> B256 {
        sha256(&self.text())
    }

    /// Names the terms of a rule whose executions are recorded: the same text, and `, recordings 1` with the revision of the
    /// recorders.
    pub fn digest_with_recordings(&self) -> B256 {
        sha256(&format!("{}, recordings {RECORDING_REVISION}", self.text()))
    }

    /// Names the terms of a rule that executes blocks under other conditions, whose executions can be recorded: the same text, and
    /// `, recordings 1, what-if 1` with the revisions of both.
    pub fn digest_with_other_conditions(&self) -> B256 {
        sha256(&format!("{}, recordings {RECORDING_REVISION}, what-if {WHAT_IF_REVISION}", self.text()))
    }

    fn text(&self) -> String {
        let executor = match self.executed_by {
            ExecutedBy::Embedded => format!("embedded {REVISION}"),
            ExecutedBy::Remote => format!("remote {REVISION}"),
            ExecutedBy::Both(on_difference) => format!("both {REVISION} {on_difference}"),
        };
        let ExecutionPolicy { senders, gas_bound, basis, stateless_eras } = self.policy;
        let stateless_eras = if stateless_eras { ", stateless eras" } else { "" };
        format!("{executor}, senders {senders}, gas {gas_bound}, basis {basis}{stateless_eras}")
    }

    /// Names the terms of a rule that executes no block, whose specimens are checked all the same: sha256 of a text such as
    /// `checks 3, senders recovered`.
    pub fn digest_without_execution(&self) -> B256 {
        sha256(&format!("checks {REVISION}, senders {}", self.policy.senders))
    }
}

fn sha256(text: &str) -> B256 {
    B256::from(<[u8; 32]>::from(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        basis::BasisPolicy,
        policy::{DEFAULT_GAS_BOUND, SenderPolicy},
    };

    #[test]
    fn digest_changes_with_every_term_that_a_verdict_depends_on_and_with_no_other() {
        let default = ExecutionTerms::default();
        let policy = |senders, gas_bound| ExecutionTerms {
            policy: ExecutionPolicy { senders, gas_bound, ..default.policy },
            ..default
        };
        let given = policy(SenderPolicy::Recovered, DEFAULT_GAS_BOUND);
        assert_eq!(
            (given.digest(), given.digest_without_execution()),
            (default.digest(), default.digest_without_execution())
        );

        let stated = policy(SenderPolicy::Stated, DEFAULT_GAS_BOUND);
        let bound = policy(SenderPolicy::Recovered, DEFAULT_GAS_BOUND - 1);
        let remote = ExecutionTerms { executed_by: ExecutedBy::Remote, ..default };
        let basis = |basis| ExecutionTerms { policy: ExecutionPolicy { basis, ..default.policy }, ..default };
        let (executed, recorded) = (basis(BasisPolicy::Execution), basis(BasisPolicy::Receipts));
        let stateless =
            ExecutionTerms { policy: ExecutionPolicy { stateless_eras: true, ..default.policy }, ..default };
        let all = [default, stated, bound, remote, executed, recorded, stateless].map(|terms| terms.digest());
        assert!(!all.contains(&default.digest_with_recordings()));
        assert!(!all.contains(&default.digest_with_other_conditions()));
        assert_ne!(default.digest_with_recordings(), default.digest_with_other_conditions());
        for (position, digest) in all.iter().enumerate() {
            assert!(!all[..position].contains(digest), "{position}");
        }
        assert_ne!(stated.digest_without_execution(), default.digest_without_execution());
        assert_eq!(bound.digest_without_execution(), default.digest_without_execution());
        assert_eq!(remote.digest_without_execution(), default.digest_without_execution());
    }
}
