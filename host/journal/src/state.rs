//! The states of an item and the only ways between them.

use std::fmt;

/// Where one specimen stands for one rule.
///
/// ```text
/// announced ─► fetched ─► produced ─► pinned ─► proof_intent ─► signed ─► broadcast ─► mined ─► final
///   ▲ │          ▲  └► refused                        ▲   ▲        └──► replaced ◄──┘     └► reverted
///   │ ▼          │                                    │   └─────────────────┘                  │
///  waiting ──────┘                                    └────────────────────────────────────────┘
/// ```
///
/// From every state before `signed` an item can also be `skipped`, `quarantined` or `withdrawn`. Once a transaction is signed it
/// may be mined at any time, so from there only the chain decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The proof chain named the specimen.
    Announced,
    /// No source has the specimen now, or no announced address can be read. Looked at again ever more rarely, and no part of the
    /// backlog.
    Waiting,
    /// Its bytes are in the content store and are what was announced.
    Fetched,
    /// The rule ended in a verdict other than "produced". The same on every machine, so it is never tried again.
    Refused,
    /// The rule's artifacts are in the local content store.
    Produced,
    /// They are where the network finds them. The end for a rule whose results are not proved.
    Pinned,
    /// A proof is to be submitted. No nonce is taken.
    ProofIntent,
    /// A transaction with a nonce is stored; it may or may not have been sent.
    Signed,
    /// A node accepted it.
    Broadcast,
    /// It is in a block that may still be reorganised away.
    Mined,
    /// The proof is in a block deep enough.
    Final,
    /// The transaction was mined and failed.
    Reverted,
    /// Another transaction took its nonce.
    Replaced,
    /// It will not be proved, for a reason that is no one's fault: the session closed, another proof was earlier.
    Skipped,
    /// It failed for good, or too often, and waits for a person.
    Quarantined,
    /// The announcement was reorganised away.
    Withdrawn,
}

impl State {
    /// Every state, in the order of an item's life.
    pub const ALL: [Self; 16] = [
        Self::Announced,
        Self::Waiting,
        Self::Fetched,
        Self::Refused,
        Self::Produced,
        Self::Pinned,
        Self::ProofIntent,
        Self::Signed,
        Self::Broadcast,
        Self::Mined,
        Self::Final,
        Self::Reverted,
        Self::Replaced,
        Self::Skipped,
        Self::Quarantined,
        Self::Withdrawn,
    ];

