//! Specimens that are announced by ids of another profile than ours.

use refiner_content::{Codec, ContentId, Layout, das_dag, das_id};
use refiner_journal::State;
use refiner_testkit::pinner::PinnerDouble;

use crate::{bench::Bench, specimens::stream};

#[tokio::test(flavor = "multi_thread")]
async fn specimens_announced_by_das_roots_are_proved_from_the_pinner_and_from_a_gateway() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    let gateway = PinnerDouble::start().unwrap();
    bench.flags = ["--gateway", &gateway.url()].map(str::to_owned).into();

    let pinned = das_id(&given[0].bytes).unwrap();
    bench.pinner.serve_at(&format!("/api/v1/get?cid={pinned}"), 200, &given[0].bytes);
    // One has all blocks, one lacks the data of its blob.
    let served = given[1..].iter().zip([0, 2]).map(|(given, without)| {
        let dag = das_dag(&given.bytes, Layout::default()).unwrap();
        // A root, a list, and nodes of which the first two hold the data.
        let blocks = dag.blocks().iter().rev().enumerate().filter(|(at, _)| !(2..2 + without).contains(at));
        for (_, block) in blocks {
            gateway.serve_at(&format!("/ipfs/{}?format=raw", block.id), 200, &block.bytes);
        }
        dag.root()
    });
    let ids: Vec<ContentId> = std::iter::once(pinned).chain(served).collect();
    let announced: Vec<_> = given.iter().cloned().zip(ids.iter().map(ContentId::url)).collect();
    bench.announce_at(&announced).await;
    bench.start();
    bench.until_all(State::Final, 3).await;
    bench.assert_proved_once(&given).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_under_an_id_of_larger_chunks_is_proved_by_its_announced_hash() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    let id = ContentId::of_block(Codec::DagPb, b"a root over chunks of 1 MiB");
    bench.pinner.put_as(&id.to_string(), &given[0].bytes);
    bench.announce_at(&[(given[0].clone(), id.url())]).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given).await;
}
