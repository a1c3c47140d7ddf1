//! Faults that are played by themselves, after all others. Among others, one part of the daemon mends what another leaves undone, and a
//! part that is missing shows nowhere.

use std::time::{Duration, Instant};

use refiner_journal::State;
use refiner_testchain::OPERATOR;
use serde_json::json;
use tokio::time::sleep;

use super::{
    kinds::NodeFault,
    play::{SESSION, Soak},
};

/// Specimens that are announced in each: a second could mend what is to be mended for the first.
pub const SPECIMENS: usize = 1;
/// A drill on a busy machine may miss its moment, and is played again.
pub const ATTEMPTS: usize = 3;
/// Blocks in which the daemon must do its part, where the drill waits for it.
const BLOCKS_MAX: u64 = 200;
/// Time for the same where no block may be mined meanwhile.
const STANDSTILL_MAX: Duration = Duration::from_secs(60);
/// Blocks after an announcement with unseen logs: those that the daemon reads as empty, and more.
const UNSEEN_BLOCKS: u64 = 10;
/// Blocks with a node of another chain: enough for it to be checked and asked again.
const STRANGER_BLOCKS: u64 = 30;
/// Blocks above a proof after which it is final, with `--proof-depth 6`.
const FINAL_BLOCKS: u64 = 7;
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// A fault that only one part of the daemon mends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drill {
    /// The first node comes back as one of another chain: it must not be relied on.
    OtherChain,
    /// Logs that no node shows and no bloom betrays: the second look at the newest blocks finds them.
    UnseenLogs,
    /// A kill as soon as the pool holds a first proof: it must be in the journal.
    KilledAtSending,
    /// A nonce whose transaction, which was another wallet's, is dropped: later ones wait for it until it is filled.
    LostNonce,
    /// Final proofs that a reorganisation takes away, with no later transaction that would wait for theirs.
    LostFinalProofs,
}

impl Drill {
    /// Each once. The last leaves no trace that another would find.
    pub const ALL: [Self; 5] =
        [Self::OtherChain, Self::UnseenLogs, Self::KilledAtSending, Self::LostNonce, Self::LostFinalProofs];

    /// The name of its kind in the report.
    pub fn kind(self) -> String {
        format!("alone: {self:?}")
    }
}

impl Soak {
    /// Plays one, and waits until everything is proved.
    pub async fn drill(&mut self, drill: Drill) -> Result<(), String> {
        for _ in 0..ATTEMPTS {
            let times = match drill {
                Drill::OtherChain => self.other_chain().await,
                Drill::UnseenLogs => self.unseen_logs().await,
                Drill::KilledAtSending => self.killed_at_sending().await,
                Drill::LostNonce => self.lost_nonce().await,
                Drill::LostFinalProofs => self.lost_final_proofs().await,
            }?;
            self.calm().await?;
            if times > 0 {
                self.count(&drill.kind(), times);
                return Ok(());
            }
        }
        Err(format!("was not met in {ATTEMPTS} attempts"))
    }

    /// Announces some specimens, up to the block that announces them.
    async fn announce_alone(&mut self) -> Result<(), String> {
        let given: Vec<_> = self.specimens.by_ref().take(SPECIMENS).collect();
        let specimens = self.bench.put(&given);
        self.bench.chain.send_proofs(&specimens).await.unwrap();
        for _ in 0..=SESSION {
            self.block().await?;
        }
        self.bench.chain.send_quorums(&specimens).await.unwrap();
        self.sent.extend(specimens.into_iter().map(|specimen| (specimen.height, specimen)));
        self.block().await
    }

    async fn blocks(&mut self, count: u64) -> Result<(), String> {
        for _ in 0..count {
            self.block().await?;
        }
        Ok(())
    }

    async fn other_chain(&mut self) -> Result<u64, String> {
        self.fail(0, NodeFault::WrongChain).await;
        self.announce_alone().await?;
        self.blocks(STRANGER_BLOCKS).await?;
        Ok(self.playing.iter().map(|playing| playing.met.times()).sum())
    }

    async fn unseen_logs(&mut self) -> Result<u64, String> {
        let head = self.bench.chain.head().await.unwrap();
        self.leave_logs_out(head);
        self.announce_alone().await?;
        self.blocks(UNSEEN_BLOCKS).await?;
        Ok(self.playing.iter().map(|playing| playing.met.times()).sum())
    }

    async fn killed_at_sending(&mut self) -> Result<u64, String> {
        self.announce_alone().await?;
        for _ in 0..BLOCKS_MAX {
            let look = Instant::now();
            while look.elapsed() < Duration::from_millis(100) {
                if self.pending_nonce().await > self.bench.operator_nonce().await {
                    self.restart();
                    return Ok(1);
                }
                sleep(LOOK).await;
            }
            self.bench.chain.mine(1).await.unwrap();
        }
        Ok(0)
    }

    async fn lost_nonce(&mut self) -> Result<u64, String> {
        self.announce_alone().await?;
        let nonce = self.bench.operator_nonce().await;
        // The block with which the announcement is deep enough, and at once a transaction of another wallet with the same key.
        self.blocks(1).await?;
        self.bench.chain.mine(1).await.unwrap();
        let other = json!({"from": OPERATOR, "to": OPERATOR, "value": "0x0", "gas": "0x5208"});
        let other = self.bench.chain.rpc("eth_sendTransaction", json!([other])).await.unwrap();
        let begun = Instant::now();
        let signed = loop {
            let highest = self.bench.journal().and_then(|journal| journal.highest_nonce().ok()).flatten();
            if let Some(highest) = highest.filter(|highest| *highest >= nonce) {
                break highest;
            }
            if begun.elapsed() > STANDSTILL_MAX {
                return Err("no proof was signed".to_owned());
            }
            sleep(LOOK).await;
        };
        self.bench.chain.rpc("anvil_dropTransaction", json!([other])).await.unwrap();
        Ok(u64::from(signed > nonce))
    }

    async fn lost_final_proofs(&mut self) -> Result<u64, String> {
        self.announce_alone().await?;
        for _ in 0..BLOCKS_MAX {
            if self.bench.proofs().await.len() == self.sent.len() {
                break;
            }
            self.block().await?;
        }
        self.blocks(FINAL_BLOCKS).await?;
        let begun = Instant::now();
        while self.bench.in_state(State::Final) < self.sent.len() {
            if begun.elapsed() > STANDSTILL_MAX {
                return Err("a proof that is deep enough is not final".to_owned());
            }
            sleep(LOOK).await;
        }
        let items = self.bench.items();
        let mined = items.iter().filter_map(|item| item.mined_block).max().unwrap_or_default();
        let head = self.bench.chain.head().await.unwrap();
        let before = self.bench.proofs().await.len();
        // That block and all above it, and not the announcement.
        self.reorganise(head.saturating_sub(mined) + 1).await;
        Ok((before - self.bench.proofs().await.len()) as u64)
    }

    /// The operator's next nonce after what the pool holds.
    async fn pending_nonce(&self) -> u64 {
        let count = self.bench.chain.rpc("eth_getTransactionCount", json!([OPERATOR, "pending"])).await.unwrap();
        refiner_testchain::quantity(&count).unwrap()
    }
}
