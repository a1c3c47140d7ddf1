//! From an announcement to a proof, in containers.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{engine::must, specimens::stream, stack::Stack};

/// The engine kills a container that has not ended some time after SIGTERM; the daemon has nothing to finish and ends sooner.
const STOP: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn announced_specimens_are_proved_once_although_the_container_is_killed_and_replaced() {
    let Some(stack) = Stack::start(&[]).await else { return };
    let given = stream(12);
    stack.announce(&given[..1]).await;
    stack.until_final(1).await;

    // Signed and sent, and not mined before the container is gone.
    stack.compose(&["stop", "refiner"]);
    stack.announce(&given[1..]).await;
    stack.chain.rpc("evm_setAutomine", json!([false])).await.unwrap();
    stack.compose(&["start", "refiner"]);
    stack.until("proofs are sent", |stack| stack.in_state("broadcast") > 0).await;
    let killed = stack.container("refiner");
    must(&mut stack.docker(&["kill", "--signal", "KILL", &killed]));
    assert_eq!(must(&mut stack.docker(&["inspect", "--format", "{{.State.ExitCode}}", &killed])), "137");
    stack.compose(&["rm", "--force", "refiner"]);
    stack.up();
    assert_ne!(stack.container("refiner"), killed, "the container is another one");
    stack.until("sent proofs are found again", |stack| stack.in_state("broadcast") > 0).await;
    stack.chain.rpc("evm_setAutomine", json!([true])).await.unwrap();
    stack.chain.rpc("evm_mine", json!([])).await.unwrap();
    stack.until_final(12).await;
    stack.assert_proved_once(&given).await;

    // What the page for operators has them look at.
    assert_eq!(stack.must_exec(&["health", "--ready"]), "healthy: http://127.0.0.1:9568/readyz: 200 ready");
    assert_eq!(stack.must_exec(&["journal", "list"]).matches(" final").count(), 12);
    assert!(stack.must_exec(&["journal", "export"]).contains("\"sha256\""));
    let doctor = stack.must_exec(&["doctor"]);
    assert!(doctor.contains("ok       node http://host.docker.internal"), "{doctor}");
    let trial = stack.start_trial();
    stack
        .until("results without a key", |stack| {
            let list = stack.docker(&["exec", &trial, "/refiner", "journal", "list"]).output().unwrap();
            String::from_utf8_lossy(&list.stdout).matches(" pinned").count() == 12
        })
        .await;
    must(&mut stack.docker(&["rm", "--force", "--volumes", &trial]));
    stack.assert_proved_once(&given).await;

    let metrics = stack.get("/metrics").unwrap();
    assert!(metrics.contains("refiner_events_") && metrics.contains("refiner_items{state=\"final\"} 12"), "{metrics}");
    let (container, begun) = (stack.container("refiner"), Instant::now());
    stack.compose(&["stop", "refiner"]);
    assert!(begun.elapsed() < STOP, "SIGTERM reaches the daemon: {:?}", begun.elapsed());
    let code = must(&mut stack.docker(&["inspect", "--format", "{{.State.ExitCode}}", &container]));
    assert_eq!(code, "0", "{}", stack.log());
}
