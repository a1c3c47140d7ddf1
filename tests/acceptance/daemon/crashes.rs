//! SIGKILL at every boundary between two stages, and at any moment.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use refiner_journal::State;
use refiner_testchain::Fault;
use refiner_testkit::pinner::{Fault as PinnerFault, Route};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::{bench::Bench, specimens::stream};

/// Kills at random moments.
const KILLS: u32 = 200;
/// The number of them that must have met work that was begun and not done; there are more kills until as many have.
const HITS: u32 = 50;
/// Kills after which something is wrong with the machine.
const KILLS_MAX: u32 = 1_000;

/// Every boundary between two stages, in the order in which an item passes them.
pub const BOUNDARIES: [State; 9] = [
    State::Announced,
    State::Fetched,
    State::Produced,
    State::Pinned,
    State::ProofIntent,
    State::Signed,
    State::Broadcast,
    State::Mined,
    State::Final,
];

/// A service that the daemon needs and that stands still, so that an item stops exactly at a boundary.
pub struct Hold {
    boundary: State,
    /// Workers outlive a daemon that was killed while they were stopped.
    stopped: Vec<Pid>,
}

impl Hold {
    /// Works on the bench before the daemon starts.
    pub fn before(bench: &mut Bench, boundary: State) -> Self {
        match boundary {
            State::Announced => bench.pinner.fault(Route::Get, PinnerFault::Stall),
            State::Fetched => bench.flags = ["--workers", "1"].map(str::to_owned).into(),
            State::Produced => bench.pinner.fault(Route::Upload, PinnerFault::Stall),
            State::Pinned => drop(bench.rpc.fail("eth_getBalance", Fault::Hang)),
            State::ProofIntent => drop(bench.rpc.fail("eth_estimateGas", Fault::Hang)),
            State::Signed => drop(bench.rpc.fail("eth_sendRawTransaction", Fault::Hang)),
            State::Broadcast => drop(bench.rpc.fail("eth_getTransactionReceipt", Fault::Hang)),
            State::Mined => bench.flags = ["--proof-depth", "3"].map(str::to_owned).into(),
            _ => {}
        }
        Self { boundary, stopped: Vec::new() }
    }

    /// Starts the daemon, and waits until it is ready as far as the hold allows: the preflight asks for the balance as well.
    pub async fn start(&self, bench: &mut Bench) {
        if self.boundary != State::Pinned {
            return bench.start_ready().await;
        }
        bench.start();
        let is_open = |bench: &mut Bench| bench.status().is_some_and(|status| status["now"]["operator"].is_string());
        bench.until("the stages run", is_open).await;
    }

    /// Stops the daemon's only worker, which takes the next specimen and answers nothing.
    pub fn stop_workers(&mut self, bench: &Bench) {
        self.stopped = bench.workers();
        assert_eq!(self.stopped.len(), 1);
        for worker in &self.stopped {
            kill_process(*worker, Signal::STOP).unwrap();
        }
    }

