//! The cost of a specimen in a daemon whose rules run on worker hosts, beside a daemon that runs them itself.

use std::env;

use refiner_journal::State;

use super::{
    costs::{own_processor_ms, processor_ms},
    crew::Crew,
    nats::Nats,
    program,
};
use crate::{
    bench::Bench,
    specimens::{Given, real_stream, stream},
};

/// Specimens in CI; `REFINER_HOSTS_DAEMON=160` measures over real ones, and prints.
const SPECIMENS: usize = 12;
/// The bytes of an evm-server, whose blocks may have other numbers than their own.
const FORMAT: &str = "evm-server@d";

/// A bench whose daemon asks the chain as often as an operator's does.
async fn bench() -> Option<Bench> {
    let mut bench = Bench::new().await?;
    bench.program = program();
    bench.flags =
        ["--log", "warn", "--format", FORMAT, "--poll-ms", "250", "--unsettled", "200"].map(str::to_owned).into();
    Some(bench)
}

/// Proves every specimen.
async fn proved(bench: &mut Bench, given: &[Given]) {
    bench.announce_in_bulk(given).await;
    bench.start_ready().await;
    bench.until_all(State::Final, given.len()).await;
    bench.assert_proved_once(given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_proves_the_same_with_hosts_and_without_and_spends_no_time_on_rules() {
    let Some(mut here) = bench().await else { return };
    let Some(mut there) = bench().await else { return };
    let Some(nats) = Nats::alone(there.directory.path(), "") else { return };
    let measured: Option<usize> = env::var("REFINER_HOSTS_DAEMON").ok().map(|count| count.parse().unwrap());
    let given = measured.map_or_else(|| stream(SPECIMENS as u64), |count| real_stream(count).unwrap());

    proved(&mut here, &given).await;
    let pid = |worker: rustix::process::Pid| worker.as_raw_nonzero().get().cast_unsigned();
    let workers_ms: f64 = here.workers().into_iter().map(pid).map(processor_ms).sum();
    let daemon_ms = own_processor_ms(here.pid());
    assert!(!here.workers().is_empty());

    let mut crew = Crew::of(&mut there, &nats.url());
    crew.hire("one", &[]);
    proved(&mut there, &given).await;
    let host_ms = processor_ms(crew.host("one").pid());
    let parts = [
        ("the daemon", own_processor_ms(there.pid())),
        ("the content server", processor_ms(crew.server_pid())),
        ("NATS", processor_ms(nats.pid())),
    ];
    let results = |proofs: Vec<crate::bench::Proved>| proofs.into_iter().map(|proof| proof.result_hash);
    let (mut with, mut without): (Vec<_>, Vec<_>) =
        (results(there.proofs().await).collect(), results(here.proofs().await).collect());
    with.sort_unstable();
    without.sort_unstable();
    assert_eq!(with, without);
    assert_eq!((there.workers(), crew.host("one").completed()), (Vec::new(), given.len()));

    if measured.is_some() {
        let each = |ms: f64| ms / given.len() as f64;
        let coordinator: f64 = parts.iter().map(|(_, ms)| ms).sum();
        #[allow(clippy::print_stderr)]
        {
            eprintln!("{} specimens, processor time of each:", given.len());
            eprintln!(
                "  {:6.2} ms in a daemon with workers of its own, {:.2} in them",
                each(daemon_ms),
                each(workers_ms)
            );
            for (part, ms) in parts {
                eprintln!("  {:6.2} ms in {part}", each(ms));
            }
            eprintln!("  {:6.2} ms more in these than in the daemon alone", each(coordinator - daemon_ms));
            eprintln!("  {:6.2} ms on the worker host", each(host_ms));
        }
    }
}
