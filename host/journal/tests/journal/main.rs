//! The journal as its users meet it: through its file.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod actions;
mod backups;
mod files;
mod nonces;
mod pruning;
mod queries;
mod scanning;
mod side;
mod steps;
mod superseding;
mod waiting;
mod walk;

use alloy_primitives::{B256, Bytes};
use refiner_journal::{
    Action, Announcement, Artifact, Checkpoint, ItemId, Journal, Selection, SignedTransaction, State, Step, Target,
};

/// A journal in a directory of its own.
struct Bench {
    directory: tempfile::TempDir,
    journal: Journal,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(&directory.path().join("journal.sqlite")).unwrap();
        Self { directory, journal }
    }

    /// As after a crash: nothing is written to the journal before it is opened again.
    fn reopen(self) -> Self {
        let Self { directory, journal } = self;
        let path = journal.path().to_owned();
        drop(journal);
        Self { directory, journal: Journal::open(&path).unwrap() }
    }

    fn announce(&mut self, heights: impl IntoIterator<Item = u64>) -> Vec<ItemId> {
        let announcements: Vec<_> = heights.into_iter().map(announcement).collect();
        let top = announcements.iter().map(|announcement| announcement.announced_in).max().unwrap_or(0);
        self.journal.scanned(&announcements, &[target()], &[checkpoint(top)], 1).unwrap();
        let wanted = |height: u64| announcements.iter().any(|announcement| announcement.height == height);
        let all = self.journal.list(&Default::default(), 10_000).unwrap();
        all.into_iter().filter(|item| wanted(item.height)).map(|item| item.id).collect()
    }

    /// An item brought to `state` by the shortest way.
    fn item_in(&mut self, state: State, height: u64) -> ItemId {
        let item = self.announce([height])[0];
        for step in way_to(state, height) {
            self.journal.advance(item, &step, 2).unwrap();
        }
        if state == State::Withdrawn {
            self.journal.rewind(checkpoint(height - 1), 2).unwrap();
        }
        assert_eq!(self.state(item), state);
        item
    }

    /// Scans blocks without announcements up to this one.
    fn pass(&mut self, block: u64) {
        self.journal.scanned(&[], &[target()], &[checkpoint(block)], 3).unwrap();
    }

    /// Whether an action changed the item.
    fn act(&mut self, item: ItemId, action: Action) -> bool {
        let one = Selection { items: vec![item], ..Selection::default() };
        let applied = self.journal.apply(&one, action, 9).unwrap();
        assert_eq!(applied.changed + applied.kept, 1, "{applied:?}");
        assert_eq!(applied.kept, applied.reasons.len() as u64, "{applied:?}");
        applied.changed == 1
    }

    fn state(&self, item: ItemId) -> State {
        self.journal.item(item).unwrap().unwrap().state
    }
}

fn number(kind: u8, number: u64) -> B256 {
    let mut hash = B256::repeat_byte(kind);
    hash[24..].copy_from_slice(&number.to_be_bytes());
    hash
}

/// The specimen of a height, announced in the block of the same number.
fn announcement(height: u64) -> Announcement {
    Announcement {
        chain: 1,
        height,
        block_hash: number(0xb1, height),
        specimen_hash: number(0x5e, height),
        announced_in: height,
    }
}

fn checkpoint(height: u64) -> Checkpoint {
    Checkpoint { number: height, hash: number(0xc4, height) }
}

fn target() -> Target {
    Target { rule: B256::repeat_byte(7), name: "block-result".into(), proves: true }
}

fn artifact(name: &str) -> Artifact {
    Artifact {
        name: name.into(),
        media_type: "application/json".into(),
        sha256: B256::repeat_byte(9),
        bytes: 5,
        cid: "bafkreiart".into(),
    }
}

fn signed(nonce: u64, max_fee: u128) -> SignedTransaction {
    SignedTransaction {
        hash: number(u8::try_from(max_fee % 251).unwrap(), nonce),
        nonce,
        raw: Bytes::from_static(b"\x02signed"),
        max_fee,
        priority_fee: 1,
    }
}

/// The step that leads to a state, with the height as nonce.
fn step_to(state: State, height: u64) -> Step {
    let reason = || "because".to_owned();
    match state {
        State::Announced | State::Withdrawn => Step::Again,
        State::Waiting => Step::Waiting { reason: reason(), awaits: None, due_ms: 0 },
        State::Fetched => Step::Fetched { cid: "bafkreispec".into(), bytes: 3 },
        State::Refused => Step::Refused { reason: reason(), class: Some("noState") },
        State::Produced => Step::Produced { artifacts: vec![artifact("result.json")], basis: Some("receipts") },
        State::Pinned => Step::Pinned,
        State::ProofIntent => Step::ProofIntent,
        State::Signed => Step::Signed(signed(height, 100)),
        State::Broadcast => Step::Broadcast,
        State::Mined => Step::Mined { hash: signed(height, 100).hash, block: 77 },
        State::Final => Step::Final,
        State::Reverted => Step::Reverted { reason: reason() },
        State::Replaced => Step::Replaced { reason: reason() },
        State::Skipped => Step::Skipped { reason: reason() },
        State::Quarantined => Step::Quarantined { reason: reason() },
    }
}

fn way_to(state: State, height: u64) -> Vec<Step> {
    use State::{
        Announced, Broadcast, Fetched, Final, Mined, Pinned, Produced, ProofIntent, Quarantined, Refused, Replaced,
        Reverted, Signed, Skipped, Waiting, Withdrawn,
    };
    let straight = [Fetched, Produced, Pinned, ProofIntent, Signed, Broadcast, Mined];
    let upto = |last: State| straight.iter().copied().take_while(move |state| *state != last).chain([last]);
    let states: Vec<State> = match state {
        Announced | Withdrawn => vec![],
        Refused => upto(Fetched).chain([Refused]).collect(),
        Waiting | Skipped | Quarantined => vec![state],
        Replaced => upto(Broadcast).chain([Replaced]).collect(),
        Final | Reverted => upto(Mined).chain([state]).collect(),
        straight => upto(straight).collect(),
    };
    states.into_iter().map(|state| step_to(state, height)).collect()
}
