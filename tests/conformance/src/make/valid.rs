//! Valid blocks of every fork, and of three transitions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    chain::{Contents, TestChain},
    contents,
    json::Written,
};
use crate::{fork::Fork, network::Network};

/// Networks, each with the time of its first block.
const NETWORKS: [(&str, u64); 18] = [
    ("Frontier", 1_000),
    ("Homestead", 1_000),
    ("EIP150", 1_000),
    ("EIP158", 1_000),
    ("Byzantium", 1_000),
    ("ConstantinopleFix", 1_000),
    ("Istanbul", 1_000),
    ("Berlin", 1_000),
    ("London", 1_000),
    ("Paris", 1_000),
    ("Shanghai", 1_000),
    ("Cancun", 1_000),
    ("Prague", 1_000),
    ("Osaka", 1_000),
    ("BPO1", 1_000),
    ("HomesteadToDaoAt2", 1_000),
    ("BerlinToLondonAt2", 1_000),
    // The second block is the first of Cancun.
    ("ShanghaiToCancunAtTime15k", 14_980),
];

/// A network that is known, with the blob schedule that its forks have.
pub fn network(name: &str) -> Network {
    Network::new(name, 1, &BTreeMap::new()).expect("the name is of a fork")
}

pub fn tests() -> Value {
    NETWORKS.iter().map(|(name, time)| (format!("blocks_of_{name}"), test(name, *time))).collect::<Map<_, _>>().into()
}

fn test(name: &str, time: u64) -> Value {
    let network = network(name);
    let newest = network.newest();
    let mut chain = TestChain::new(network, contents::genesis(newest), time);
    let mut written = Written::begin(&chain);
    let ommer = chain.next_header();
    for position in 0..2 {
        let fork = chain.network.fork_of(&chain.next_header());
        let first = position == 0;
        // The executable specification knows no ommer of another fork than its nephew's.
        let with_ommer = !first && fork < Fork::Paris && chain.network.fork_of(&ommer) == fork;
        let ommers = if with_ommer { vec![ommer.clone()] } else { Vec::new() };
        let withdrawals = if fork >= Fork::Shanghai { contents::withdrawals(2 * position) } else { Vec::new() };
        let contents = Contents { transactions: contents::transactions(fork, first), ommers, withdrawals };
        let (draft, executed) = chain.draft(&contents);
        written.valid(&draft);
        chain.append(&draft, executed);
    }
    written.finish(&chain, "two blocks with a little of everything that forks changed")
}
