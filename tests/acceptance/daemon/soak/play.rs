//! A soak being played: the schedule against a real daemon, and what is compared in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, b256};
use refiner_journal::State;
use refiner_testchain::{
    AlreadyImported, Fault, FaultyRpc, Lagging, LateLogs, LimitedRange, Meets, OPERATOR, OtherChain, OtherReceipts,
    Out, Setup, Specimen, Stale, Swapped, quantity,
};
use refiner_testkit::pinner::Route;
use tokio::time::sleep;

use super::{
    plan::{FIRST_LOOK, NodeFault, Plan, PoolFault, Round},
    report::Report,
};
use crate::{
    bench::Bench,
    specimens::{Given, mixed},
};

/// `BlockSpecimenQuorum`, docs/protocol.md, section 1.1.
const QUORUM: B256 = b256!("858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e");
/// Time between two blocks.
const BLOCK: Duration = Duration::from_millis(100);
/// Blocks of a round before sessions of specimens are ended.
const SESSION: u64 = 4;
/// Time for everything to be proved once the faults are over.
const CALM: Duration = Duration::from_secs(300);
/// Blocks that must pass without a change before it counts: more than `--proof-depth` and the looks at young final proofs take.
const QUIET_BLOCKS: u64 = 40;
/// Memory at the end, in hundredths of that at the first look.
const MEMORY_PER_CENT_MAX: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);

pub struct Soak {
    plan: Plan,
    bench: Bench,
    others: Vec<FaultyRpc>,
    specimens: Box<dyn Iterator<Item = Given>>,
    announcements: usize,
    /// What was sent, by height.
    sent: BTreeMap<u64, Specimen>,
    blocks: u64,
    restarts: usize,
    reorganisations: usize,
    first_kib: Option<u32>,
    begun: Instant,
    told: Instant,
}

impl Soak {
    pub async fn new(plan: Plan, announcements: usize) -> Option<Self> {
        let mut bench = Bench::with(&Setup::default()).await?;
        let mut others = Vec::new();
        for _ in 1..super::plan::NODES {
            others.push(FaultyRpc::start(bench.chain.url()).await.unwrap());
        }
        let urls = std::iter::once(&bench.rpc).chain(&others).map(|node| node.url().to_owned());
        bench.flags = urls.flat_map(|url| ["--rpc".to_owned(), url]).collect();
        let flags = [
            ["--format", "evm-server@d"],
            ["--depth", "2"],
            ["--proof-depth", "6"],
            ["--rpc-timeout", "1s"],
            ["--upload-timeout", "1s"],
            ["--fetch-stall-timeout", "1s"],
            ["--bump-after", "3s"],
            ["--store-size", "200MiB"],
            ["--max-differences", "1000"],
        ];
        bench.flags.extend(flags.concat().into_iter().map(str::to_owned));
        bench.log_filter = Some("warn");
        let now = Instant::now();
        Some(Self {
            plan,
            bench,
            others,
            specimens: mixed(announcements),
            announcements,
            sent: BTreeMap::new(),
            blocks: 0,
            restarts: 0,
            reorganisations: 0,
            first_kib: None,
            begun: now,
            told: now,
        })
    }

    /// Plays every round. The second part is what differs from what must be.
    pub async fn run(mut self) -> (Report, Vec<String>) {
        self.tell("begins");
        self.bench.start_ready().await;
        self.bench.chain.rpc("evm_setBlockGasLimit", serde_json::json!(["0x2540be400"])).await.unwrap();
        self.bench.chain.set_automine(false).await.unwrap();
        let rounds = self.plan.rounds.clone();
        let mut differences = Vec::new();
        for round in &rounds {
            self.play(round).await;
            if self.told.elapsed() >= MINUTE {
                self.tell("goes on");
            }
            if round.calm {
                if let Err(difference) = self.calm().await {
                    differences.push(difference);
                    break;
                }
                if self.sent.len() == FIRST_LOOK {
                    self.first_kib = Some(self.bench.resident_kib_and_files().0);
                }
            }
        }
        differences.extend(self.differences().await);
        let last_kib = if self.bench.has_ended() { 0 } else { self.bench.resident_kib_and_files().0 };
        let memory = (self.first_kib, last_kib);
        if let (Some(first), last) = memory
            && self.sent.len() > FIRST_LOOK
            && last > first / 100 * MEMORY_PER_CENT_MAX
        {
            differences.push(format!("memory grew from {first} to {last} KiB"));
        }
        let report = Report {
            seed: self.plan.seed,
            announcements: self.announcements,
            faults: self.plan.kinds(),
            proofs: self.bench.proofs().await.len(),
            reorganisations: self.reorganisations,
            restarts: self.restarts,
            blocks: self.blocks,
            nonces: self.bench.operator_nonce().await,
            memory,
            took: self.begun.elapsed(),
        };
        if !differences.is_empty() {
            differences.push(format!("status {:?}", self.bench.status()));
            differences.push(format!("log {}", self.bench.log()));
        }
        (report, differences)
    }

