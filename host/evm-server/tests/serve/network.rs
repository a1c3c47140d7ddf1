//! Answers of the network's own evm-server, which was run from its public source.

use refiner_evm_server::serve::Limits;
use refiner_specimen::sha256;
use refiner_testkit::real;

use crate::{
    client::{exchange, post},
    server::start,
};

/// Answers that differ on purpose, by the class of the reason.
const EXEMPT: [(&str, &str, &[&str]); 1] =
    [("a null list, which no specimen has", "accesslist-null.json", &["c", "d"])];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_the_network_is_given() {
    let Some(replicas) = real::answered_replicas().unwrap() else { return };
    let mut compared = 0;
    let mut differing = Vec::new();
    for letter in ["a", "b", "c", "d"] {
        let server = start(format!("evm-server@{letter}").parse().unwrap(), Limits::default()).await;
        for replica in &replicas {
            let expected = &replica.answers[letter];
            let answer = exchange(server.address, &post(&replica.json)).await.unwrap();
            let hash = const_hex::encode(sha256(&answer.body));
            let found = (answer.status, (answer.status == 200).then_some(hash));
            let exempt = EXEMPT.iter().any(|(_, name, eras)| *name == replica.name && eras.contains(&letter));
            compared += 1;
            if (found != (expected.status, expected.sha256.clone())) != exempt {
                let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(200)]).into_owned();
                let text = if answer.status == 200 { String::new() } else { text };
                differing.push(format!("{letter} {}: {} for {} {text}", replica.name, answer.status, expected.status));
            }
        }
    }
    assert_eq!(compared, 4 * replicas.len());
    assert!(differing.is_empty(), "{} of {compared}:\n{}", differing.len(), differing.join("\n"));
}
