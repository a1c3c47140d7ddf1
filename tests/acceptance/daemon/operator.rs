//! An operator's commands on the journal, while the daemon runs and while it does not.

use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use refiner_journal::State;
use refiner_testkit::pinner::{Fault, Route};

use crate::{bench::Bench, specimens::stream};

fn journal(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
    command.arg("journal").args(arguments).arg("--data").arg(&bench.data).output().unwrap()
}

/// The output of a command that succeeds.
fn done(bench: &Bench, arguments: &[&str]) -> String {
    let output = journal(bench, arguments);
    assert_eq!(output.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&output.stderr), bench.log());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_skipped_and_go_back_to_a_stage_while_the_daemon_runs() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    bench.pinner.fault(Route::Upload, Fault::WrongCid);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Produced, 3).await;
    let socket = std::fs::metadata(bench.data.join("control.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    assert_eq!(done(&bench, &["skip", "--state", "produced"]), "3 items skipped, 0 left as they are\n");
    assert_eq!(bench.items()[1].reason.as_deref(), Some("skipped by the operator"));

    bench.pinner.mend(Route::Upload);
    let first = given[0].height;
    let back = done(&bench, &["rewind", "--to", "pin", "--heights", &format!("{first}:{first}")]);
    assert_eq!(back, "1 item back to produced, 0 left as they are\n");
    bench.until_all(State::Final, 1).await;
    assert_eq!(done(&bench, &["retry", "--state", "skipped"]), "2 items to be tried again, 0 left as they are\n");
    bench.until_all(State::Final, 3).await;
    assert!(bench.log().contains("journal changed by the operator"), "{}", bench.log());

    let output = journal(&bench, &["retry", "1", "9"]);
    assert_eq!(output.status.code(), Some(5));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("1  it is final") && text.contains("9  there is no such item"), "{text}");
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_changed_directly_when_no_daemon_runs() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.pinner.fault(Route::Upload, Fault::WrongCid);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Produced, 2).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    bench.pinner.mend(Route::Upload);
    assert_eq!(done(&bench, &["skip", "2"]), "1 item skipped, 0 left as they are\n");
    assert_eq!(done(&bench, &["rewind", "--to", "refine", "1"]), "1 item back to fetched, 0 left as they are\n");
    bench.start();
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.in_state(State::Skipped), 1);
    bench.assert_proved_once(&given[..1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_a_long_scan_window_would_announce_anew_are_not_forgotten() {
    /// Longer than the default, and twice it than the 256 blocks that are kept in any case.
    const WINDOW: u64 = 400;
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--scan-window", &WINDOW.to_string()].map(str::to_owned).into();
    bench.pinner.fault(Route::Upload, Fault::WrongCid);
    bench.announce(&stream(1)).await;
    bench.start();
    bench.until_all(State::Produced, 1).await;
    assert_eq!(done(&bench, &["skip", "1"]), "1 item skipped, 0 left as they are\n");
    let announced = bench.items()[0].announced_in;
    let pass = async |bench: &mut Bench, number: u64| {
        bench.chain.mine(number - bench.chain.head().await.unwrap()).await.unwrap();
        bench.until("the blocks are passed", |bench| bench.status().unwrap()["now"]["cursor"] == number).await;
    };
    pass(&mut bench, announced + 2 * WINDOW - 1).await;
    let kept = format!("scanned again until block {}", announced + 2 * WINDOW);
    let forget = |bench: &Bench| String::from_utf8(journal(bench, &["forget", "1"]).stdout).unwrap();
    assert!(forget(&bench).contains(&kept), "{}", forget(&bench));
    assert_eq!(bench.items().len(), 1);
    // Likewise while no daemon runs.
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    assert!(forget(&bench).contains(&kept), "{}", forget(&bench));
    bench.start_ready().await;
    pass(&mut bench, announced + 2 * WINDOW).await;
    assert_eq!(forget(&bench), "1 item forgotten, 0 left as they are\n");
    bench.chain.mine(1).await.unwrap();
    let head = announced + 2 * WINDOW + 1;
    bench.until("a block is passed", |bench| bench.status().unwrap()["now"]["cursor"] == head).await;
    assert_eq!(bench.items().len(), 0, "it is not announced anew");
}

#[test]
fn journal_that_is_not_there_is_named_and_none_is_begun() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("nothing");
    let arguments = ["journal", "retry", "--state", "waiting", "--data"];
    let output = Command::new(env!("CARGO_BIN_EXE_refiner")).args(arguments).arg(&data).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing/journal.sqlite"));
    assert!(!data.exists());
}
