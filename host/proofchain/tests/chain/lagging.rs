//! Nodes behind others, whose `[]` means that they do not know yet.

use std::sync::Arc;

use refiner_proofchain::{Lack, Network, ProofChain, Rpc, ScanConfig, ScanStep, Scanner};
use refiner_testchain::{Blooms, FaultyRpc, Lagging, LateLogs, Meets, NoLogsByHash, Setup, TestChain};

use crate::{
    LIMITS,
    scanning::{Scan, events, heights, shallow},
    specimen, start,
};

/// A chain, a proxy before it, and a scan through the proxy that has caught up.
async fn scene() -> Option<(TestChain, FaultyRpc, Scan)> {
    let chain = start(&Setup::default()).await?;
    let proxy = FaultyRpc::start(chain.url()).await.unwrap();
    let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
    scan.catch_up().await;
    Some((chain, proxy, scan))
}

/// Steps until the node has answered so often, and gives how often it was behind.
async fn steps(scan: &mut Scan, count: usize) -> usize {
    let mut behind = 0;
    for _ in 0..count {
        behind += usize::from(matches!(scan.step().await.unwrap(), ScanStep::Behind { .. }));
    }
    behind
}

#[tokio::test]
async fn no_announcement_is_lost_to_a_balancer_with_a_lagging_node() {
    for meets in [Meets::Every, Meets::Half, Meets::Logs, Meets::LogsAlone] {
        let Some((chain, proxy, mut scan)) = scene().await else { return };
        let lagging = Arc::new(Lagging::at(scan.cursor.number, meets));
        proxy.behave(&lagging);
        for height in 1..=3 {
            chain.announce(&specimen(height)).await.unwrap();
            steps(&mut scan, 4).await;
            scan.assert_complete(&events(&chain).await);
        }
        lagging.set_head(u64::MAX);
        scan.catch_up().await;
        assert_eq!(scan.cursor.number, chain.head().await.unwrap(), "{meets:?}");
        scan.assert_complete(&events(&chain).await);
    }
}

#[tokio::test]
async fn lagging_node_is_told_and_the_position_kept() {
    let Some((chain, proxy, mut scan)) = scene().await else { return };
    let before = scan.cursor;
    // Its head is another one's, as behind a balancer.
    proxy.behave(&Arc::new(Lagging::at(before.number, Meets::Logs)));
    chain.announce(&specimen(1)).await.unwrap();
    let head = chain.head().await.unwrap();
    let step = scan.step().await.unwrap();
    let node = proxy.url().to_owned();
    assert_eq!(step, ScanStep::Behind { head, node, number: head, lack: Lack::Logs });
    assert_eq!(scan.cursor, before);
}

#[tokio::test]
async fn logs_that_are_found_later_than_their_block_are_not_lost() {
    for by_hash in [true, false] {
        let Some((chain, proxy, mut scan)) = scene().await else { return };
        let late = Arc::new(LateLogs::up_to(scan.cursor.number, by_hash));
        proxy.behave(&late);
        chain.announce_all(&[specimen(1), specimen(2)]).await.unwrap();
        let found = scan.catch_up().await;
        // Where the block itself gives them, at once; otherwise when the window is read again.
        assert_eq!(heights(&found), if by_hash { vec![1, 2] } else { vec![] });
        assert_eq!(scan.cursor.number, chain.head().await.unwrap(), "the scan goes on");
        late.set_indexed(u64::MAX);
        chain.mine(1).await.unwrap();
        scan.catch_up().await;
        scan.assert_complete(&events(&chain).await);
    }
}

