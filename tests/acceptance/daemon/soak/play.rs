//! A soak being played: the schedule against a real daemon.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, b256};
use refiner_journal::State;
use refiner_testchain::{FaultyRpc, OPERATOR, Setup, Specimen, Swapped, quantity};
use refiner_testkit::pinner::Route;
use tokio::time::sleep;

use super::{
    compare,
    drill::{self, Drill},
    kinds::{KILL, KILL_AT_SEND, PoolFault, REORGANISATION, of_pinner_kind},
    plan::{FIRST_LOOK, Kill, Look, NODES, Plan, Round},
    report::{Readings, Report, Tally},
    spoil::Playing,
};
use crate::{
    bench::Bench,
    specimens::{Given, mixed},
};

/// Another build of the program, in place of the one beside the tests.
pub const PROGRAM: &str = "REFINER_SOAK_PROGRAM";

/// `BlockSpecimenQuorum`, docs/protocol.md, section 1.1.
const QUORUM: B256 = b256!("858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e");
/// Time between two blocks.
const BLOCK: Duration = Duration::from_millis(100);
/// Time between two looks for a transaction that was sent.
const LOOK: Duration = Duration::from_millis(2);
/// Blocks of a round before sessions of specimens are ended.
pub const SESSION: u64 = 4;
/// Blocks between two times that the pool is emptied.
const EMPTIED_EVERY: u64 = 3;
/// Time for everything to be proved once the faults are over.
const CALM: Duration = Duration::from_secs(300);
/// Blocks that must pass without a change before it counts: more than `--proof-depth` and the looks at young final proofs take.
const QUIET_BLOCKS: u64 = 40;
/// Readings at each look at memory, a block apart.
const READINGS: usize = 5;
/// Memory at the end, in hundredths of that after the first announcements.
const MEMORY_PER_CENT_MAX: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);

/// The difference of a daemon that is not there.
const ENDED: &str = "the daemon ended by itself";

pub struct Soak {
    plan: Plan,
    pub bench: Bench,
    pub others: Vec<FaultyRpc>,
    pub specimens: Box<dyn Iterator<Item = Given>>,
    announcements: usize,
    /// What was sent, by height.
    pub sent: BTreeMap<u64, Specimen>,
    pub playing: Vec<Playing>,
    /// Nodes of another chain, of this round and of those before.
    pub strangers: Vec<Arc<Swapped>>,
    /// The pinner's fault of this round, and how often its route had failed before.
    pub pinner: Option<(String, Route, u64)>,
    pub faults: BTreeMap<String, Tally>,
    blocks: u64,
    restarts: usize,
    /// The daemon is killed once more was sent than this.
    kill_at_send: Option<u64>,
    reorganisations: usize,
    first_memory: Readings,
    last_memory: Readings,
    begun: Instant,
    told: Instant,
}

