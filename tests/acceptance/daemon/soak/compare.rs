//! The comparison at the end of a soak: what was sent, the chain, the journal and the pinner.

use std::collections::{BTreeMap, BTreeSet};

use refiner_journal::State;

use super::play::Soak;

/// What differs from one announcement, one item and one proof for each specimen, from results that can be fetched, and from
/// nonces in one row.
pub async fn differences(soak: &Soak) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, found: Vec<u64>| {
        let mut times = BTreeMap::<u64, usize>::new();
        found.iter().for_each(|height| *times.entry(*height).or_default() += 1);
        for height in soak.sent.keys().filter(|height| !times.contains_key(height)) {
            differences.push(format!("{height} has no {what}"));
        }
        for (height, times) in times {
            if !soak.sent.contains_key(&height) {
                differences.push(format!("{height} was not sent and has {what}"));
            } else if times > 1 {
                differences.push(format!("{height} has {what} {times} times"));
            }
        }
    };
    let proofs = soak.bench.proofs().await;
    let items = soak.bench.items();
    compare("announcement", soak.announced().await);
    compare("accepted proof", proofs.iter().map(|proof| proof.height).collect());
    compare("final item", items.iter().filter(|item| item.state == State::Final).map(|item| item.height).collect());
    for item in items.iter().filter(|item| item.state != State::Final) {
        differences.push(format!("item {} of {} is {}: {:?}", item.id, item.height, item.state, item.reason));
    }
    for proof in &proofs {
        let sent = soak.sent.get(&proof.height).map(|specimen| specimen.specimen_hash);
        if sent.is_some_and(|hash| hash != proof.specimen_hash) {
            differences.push(format!("{} is proved of another specimen, {}", proof.height, proof.specimen_hash));
        }
        if soak.bench.pinner.content(proof.url.trim_start_matches("ipfs://")).is_none() {
            differences.push(format!("{} is proved with {:?}, which the pinner has not", proof.height, proof.url));
        }
    }
    let relied_on: u64 = soak.strangers.iter().map(|stranger| stranger.relied_on()).sum();
    if relied_on > 0 {
        differences.push(format!("nodes of another chain, which they had shown, were relied on {relied_on} times"));
    }
    differences.extend(nonces(soak).await);
    differences
}

/// What differs between the nonces of the journal and those of the chain.
async fn nonces(soak: &Soak) -> Vec<String> {
    let mut differences = Vec::new();
    let Some(journal) = soak.bench.journal() else { return vec!["there is no journal".to_owned()] };
    let items = soak.bench.items();
    let transactions = items.iter().flat_map(|item| journal.transactions(item.id).unwrap());
    let nonces: BTreeSet<u64> = transactions.map(|transaction| transaction.nonce).collect();
    let count = soak.bench.operator_nonce().await;
    if let Some(beyond) = nonces.iter().find(|nonce| **nonce >= count) {
        differences.push(format!("nonce {beyond} was signed, and the chain is at {count}"));
    }
    // Each is that of a final proof, or closed a gap.
    for nonce in (0..count).filter(|nonce| journal.settled_holder(*nonce).unwrap().is_none()) {
        differences.push(if nonces.contains(&nonce) {
            format!("nonce {nonce} was used on chain for a transaction that proves nothing")
        } else {
            format!("nonce {nonce} was used on chain and is in no journal")
        });
    }
    differences
}
