//! Proving against a chain in memory, which mines when a test says so.

mod fake;
mod flow;
mod money;
mod refusals;

use std::{sync::Arc, time::Duration};

use refiner_config::FinalizePolicy;
use refiner_journal::{Item, State};
use tokio::{task::JoinHandle, time::sleep};

use self::fake::{FakeChain, NoSessions, Others};
use super::*;
use crate::testbed::{POLICY, Testbed, target};

/// The terms of the tests.
const TERMS: ProveTerms = ProveTerms {
    poll: Duration::from_secs(6),
    policy: POLICY,
    unsettled: 8,
    proof_depth: 3,
    bump_after: Duration::from_secs(120),
    max_spend_wei: None,
    max_differences: 0,
    finalize: FinalizePolicy::None,
};

/// A submitter at work.
struct Proving {
    bed: Testbed,
    chain: Arc<FakeChain>,
    running: JoinHandle<Result<(), JournalError>>,
}

impl Proving {
    /// Begins with what the journal holds.
    fn of(bed: Testbed, chain: FakeChain, terms: ProveTerms) -> Self {
        Self::beside(bed, Arc::new(chain), terms, Others::default())
    }

    fn beside(bed: Testbed, chain: Arc<FakeChain>, terms: ProveTerms, others: Others) -> Self {
        let targets = std::iter::once(target()).collect();
        Self::serving(targets, bed, chain, terms, others)
    }

    /// The same for other rules than those of the items.
    fn serving(targets: Targets, bed: Testbed, chain: Arc<FakeChain>, terms: ProveTerms, others: Others) -> Self {
        let submitter = ProofSubmitter {
            journal: bed.journal.clone(),
            status: bed.status.clone(),
            targets: Arc::new(targets),
            urls: ResultUrls::new(None, true),
            prover: Box::new(Arc::clone(&chain)),
            terms,
        };
        let peers = Peers::new(Box::new(others), Box::new(NoSessions));
        let running = tokio::spawn(prove(submitter, peers, bed.stop.clone()));
        Self { bed, chain, running }
    }

    /// Lets some time pass.
    async fn for_s(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
        assert!(!self.running.is_finished(), "the loop ended");
    }

    fn states(&self, items: &[Item]) -> Vec<State> {
        self.bed.states(items)
    }

    fn state(&self, item: &Item) -> State {
        self.bed.item(item.id).state
    }

    /// The reason for which nothing is submitted.
    fn paused(&self) -> Option<String> {
        self.bed.status.now().paused.as_ref().map(|pause| pause.reason.clone())
    }

    async fn ends(self) -> (Testbed, Arc<FakeChain>) {
        self.bed.stop.cancel();
        self.running.await.unwrap().unwrap();
        (self.bed, self.chain)
    }
}
