//! `compose/many-hosts.yml`: a coordinator, worker hosts and three NATS servers in containers, with a proof chain on this machine.

use std::{env, fs, path::Path};

use serde_json::Value;

use crate::{
    engine::{Engine, add, libraries, must},
    specimens::stream,
    stack::Stack,
};

/// The number of worker hosts, without which the test is left out: it takes half a minute.
pub const HOSTS: &str = "REFINER_COMPOSE_HOSTS";
/// Debian's nats-server in the place of its makers' image.
pub const NATS_IMAGE: &str = "refiner-test-nats";
/// Where Debian's package has the program.
const NATS_SERVER: &str = "/usr/sbin/nats-server";
const FILE: &str = "many-hosts.yml";
const SPECIMENS: u64 = 12;
/// Those that are announced before anything is killed.
const HALF: usize = 6;

/// An image with Debian's nats-server, started as its makers' image starts theirs.
pub fn image(engine: &Engine) -> Option<()> {
    let program = env::var_os("NATS_SERVER").unwrap_or_else(|| NATS_SERVER.into());
    let program = Path::new(&program);
    if !program.is_file() {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: no nats-server (`apt-get install nats-server`, or NATS_SERVER=path)");
        }
        return None;
    }
    let root = tempfile::tempdir().unwrap();
    let at = root.path().join("bin/nats-server");
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::copy(program, at).unwrap();
    add(root.path(), &libraries(program));
    engine.import(root.path(), NATS_IMAGE, &[r#"ENTRYPOINT ["/bin/nats-server"]"#]);
    Some(())
}

/// The queue, as `refiner queue status` in the coordinator's container shows it.
fn queue(stack: &Stack) -> Value {
    let printed = stack.exec(&["/refiner", "queue", "status", "--json"]);
    let status: Value = serde_json::from_slice(&printed.stdout).unwrap_or_default();
    status["queues"][0].clone()
}

fn hosts(queue: &Value) -> usize {
    queue["hosts"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_hosts_in_containers_share_the_work_over_three_nats_servers_one_of_which_is_killed() {
    let Some(count) = env::var(HOSTS).ok().map(|count| count.parse::<usize>().unwrap()) else {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: {HOSTS} names no number of worker hosts (CONTRIBUTING.md)");
        }
        return;
    };
    let Some(stack) = Stack::start_scaled(FILE, &["--scale", &format!("work={count}")]).await else { return };
    stack.until("all hosts are there", |stack| hosts(&queue(stack)) == count).await;
    let healthy =
        |stack: &Stack| must(&mut stack.docker(&["ps", "--quiet", "--filter", "health=healthy"])).lines().count();
    stack.until("coordinator, content server and hosts are healthy", |stack| healthy(stack) == count + 2).await;
    let given = stream(SPECIMENS);
    stack.announce(&given[..HALF]).await;
    stack.until_final(HALF as u64).await;
    let seen = queue(&stack);
    assert_eq!(seen["replicas"], 3, "{seen}");
    assert_eq!(
        seen["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|host| host["origin"].as_str().unwrap().starts_with("http://172.29."))
            .count(),
        count,
        "{seen}"
    );

    // Neither a server nor a host of several is needed.
    for service in ["nats-1", "work"] {
        let killed = stack.container(service);
        let killed = killed.lines().next().unwrap().to_owned();
        must(&mut stack.docker(&["kill", "--signal", "KILL", &killed]));
    }
    stack.announce(&given[HALF..]).await;
    stack.until_final(SPECIMENS).await;
    stack.assert_proved_once(&given).await;
    let status: Value = serde_json::from_str(&stack.get("/status").unwrap()).unwrap();
    let queue = &status["now"]["queue"];
    assert_eq!((&queue["disagreements"], &queue["unusable"]), (&0.into(), &0.into()), "{queue}");
}