    /// The states that can follow, exhaustively.
    pub const fn successors(self) -> &'static [Self] {
        use State::{
            Announced, Broadcast, Fetched, Final, Mined, Pinned, Produced, ProofIntent, Quarantined, Refused, Replaced,
            Reverted, Signed, Skipped, Waiting, Withdrawn,
        };
        match self {
            Announced => &[Waiting, Fetched, Skipped, Quarantined, Withdrawn],
            // To itself when a further look found nothing.
            Waiting => &[Announced, Waiting, Fetched, Skipped, Quarantined, Withdrawn],
            // Back to `Announced` when the store no longer has the bytes.
            Fetched => &[Announced, Refused, Produced, Skipped, Quarantined, Withdrawn],
            Produced => &[Announced, Pinned, Skipped, Quarantined, Withdrawn],
            Pinned => &[ProofIntent, Skipped, Quarantined, Withdrawn],
            // Back to `Produced` when the chain wants another URL, which means pinning again.
            ProofIntent => &[Produced, Signed, Skipped, Quarantined, Withdrawn],
            // To itself with higher fees at the same nonce. `Mined` when a crash hid that it was sent.
            Signed => &[Signed, Broadcast, Mined, Replaced],
            Broadcast => &[Signed, Mined, Replaced],
            // Back to `Broadcast` when its block is reorganised away.
            Mined => &[Broadcast, Final, Reverted],
            // When a reorganisation deeper than any expected took its block away.
            Final => &[Broadcast],
            Reverted | Replaced => &[ProofIntent, Skipped, Quarantined],
            // A person asked for another try, or the specimen was announced again.
            Skipped | Quarantined | Withdrawn => &[Announced],
            Refused => &[],
        }
    }

    /// The states to which an operator can put it back. Once a transaction is signed only the chain decides.
    pub const fn rewinds_to(self) -> &'static [Self] {
        use State::{
            Announced, Broadcast, Fetched, Final, Mined, Pinned, Produced, ProofIntent, Quarantined, Refused, Replaced,
            Reverted, Signed, Skipped, Waiting, Withdrawn,
        };
        match self {
            Announced | Waiting => &[Announced],
            Fetched | Refused => &[Announced, Fetched],
            Produced => &[Announced, Fetched, Produced],
            Pinned | ProofIntent | Skipped | Quarantined => &[Announced, Fetched, Produced, Pinned],
            Signed | Broadcast | Mined | Final | Reverted | Replaced | Withdrawn => &[],
        }
    }

    /// Whether `next` can follow.
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether nothing will be done until a person asks. `pinned` is that too for rules whose results are not proved.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Final | Self::Refused | Self::Skipped | Self::Quarantined | Self::Withdrawn)
    }

    /// Whether a reorganisation of the announcement still undoes it: no transaction of it can be mined yet.
    pub const fn can_be_withdrawn(self) -> bool {
        matches!(
            self,
            Self::Announced | Self::Waiting | Self::Fetched | Self::Produced | Self::Pinned | Self::ProofIntent
        )
    }

    /// The word for it in the journal, in reports and in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Waiting => "waiting",
            Self::Fetched => "fetched",
            Self::Refused => "refused",
            Self::Produced => "produced",
            Self::Pinned => "pinned",
            Self::ProofIntent => "proof_intent",
            Self::Signed => "signed",
            Self::Broadcast => "broadcast",
            Self::Mined => "mined",
            Self::Final => "final",
            Self::Reverted => "reverted",
            Self::Replaced => "replaced",
            Self::Skipped => "skipped",
            Self::Quarantined => "quarantined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every legal step, written down a second time as the sentence it is.
    const LEGAL: &str = "
        announced: waiting fetched skipped quarantined withdrawn
        waiting: announced waiting fetched skipped quarantined withdrawn
        fetched: announced refused produced skipped quarantined withdrawn
        refused:
        produced: announced pinned skipped quarantined withdrawn
        pinned: proof_intent skipped quarantined withdrawn
        proof_intent: produced signed skipped quarantined withdrawn
        signed: signed broadcast mined replaced
        broadcast: signed mined replaced
        mined: broadcast final reverted
        final: broadcast
        reverted: proof_intent skipped quarantined
        replaced: proof_intent skipped quarantined
        skipped: announced
        quarantined: announced
        withdrawn: announced
    ";

    #[test]
    fn states_follow_each_other_only_as_the_table_says() {
        let mut seen = 0;
        for line in LEGAL.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (from, successors) = line.split_once(':').unwrap();
            let from = State::from_word(from).unwrap();
            let successors: Vec<_> = successors.split_whitespace().map(|to| State::from_word(to).unwrap()).collect();
            for to in State::ALL {
                assert_eq!(from.may_become(to), successors.contains(&to), "{from} to {to}");
            }
            seen += 1;
        }
        assert_eq!(seen, State::ALL.len());
    }

    #[test]
    fn item_with_a_signed_transaction_is_never_dropped() {
        for state in [State::Signed, State::Broadcast, State::Mined] {
            for end in [State::Skipped, State::Quarantined, State::Withdrawn, State::Announced] {
                assert!(!state.may_become(end), "{state} to {end}");
            }
        }
    }

    #[test]
    fn operator_puts_nothing_back_that_the_chain_may_know() {
        for state in State::ALL {
            let undecided =
                state.can_be_withdrawn() || matches!(state, State::Skipped | State::Quarantined | State::Refused);
            assert_eq!(!state.rewinds_to().is_empty(), undecided, "{state}");
        }
    }

    #[test]
    fn every_state_has_a_word_of_its_own() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.as_str()), Some(state));
        }
        assert_eq!(State::from_word("done"), None);
    }

    #[test]
    fn only_what_can_be_withdrawn_becomes_withdrawn() {
        for state in State::ALL {
            assert_eq!(state.may_become(State::Withdrawn), state.can_be_withdrawn(), "{state}");
        }
    }
}