    pub async fn release(self, bench: &mut Bench) {
        match self.boundary {
            State::Announced => bench.pinner.mend(Route::Get),
            State::Produced => bench.pinner.mend(Route::Upload),
            State::Pinned => bench.rpc.heal("eth_getBalance"),
            State::ProofIntent => bench.rpc.heal("eth_estimateGas"),
            State::Signed => bench.rpc.heal("eth_sendRawTransaction"),
            State::Broadcast => bench.rpc.heal("eth_getTransactionReceipt"),
            State::Mined => bench.chain.mine(3).await.unwrap(),
            _ => {}
        }
        for worker in self.stopped {
            kill_process(worker, Signal::KILL).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_killed_between_two_stages_proves_every_specimen_once() {
    let Some(mut bench) = Bench::new().await else { return };
    let mut given = stream(BOUNDARIES.len() as u64 + 1).into_iter();
    let mut proved = Vec::new();
    for boundary in BOUNDARIES {
        let mut hold = Hold::before(&mut bench, boundary);
        hold.start(&mut bench).await;
        if boundary == State::Fetched {
            // A worker is started by the first specimen, and waits for the next.
            proved.extend(given.next());
            bench.announce(&proved[proved.len() - 1..]).await;
            bench.until_all(State::Final, proved.len()).await;
            hold.stop_workers(&bench);
        }
        proved.extend(given.next());
        bench.announce(&proved[proved.len() - 1..]).await;
        let held = if boundary == State::Final { proved.len() } else { 1 };
        bench.until_all(boundary, held).await;
        bench.kill();
        assert_eq!(bench.in_state(boundary), held, "killed exactly after `{boundary}`");
        hold.release(&mut bench).await;
        bench.start_ready().await;
        bench.until_all(State::Final, proved.len()).await;
        bench.kill();
        bench.assert_proved_once(&proved).await;
        bench.flags.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_signed_before_a_crash_is_sent_as_it_was() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.rpc.fail("eth_sendRawTransaction", Fault::Hang);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Signed, 1).await;
    bench.kill();
    let signed = |bench: &Bench| {
        let journal = bench.journal().unwrap();
        journal.transactions(bench.items()[0].id).unwrap()
    };
    let before = signed(&bench);
    bench.rpc.heal("eth_sendRawTransaction");
    bench.start();
    bench.until_all(State::Final, 1).await;
    let after = signed(&bench);
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!((after[0].hash, &after[0].raw), (before[0].hash, &before[0].raw));
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_that_arrived_unheard_before_a_crash_is_found_on_the_chain() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.rpc.fail("eth_sendRawTransaction", Fault::Deaf);
    bench.announce(&given).await;
    bench.start_ready().await;
    let deadline = Instant::now() + crate::bench::PATIENCE;
    while bench.operator_nonce().await == 0 {
        assert!(Instant::now() < deadline, "it is not mined\n{}", bench.log());
    }
    bench.kill();
    assert_eq!(bench.in_state(State::Signed), 1, "mined, and nobody told the daemon");
    bench.rpc.heal("eth_sendRawTransaction");
    bench.start_ready().await;
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.journal().unwrap().transactions(bench.items()[0].id).unwrap().len(), 1);
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_killed_at_random_moments_proves_every_specimen_once() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(u64::from(KILLS_MAX));
    // About the time from the start to the last proof. It is not known how fast the machine is at the moment, so it is found out: who is
    // killed with everything done lived too long, and who is killed with nothing more done too short.
    let mut life = Duration::from_millis(100);
    let (mut in_the_middle, mut done, mut hit) = (0, 0, BTreeSet::new());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut kills = 0;
    while kills < KILLS as usize || in_the_middle < HITS {
        assert!(kills < given.len(), "only {in_the_middle} of {kills} kills hit anything");
        // Work arrives all the time, so that there is something to be killed in.
        bench.announce(&given[kills..=kills]).await;
        kills += 1;
        bench.start();
        sleep(life.mul_f64(random.fraction() * 2.0)).await;
        bench.kill();
        let (before, items) = (done, bench.items());
        done = items.iter().filter(|item| item.state == State::Final).count();
        if done == kills {
            life = life.mul_f64(0.9);
        } else if done == before {
            life = life.mul_f64(1.1);
        }
        let unfinished = items.iter().filter(|item| !item.state.is_end());
        in_the_middle += u32::from(unfinished.clone().count() > 0);
        hit.extend(unfinished.map(|item| item.state));
    }
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{in_the_middle} of {kills} kills hit work that was begun, in the states {hit:?}");
    }
    // Everything may be final already, and a program cannot hear a signal before its first line has run.
    bench.start_ready().await;
    bench.until_all(State::Final, kills).await;
    bench.assert_proved_once(&given[..kills]).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}

/// The same moments in every run, as far as the machine allows: xorshift64*.
struct Random(u64);

impl Random {
    #[allow(clippy::cast_precision_loss, reason = "a fraction of a second")]
    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_cost_a_retry_and_nothing_else() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(20);
    bench.start_ready().await;
    bench.announce(&given).await;
    let begun = Instant::now();
    while bench.in_state(State::Final) < given.len() && begun.elapsed() < crate::bench::PATIENCE {
        for worker in bench.workers() {
            let _ = kill_process(worker, Signal::KILL);
        }
        sleep(Duration::from_millis(300)).await;
    }
    bench.until_all(State::Final, given.len()).await;
    bench.assert_proved_once(&given).await;
}
