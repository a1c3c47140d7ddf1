//! A system clock that is set by a day, forward and back, while the daemon runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use refiner_journal::State;
use refiner_testkit::pinner::{Fault as PinnerFault, Route};

use crate::{bench::Bench, power_cut::compiled, specimens::stream};

const DAY_S: i64 = 86_400;
/// The daemon looks at the system's clock every second; a loaded machine takes a moment.
const NOTICED: &str = "system clock was set";

/// The system clock as the daemon sees it.
struct Clock {
    library: PathBuf,
    moved_by: PathBuf,
}

impl Clock {
    fn of(bench: &mut Bench) -> Option<Self> {
        let library = compiled("clock", "a clock that is set needs a C compiler")?;
        let moved_by = bench.directory.path().join("moved-by");
        bench.environment = [("LD_PRELOAD", &library), ("CLOCK_MOVED_BY", &moved_by)]
            .map(|(name, path): (_, &PathBuf)| (name.to_owned(), path.to_str().unwrap().to_owned()))
            .into();
        let clock = Self { library, moved_by };
        clock.set(0);
        Some(clock)
    }

    fn set(&self, seconds: i64) {
        let part: &Path = &self.moved_by.with_extension("part");
        fs::write(part, seconds.to_string()).unwrap();
        fs::rename(part, &self.moved_by).unwrap();
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.library);
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_that_is_set_by_a_day_during_the_run_changes_no_pause() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(clock) = Clock::of(&mut bench) else { return };
    bench.flags = ["--retry-ms", "200", "--waiting-limit", "12h"].map(str::to_owned).into();
    let given = stream(4);
    bench.start_ready().await;
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;

    for (round, moved_by) in [DAY_S, 0, -DAY_S].into_iter().enumerate() {
        // An item pauses before its next upload.
        bench.pinner.fault(Route::Upload, PinnerFault::Panic);
        let next = &given[round + 1..round + 2];
        bench.announce(next).await;
        bench.until("an upload failed", |bench| bench.items().last().is_some_and(|item| item.attempts > 1)).await;
        clock.set(moved_by);
        bench.until("the clock is noticed", |bench| bench.log().matches(NOTICED).count() > round).await;
        let failed = bench.items()[round + 1].attempts;
        let mended = Instant::now();
        // It is still tried again, neither after a day nor all the time.
        bench.until("it is tried again", |bench| bench.items()[round + 1].attempts > failed).await;
        assert!(failed < 40, "{failed} attempts");
        bench.pinner.mend(Route::Upload);
        bench.until_all(State::Final, round + 2).await;
        assert!(mended.elapsed() < Duration::from_secs(100), "{:?}", mended.elapsed());
    }
    bench.assert_proved_once(&given).await;

    // The journal's times are those of the clock as it is set now.
    let shown = now_ms().saturating_add_signed(-DAY_S * 1_000);
    for item in bench.items() {
        assert!(item.state_ms.abs_diff(shown) < 600_000, "{} and {shown}", item.state_ms);
    }
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    // Set right while it is stopped: what is announced then is proved as ever.
    clock.set(0);
    bench.start_ready().await;
    let last = &stream(5)[4..];
    bench.announce(last).await;
    bench.until_all(State::Final, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_specimen_is_not_given_up_because_the_clock_is_set() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(clock) = Clock::of(&mut bench) else { return };
    bench.flags = ["--retry-ms", "100", "--waiting-limit", "12h"].map(str::to_owned).into();
    let given = stream(1);
    bench.start_ready().await;
    bench.pinner.fault(Route::Get, PinnerFault::Panic);
    bench.announce(&given).await;
    bench.until_all(State::Waiting, 1).await;
    for (round, moved_by) in [DAY_S, 0, -DAY_S, 0].into_iter().enumerate() {
        clock.set(moved_by);
        bench.until("the clock is noticed", |bench| bench.log().matches(NOTICED).count() > round).await;
        let looks = bench.items()[0].attempts;
        look_again(&bench);
        // Had the time jumped with the clock, the limit of 12 hours would be over.
        bench.until("it is looked for again", |bench| bench.items()[0].attempts > looks).await;
        assert_eq!(bench.in_state(State::Waiting), 1, "{}", bench.log());
    }
    bench.pinner.mend(Route::Get);
    look_again(&bench);
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given).await;
}

/// Ends the pause before the next look, which is ever longer.
fn look_again(bench: &Bench) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
    let output = command.args(["journal", "retry", "--state", "waiting", "--data"]).arg(&bench.data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