#[tokio::test]
async fn chain_without_blooms_is_read_and_its_lost_announcements_are_found_again() {
    for blooms in [Blooms::Missing, Blooms::Zero, Blooms::Full] {
        let Some((chain, proxy, mut scan)) = scene().await else { return };
        let lagging = Arc::new(Lagging::at(scan.cursor.number, Meets::Logs));
        proxy.behave(&lagging);
        proxy.behave(&Arc::new(blooms));
        chain.announce(&specimen(1)).await.unwrap();
        scan.catch_up().await;
        lagging.set_head(u64::MAX);
        for _ in 0..3 {
            chain.mine(1).await.unwrap();
            let requests = proxy.requests();
            scan.catch_up().await;
            // Two that look for news, three for the block.
            assert!(proxy.requests() - requests <= 5, "{blooms:?}");
        }
        assert_eq!(scan.cursor.number, chain.head().await.unwrap(), "{blooms:?}");
        scan.assert_complete(&events(&chain).await);
    }
}

#[tokio::test]
async fn node_that_refuses_logs_by_hash_does_not_stop_the_scan() {
    let Some((chain, proxy, mut scan)) = scene().await else { return };
    proxy.behave(&Arc::new(NoLogsByHash));
    proxy.behave(&Arc::new(Blooms::Full));
    chain.mine(5).await.unwrap();
    assert_eq!(steps(&mut scan, 2).await, 0);
    assert_eq!(scan.cursor.number, chain.head().await.unwrap());
}

#[tokio::test]
async fn block_whose_logs_are_refused_for_ever_stops_the_scan_until_it_is_as_deep_as_the_window() {
    let Some((chain, proxy, mut scan)) = scene().await else { return };
    proxy.behave(&Arc::new(Lagging::at(scan.cursor.number, Meets::Logs)));
    let announced = chain.announce(&specimen(1)).await.unwrap().block;
    for blocks in [0, 20, 107] {
        chain.mine(blocks).await.unwrap();
        assert_eq!(steps(&mut scan, 3).await, 3);
        assert!(scan.cursor.number < announced);
    }
    chain.mine(1).await.unwrap();
    scan.catch_up().await;
    assert_eq!(scan.cursor.number, announced + 128);
}

#[tokio::test]
async fn second_node_is_asked_when_the_first_one_lags() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (first, second) = (FaultyRpc::start(chain.url()).await.unwrap(), FaultyRpc::start(chain.url()).await.unwrap());
    let urls = [&first, &second].map(|proxy| proxy.url().parse().unwrap());
    let network = Network {
        chain_id: chain.chain_id(),
        specimen_contract: chain.specimen_contract(),
        result_contract: chain.result_contract(),
    };
    let contracts = ProofChain::connect(Rpc::new(urls, LIMITS).unwrap(), network).await.unwrap();
    let mut scan = Scan::from(Scanner::new(contracts, shallow())).await;
    scan.catch_up().await;
    // Its head is that of the second: a balancer, of whose nodes one is behind.
    let stands = scan.cursor.number;
    first.behave(&Arc::new(Lagging::at(stands, Meets::Logs)));
    chain.announce_all(&[specimen(1), specimen(2)]).await.unwrap();
    let found = scan.catch_up().await;
    assert_eq!(
        (heights(&found), second.asked("eth_getLogs")),
        (vec![1, 2], 3),
        "their two blocks and an old one, by hash"
    );
    scan.assert_complete(&events(&chain).await);
}

#[tokio::test]
async fn blocks_are_read_again_until_they_are_as_deep_as_the_window() {
    let Some(chain) = start(&Setup::default()).await else { return };
    for (window, found_again) in [(8, true), (7, true), (6, false)] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let mut scan = Scan::of(&chain, proxy.url(), ScanConfig { window, ..shallow() }).await;
        scan.catch_up().await;
        // The quorum is the last block; nothing of a bloom is known.
        let (late, blooms) = (Arc::new(LateLogs::up_to(scan.cursor.number, false)), Arc::new(Blooms::Zero));
        proxy.behave(&late);
        proxy.behave(&blooms);
        chain.announce(&specimen(window)).await.unwrap();
        scan.catch_up().await;
        for _ in 0..6 {
            chain.mine(1).await.unwrap();
            scan.catch_up().await;
        }
        late.set_indexed(u64::MAX);
        chain.mine(1).await.unwrap();
        assert_eq!(scan.catch_up().await.len(), usize::from(found_again), "{window}");
    }
}