    async fn play(&mut self, round: &Round) {
        self.heal();
        for (node, fault) in round.nodes.iter().enumerate() {
            if let Some(fault) = fault {
                self.fail(node, *fault).await;
            }
        }
        if let Some(fault) = round.pool {
            self.fail_pool(fault).await;
        }
        if let Some((route, fault)) = &round.pinner {
            self.bench.pinner.fault(*route, fault.clone());
        }
        let given: Vec<_> = self.specimens.by_ref().take(round.announce).collect();
        let specimens = self.bench.put(&given);
        self.sent.extend(specimens.into_iter().map(|specimen| (specimen.height, specimen)));
        let missing = self.missing().await;
        self.bench.chain.send_proofs(&missing).await.unwrap();
        for block in 0..round.blocks {
            self.block().await;
            if block == SESSION {
                self.bench.chain.send_quorums(&missing).await.unwrap();
            }
            if let Some((at, depth)) = round.reorganisation
                && at == block
            {
                self.bench.chain.reorganise(depth).await.unwrap();
                self.reorganisations += 1;
            }
            if round.kill == Some(block) && !self.bench.has_ended() {
                self.bench.kill();
                self.bench.start();
                self.restarts += 1;
            }
        }
    }

    /// Specimens that the chain has no announcement of, be it that a reorganisation took it away.
    async fn missing(&self) -> Vec<Specimen> {
        let announced = self.announced().await;
        let missing = self.sent.iter().filter(|(height, _)| !announced.contains(height));
        missing.map(|(_, specimen)| specimen.clone()).collect()
    }

    async fn announced(&self) -> Vec<u64> {
        let events = self.bench.chain.logs(self.bench.chain.specimen_contract(), QUORUM).await.unwrap();
        events.iter().map(|event| quantity(&event["topics"][2]).unwrap()).collect()
    }

    async fn block(&mut self) {
        sleep(BLOCK).await;
        self.bench.chain.mine(1).await.unwrap();
        self.blocks += 1;
    }

    fn node(&self, node: usize) -> &FaultyRpc {
        node.checked_sub(1).map_or(&self.bench.rpc, |other| &self.others[other])
    }

    fn heal(&self) {
        for node in (0..super::plan::NODES).map(|node| self.node(node)) {
            node.behave_well();
            for method in ["eth_blockNumber", "eth_getLogs", "eth_sendRawTransaction"] {
                node.heal(method);
            }
        }
        for route in [Route::Get, Route::Upload] {
            self.bench.pinner.mend(route);
        }
    }

    async fn fail(&self, node: usize, fault: NodeFault) {
        let head = self.bench.chain.head().await.unwrap();
        let nonce = self.bench.operator_nonce().await;
        let node = self.node(node);
        match fault {
            NodeFault::Lagging => node.behave(&Arc::new(Lagging::at(head, Meets::Half))),
            NodeFault::LaggingLogs => node.behave(&Arc::new(Lagging::at(head, Meets::Logs))),
            NodeFault::LateLogs => node.behave(&Arc::new(LateLogs::up_to(head, true))),
            NodeFault::Stale => node.behave(&Arc::new(Stale::at(head, nonce))),
            NodeFault::WrongChain => {
                node.behave(&Arc::new(Swapped::after(6, OtherChain { chain_id: 1, nonce: nonce + 50 })));
            }
            NodeFault::Out(outage) => node.behave(&Arc::new(Out(outage))),
            NodeFault::Limits(provider) => node.behave(&Arc::new(LimitedRange { provider, blocks: 3 })),
            NodeFault::Throttled => node.fail("eth_getLogs", Fault::Status(429)),
            NodeFault::NoReceipts => node.behave(&Arc::new(OtherReceipts::new(false))),
            NodeFault::OtherReceipts => node.behave(&Arc::new(OtherReceipts::new(true))),
            NodeFault::Hangs => node.fail("eth_blockNumber", Fault::Hang),
        }
    }

