//! The daemon with an evm-server beside it.

use std::fs;

use refiner_evm::{EmbeddedExecutor, Era, ResultFormat};
use refiner_journal::State;
use refiner_specimen::{decode, sha256};
use refiner_testkit::evm_server::{EvmServerDouble, Fault};

use crate::{
    bench::Bench,
    faults::until_failed,
    preflight::teach_sample,
    specimens::{Given, stream},
};

/// A double that knows these blocks in era D, and the sha256 of each result.
fn taught(given: &[Given]) -> (EvmServerDouble, Vec<alloy_primitives::B256>) {
    let double = EvmServerDouble::start().unwrap();
    teach_sample(&double, Era::D);
    let executor = EmbeddedExecutor::default();
    let teach = |given: &Given| {
        let format = ResultFormat::EvmServer(Era::D);
        let specimen = decode(&given.bytes).unwrap();
        let result = executor.execute(&specimen, format).unwrap().block_result(&specimen).unwrap();
        double.teach(&given.bytes, &result);
        sha256(&result)
    };
    let hashes = given.iter().map(teach).collect();
    (double, hashes)
}

fn flags(double: &EvmServerDouble, who: &str) -> Vec<String> {
    ["--format", "evm-server@d", "--evm", who, "--evm-server", &double.url()].map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_an_evm_server_are_pinned_and_proved_and_its_faults_are_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    let (double, hashes) = taught(&given);
    bench.flags = flags(&double, "remote");
    bench.start_ready().await;
    assert_eq!(double.processed(), 1, "the sample of the preflight");
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;
    assert_eq!(double.processed(), 2);

    for (round, (fault, words)) in
        [(Fault::Empty, "200 and nothing"), (Fault::OtherBlock, "is not believed")].into_iter().enumerate()
    {
        let round = round + 1;
        double.fault(fault);
        bench.announce(&given[round..=round]).await;
        until_failed(&mut bench, &given[round], State::Fetched, words).await;
        double.mend();
        bench.until_all(State::Final, round + 1).await;
    }
    bench.assert_proved_once(&given).await;
    let proofs = bench.proofs().await;
    for (given, hash) in given.iter().zip(hashes) {
        let proof = proofs.iter().find(|proof| proof.specimen_hash == given.hash).unwrap();
        assert_eq!(proof.result_hash, hash, "{}", given.height);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn block_whose_two_results_differ_is_held_until_they_agree() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    let (double, _) = taught(&given);
    bench.flags = flags(&double, "both");
    double.fault(Fault::OtherRoot);
    bench.announce(&given).await;
    bench.start();
    until_failed(&mut bench, &given[0], State::Fetched, "differences are held").await;
    let file = |side: &str| {
        let name = format!("differences/1-{}.evm-server@d.{side}.json", given[0].height);
        fs::read(bench.data.join(name)).unwrap()
    };
    assert_ne!(file("embedded"), file("remote"));
    assert_eq!(bench.proofs().await, []);
    double.mend();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given).await;
}
