//! A backlog on a machine of the size that the network's earlier refiner asked for.

use std::{fs, time::Instant};

use refiner_testkit::crowds;

use crate::{
    engine::must,
    specimens::{Given, real_stream},
    stack::Stack,
};

/// Specimens announced before the daemon starts; names another number for a longer run.
const BACKLOG: &str = "REFINER_SMALL_BACKLOG";
const BACKLOG_SHORT: usize = 40;
/// Transactions of a block of our own: as many as an ordinary block of mainnet.
const TRANSACTIONS: usize = 150;

/// Restarts of a container, and whether the kernel ended a process of it for want of memory.
const RESTARTS: &str = "{{.RestartCount}} {{.State.OOMKilled}}";

/// The most memory that the daemon's container took, file cache included, where the engine is on this machine and its cgroups are mounted.
fn peak_bytes(stack: &Stack) -> Option<u64> {
    let id = stack.container("refiner");
    let files = [
        format!("/sys/fs/cgroup/memory/docker/{id}/memory.max_usage_in_bytes"),
        format!("/sys/fs/cgroup/docker/{id}/memory.peak"),
        format!("/sys/fs/cgroup/system.slice/docker-{id}.scope/memory.peak"),
    ];
    files.into_iter().find_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn backlog_is_proved_with_2_processors_and_3_gigabytes() {
    let Some(stack) = Stack::start(&["small.yml"]).await else { return };
    let count = std::env::var(BACKLOG).map_or(BACKLOG_SHORT, |count| count.parse().unwrap());
    let given = real_stream(count).unwrap_or_else(|| {
        crowds(count, TRANSACTIONS).unwrap().into_iter().map(|sample| Given::of(sample.bytes)).collect()
    });
    stack.compose(&["stop", "refiner"]);
    stack.announce(&given).await;
    stack.compose(&["start", "refiner"]);
    let begun = Instant::now();
    stack.until_final(count as u64).await;
    #[allow(clippy::print_stderr)]
    {
        let peak = peak_bytes(&stack).map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        eprintln!("{count} specimens proved in {:.1} s; the container's peak: {peak}", begun.elapsed().as_secs_f64());
    }
    stack.assert_proved_once(&given).await;
    for (service, bytes) in [("refiner", 2_296_u64 << 20), ("ewm-das", 704 << 20)] {
        assert_eq!(
            stack.inspect(service, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"),
            format!("{bytes} 2000000000")
        );
        assert_eq!(stack.inspect(service, RESTARTS), "0 false", "{}", stack.log());
    }
    let all = must(&mut stack.docker(&["ps", "--quiet"])).lines().count();
    assert_eq!(all, 2, "nothing else needs memory of that machine");
}