    async fn fail_pool(&self, fault: PoolFault) {
        for node in (0..super::plan::NODES).map(|node| self.node(node)) {
            match fault {
                PoolFault::Swallowed => node.fail_times("eth_sendRawTransaction", 2, Fault::Swallow),
                PoolFault::Refused(words) => node.fail_times("eth_sendRawTransaction", 2, words.fault()),
                PoolFault::AlreadyImported => node.behave(&Arc::new(AlreadyImported)),
                PoolFault::Emptied => {}
            }
        }
        if fault == PoolFault::Emptied {
            self.bench.chain.drop_waiting(OPERATOR).await.unwrap();
        }
    }

    /// Takes all faults away and waits until everything that was sent is announced, proved and stays so.
    async fn calm(&mut self) -> Result<(), String> {
        self.heal();
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < QUIET_BLOCKS {
            let missing = self.missing().await;
            self.bench.chain.send_proofs(&missing).await.unwrap();
            for block in 0..2 * SESSION {
                self.block().await;
                if block == SESSION {
                    self.bench.chain.send_quorums(&missing).await.unwrap();
                }
            }
            if self.bench.has_ended() {
                return Err("the daemon ended by itself".to_owned());
            }
            let proofs = self.bench.proofs().await.len();
            let is_done =
                missing.is_empty() && proofs >= self.sent.len() && self.bench.in_state(State::Final) == self.sent.len();
            quiet = if is_done { quiet + 2 * SESSION } else { 0 };
            if self.told.elapsed() >= MINUTE {
                self.tell("waits for the last proofs");
            }
            if begun.elapsed() > CALM {
                return Err(format!("{CALM:?} after the last fault {proofs} of {} are proved", self.sent.len()));
            }
        }
        Ok(())
    }

    /// What differs from one announcement, one item and one proof for each specimen, and from nonces in one row.
    async fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, found: Vec<u64>| {
            let mut times = BTreeMap::<u64, usize>::new();
            found.iter().for_each(|height| *times.entry(*height).or_default() += 1);
            for height in self.sent.keys().filter(|height| !times.contains_key(height)) {
                differences.push(format!("{height} has no {what}"));
            }
            for (height, times) in times {
                if !self.sent.contains_key(&height) {
                    differences.push(format!("{height} was not sent and has {what}"));
                } else if times > 1 {
                    differences.push(format!("{height} has {what} {times} times"));
                }
            }
        };
        compare("announcement", self.announced().await);
        compare("accepted proof", self.bench.proofs().await.iter().map(|proof| proof.height).collect());
        let items = self.bench.items();
        compare("final item", items.iter().filter(|item| item.state == State::Final).map(|item| item.height).collect());
        for item in items.iter().filter(|item| item.state != State::Final) {
            differences.push(format!("item {} of {} is {}: {:?}", item.id, item.height, item.state, item.reason));
        }
        let journal = self.bench.journal().unwrap();
        let transactions = items.iter().flat_map(|item| journal.transactions(item.id).unwrap());
        let nonces: BTreeSet<u64> = transactions.map(|transaction| transaction.nonce).collect();
        let count = self.bench.operator_nonce().await;
        if let Some(beyond) = nonces.iter().find(|nonce| **nonce >= count) {
            differences.push(format!("nonce {beyond} was signed, and the chain is at {count}"));
        }
        // Those of closed gaps are no item's.
        for nonce in (0..count).filter(|nonce| !nonces.contains(nonce)) {
            if journal.settled_holder(nonce).unwrap().is_none() {
                differences.push(format!("nonce {nonce} was used on chain and is in no journal"));
            }
        }
        differences
    }

    #[allow(clippy::print_stderr, reason = "a line of progress a minute")]
    fn tell(&mut self, what: &str) {
        self.told = Instant::now();
        eprintln!(
            "soak: seed {} {what}: {} of {} announced, {} final, {} reorganisations, {} restarts, {:.0} s",
            self.plan.seed,
            self.sent.len(),
            self.announcements,
            self.bench.in_state(State::Final),
            self.reorganisations,
            self.restarts,
            self.begun.elapsed().as_secs_f64()
        );
    }
}
