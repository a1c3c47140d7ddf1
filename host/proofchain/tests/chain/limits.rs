//! The scanner before providers that limit ranges, each in its own words.

use refiner_proofchain::{ScanError, ScanStep};
use refiner_testchain::{Fault, FaultyRpc, LimitedRange, Provider, Setup};
use std::sync::Arc;

use crate::{
    scanning::{Scan, events, shallow},
    specimen, start,
};

#[tokio::test]
async fn every_provider_that_limits_ranges_is_read_to_the_end() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.announce(&specimen(1)).await.unwrap();
    chain.mine(1_500).await.unwrap();
    chain.announce_all(&[specimen(2), specimen(3)]).await.unwrap();
    let (head, events) = (chain.head().await.unwrap(), events(&chain).await);
    assert_eq!(events.len(), 3);
    for provider in Provider::ALL {
        for blocks in [512, 100, 10] {
            let proxy = FaultyRpc::start(chain.url()).await.unwrap();
            let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
            proxy.behave(&Arc::new(LimitedRange { provider, blocks }));
            scan.catch_up().await;
            scan.assert_complete(&events);
            assert_eq!(scan.cursor.number, head, "{provider:?}, {blocks} blocks");
            let progress = scan.scanner.progress();
            assert!(progress.range_blocks <= 2 * blocks, "{provider:?}: {progress:?}");
            assert!(progress.shortened_by.is_some_and(|why| why.contains("eth_getLogs")), "{provider:?}");
        }
    }
}

#[tokio::test]
async fn range_that_a_provider_suggests_is_the_next_one() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.mine(300).await.unwrap();
    for (provider, refused) in [(Provider::Alchemy, 1), (Provider::Reth, 1), (Provider::InfuraResults, 1)] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
        proxy.behave(&Arc::new(LimitedRange { provider, blocks: 37 }));
        let before = proxy.asked("eth_getLogs");
        scan.step().await.unwrap();
        assert_eq!(scan.cursor.number, 37, "{provider:?}");
        // A refusal of all of a request is asked about once more, alone.
        let asked = proxy.asked("eth_getLogs") - before - 1;
        assert!((refused..=2 * refused).contains(&asked), "{provider:?}: {asked} refusals");
    }
}

#[tokio::test]
async fn error_that_a_single_block_gives_too_is_not_about_the_range_and_is_named() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.mine(100).await.unwrap();
    for fault in [
        Fault::refuse(-32601, "the method eth_getLogs does not exist/is not available"),
        Fault::refuse(-32000, "header not found"),
        Fault::refuse(-32005, "query returned more than 10000 results"),
        Fault::page(403, "Forbidden"),
    ] {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
        let range = scan.scanner.progress().range_blocks;
        proxy.fail("eth_getLogs", fault.clone());
        let error = scan.step().await.unwrap_err();
        let ScanError::BlockRefused { number: 1, source } = &error else { panic!("{fault:?}: {error}") };
        assert!(source.to_string().contains("eth_getLogs"), "{source}");
        assert_eq!(scan.scanner.progress().range_blocks, range, "{fault:?}");
        proxy.heal("eth_getLogs");
        assert!(matches!(scan.step().await.unwrap(), ScanStep::Advanced(_)), "{fault:?}");
    }
}

#[tokio::test]
async fn fault_that_passes_costs_a_shorter_range_at_most() {
    let Some(chain) = start(&Setup::default()).await else { return };
    chain.announce(&specimen(1)).await.unwrap();
    chain.mine(100).await.unwrap();
    for times in 1..12 {
        let proxy = FaultyRpc::start(chain.url()).await.unwrap();
        let mut scan = Scan::of(&chain, proxy.url(), shallow()).await;
        proxy.fail_times("eth_getLogs", times, Fault::Status(503));
        while scan.step().await.is_err() {}
        scan.catch_up().await;
        scan.assert_complete(&events(&chain).await);
    }
}