impl Soak {
    pub async fn new(plan: Plan, announcements: usize) -> Option<Self> {
        let mut bench = Bench::with(&Setup::default()).await?;
        let mut others = Vec::new();
        for _ in 1..NODES {
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
            ["--fetch-timeout", "3s"],
            ["--bump-after", "3s"],
            ["--store-size", "200MiB"],
            ["--max-differences", "1000"],
        ];
        bench.flags.extend(flags.concat().into_iter().map(str::to_owned));
        bench.log_filter = Some("warn");
        if let Some(program) = env::var_os(PROGRAM) {
            bench.program = program.into();
        }
        let planned = plan.kinds().into_iter();
        let mut faults: BTreeMap<_, _> =
            planned.map(|(kind, planned)| (kind, Tally { planned, ..Tally::default() })).collect();
        for drill in Drill::ALL {
            faults.entry(drill.kind()).or_default().planned += 1;
        }
        let now = Instant::now();
        Some(Self {
            plan,
            bench,
            others,
            specimens: mixed(announcements + Drill::ALL.len() * drill::ATTEMPTS * drill::SPECIMENS),
            announcements,
            sent: BTreeMap::new(),
            playing: Vec::new(),
            strangers: Vec::new(),
            pinner: None,
            faults,
            blocks: 0,
            restarts: 0,
            kill_at_send: None,
            reorganisations: 0,
            first_memory: Readings::default(),
            last_memory: Readings::default(),
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
        let mut differences = Vec::new();
        for round in self.plan.rounds.clone() {
            if let Err(difference) = self.round(&round).await {
                differences.push(difference);
                break;
            }
        }
        self.heal();
        if differences.is_empty() {
            for drill in Drill::ALL {
                differences
                    .extend(self.drill(drill).await.err().map(|difference| format!("{}: {difference}", drill.kind())));
            }
        }
        differences.extend(compare::differences(&self).await);
        differences.extend(self.memory_differs());
        let unmet = self.faults.iter().filter(|(_, tally)| tally.is_unmet());
        differences.extend(unmet.map(|(kind, tally)| format!("{kind}: {tally}")));
        let report = Report {
            seed: self.plan.seed,
            announcements: self.sent.len(),
            faults: self.faults,
            proofs: self.bench.proofs().await.len(),
            reorganisations: self.reorganisations,
            restarts: self.restarts,
            blocks: self.blocks,
            nonces: self.bench.operator_nonce().await,
            first_memory: self.first_memory,
            last_memory: self.last_memory,
            took: self.begun.elapsed(),
        };
        if !differences.is_empty() {
            differences.push(format!("status {:?}", self.bench.status()));
            differences.push(format!("log {}", self.bench.log()));
        }
        (report, differences)
    }

    async fn round(&mut self, round: &Round) -> Result<(), String> {
        self.play(round).await?;
        if self.told.elapsed() >= MINUTE {
            self.tell("goes on");
        }
        if round.calm {
            self.calm().await?;
        }
        if let Some(look) = round.look {
            self.look(look).await;
        }
        Ok(())
    }

    async fn play(&mut self, round: &Round) -> Result<(), String> {
        self.heal();
        for (node, fault) in round.nodes.iter().enumerate() {
            if let Some(fault) = fault {
                self.fail(node, *fault).await;
            }
        }
        if let Some(fault) = round.pool {
            self.fail_pool(fault);
        }
        if let Some((route, fault)) = &round.pinner {
            self.pinner = Some((of_pinner_kind(*route, fault), *route, self.bench.pinner.faulted(*route)));
            self.bench.pinner.fault(*route, fault.clone());
        }
        let given: Vec<_> = self.specimens.by_ref().take(round.announce).collect();
        let specimens = self.bench.put(&given);
        self.sent.extend(specimens.into_iter().map(|specimen| (specimen.height, specimen)));
        let missing = self.missing().await;
        self.bench.chain.send_proofs(&missing).await.unwrap();
        let mut emptied = 0;
        for block in 0..round.blocks {
            if round.pool == Some(PoolFault::Emptied) && block % EMPTIED_EVERY == 0 {
                emptied += self.bench.chain.drop_waiting(OPERATOR).await.unwrap();
            }
            self.block().await?;
            if block == SESSION {
                self.bench.chain.send_quorums(&missing).await.unwrap();
            }
            if let Some((at, depth)) = round.reorganisation
                && at == block
            {
                self.reorganise(depth).await;
            }
            match round.kill {
                Some(Kill { block: at, at_send: false }) if at == block => {
                    self.restart();
                    self.count(KILL, 1);
                }
                Some(Kill { block: at, at_send: true }) if at == block => self.kill_at_send = Some(self.sendings()),
                _ => {}
            }
        }
        // Nothing was sent.
        self.kill_at_send = None;
        if round.pool == Some(PoolFault::Emptied) {
            self.count(&PoolFault::Emptied.kind(), emptied);
        }
        Ok(())
    }

    pub fn restart(&mut self) {
        self.bench.kill();
        self.bench.start();
        self.restarts += 1;
    }

    /// Transactions that nodes were sent.
    fn sendings(&self) -> u64 {
        (0..NODES).map(|node| self.node(node).asked("eth_sendRawTransaction")).sum()
    }

    pub async fn reorganise(&mut self, depth: u64) {
        let before = self.events().await;
        self.bench.chain.reorganise(depth).await.unwrap();
        self.reorganisations += 1;
        let after = self.events().await;
        self.count(REORGANISATION, before.saturating_sub(after));
    }

    /// Announcements and proofs on chain.
    async fn events(&self) -> u64 {
        (self.announced().await.len() + self.bench.proofs().await.len()) as u64
    }

    /// Specimens that the chain has no announcement of, be it that a reorganisation took it away.
    pub async fn missing(&self) -> Vec<Specimen> {
        let announced: BTreeSet<_> = self.announced().await.into_iter().collect();
        let missing = self.sent.iter().filter(|(height, _)| !announced.contains(height));
        missing.map(|(_, specimen)| specimen.clone()).collect()
    }

    /// The height of each announcement on chain.
    pub async fn announced(&self) -> Vec<u64> {
        let events = self.bench.chain.logs(self.bench.chain.specimen_contract(), QUORUM).await.unwrap();
        events.iter().map(|event| quantity(&event["topics"][2]).unwrap()).collect()
    }

    pub async fn block(&mut self) -> Result<(), String> {
        let end = Instant::now() + BLOCK;
        while let Some(before) = self.kill_at_send
            && Instant::now() < end
        {
            if self.sendings() > before {
                self.kill_at_send = None;
                self.restart();
                self.count(KILL_AT_SEND, 1);
            } else {
                sleep(LOOK).await;
            }
        }
        sleep(end.saturating_duration_since(Instant::now())).await;
        self.bench.chain.mine(1).await.unwrap();
        self.blocks += 1;
        if self.bench.has_ended() { Err(ENDED.to_owned()) } else { Ok(()) }
    }

    /// Takes all faults away and waits until everything that was sent is announced, proved and stays so.
    pub async fn calm(&mut self) -> Result<(), String> {
        self.heal();
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < QUIET_BLOCKS {
            let missing = self.missing().await;
            self.bench.chain.send_proofs(&missing).await.unwrap();
            for block in 0..2 * SESSION {
                self.block().await?;
                if block == SESSION {
                    self.bench.chain.send_quorums(&missing).await.unwrap();
                }
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

    async fn look(&mut self, look: Look) {
        for _ in 0..READINGS {
            if self.block().await.is_err() {
                // Told by the next round, or by the comparison in the end.
                return;
            }
            let (kib, _) = self.bench.resident_kib_and_files();
            let readings = match look {
                Look::First => &mut self.first_memory,
                Look::Last => &mut self.last_memory,
            };
            readings.0.push(kib);
        }
    }

    fn memory_differs(&self) -> Option<String> {
        let (first, last) = (&self.first_memory, &self.last_memory);
        let grew = self.sent.len() > FIRST_LOOK && last.median() > first.median() / 100 * MEMORY_PER_CENT_MAX;
        grew.then(|| format!("memory grew from {first} to {last}"))
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
