use std::time::Duration;

use refiner_content::{
    Blame, Block, Content, DasError, FetchBackend, FetchError, Gateway, HttpLimits, Layout, NodesPerBlob, Pinner,
    Version, content_id, das_dag, das_id,
};

use super::{BLOB, blob, blocks, dag, gateway, raw, root, serve_archive, serve_archive_of, serve_blocks};
use crate::{
    Outcome, bytes, patient, patient_pinner,
    pinner::{Fault, PinnerDouble, Route},
};

#[tokio::test]
async fn content_comes_back_block_by_block_and_as_one_archive() -> Outcome {
    let few = [0, 1, 31, 32, BLOB, BLOB + 1].map(|length| (length, 4));
    for (length, nodes) in few.into_iter().chain([1, 2, 128].map(|nodes| (1000, nodes))) {
        let content = bytes(length);
        let dag = dag(&content, nodes);
        let blocks = PinnerDouble::start()?;
        serve_blocks(&blocks, dag.blocks());
        let fetched = gateway(&blocks).fetch(&dag.root()).await?;
        assert_eq!((fetched.id(), fetched.unixfs_id()), (dag.root(), content_id(&content)));
        assert_eq!(fetched.bytes(), &content, "{length} bytes in {nodes} nodes");
        let archive = PinnerDouble::start()?;
        serve_archive(&archive, &dag);
        assert_eq!(gateway(&archive).fetch(&dag.root()).await?.bytes(), &content, "{length} bytes in {nodes} nodes");
        assert_eq!(archive.requests().len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn only_the_nodes_with_data_are_asked_for() -> Outcome {
    let content = bytes(2 * BLOB);
    let dag = dag(&content, 4);
    let double = PinnerDouble::start()?;
    serve_blocks(&double, dag.blocks());
    gateway(&double).fetch(&dag.root()).await?;
    // The archive that is not there, the root, two lists, and half of eight nodes.
    assert_eq!(double.requests().len(), 1 + 1 + 2 + 4);
    Ok(())
}

#[tokio::test]
async fn content_of_the_first_version_and_of_any_order_is_read() -> Outcome {
    let content = bytes(1000);
    let dag = das_dag(&content, Layout { nodes: NodesPerBlob::new(2).unwrap(), version: Version::V0_1_0 })?;
    let double = PinnerDouble::start()?;
    serve_archive_of(&double, &dag.root(), dag.blocks());
    assert_eq!(gateway(&double).fetch(&dag.root()).await?.bytes(), &content);
    assert_eq!(double.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn archive_with_each_list_after_its_nodes_is_read_whole_however_large() -> Outcome {
    let blobs = 70_u8;
    let (mut lists, mut below, mut content) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..blobs {
        let mut cells = vec![0; 128 * 2048];
        // The first byte of an element is no data.
        cells[1] = number;
        let node = blocks::block(blocks::node(&cells));
        let list = blocks::block(blocks::array(&[blocks::link(&node.0)]));
        lists.push(list.0);
        below.extend([node, list]);
        content.push(number);
        content.resize(usize::from(number + 1) * BLOB, 0);
    }
    let root = blocks::Root { length: blocks::head(0, 1), ..blocks::Root::of(content.len() as u64, &lists) };
    let root = blocks::block(root.bytes());
    let id = root.0;
    let all = [root].into_iter().chain(below).map(|(id, bytes)| Block { id, bytes: bytes.into() });
    let all: Vec<_> = all.collect();
    // More than are kept of blocks that nothing links to.
    assert!(all.iter().map(|block| block.bytes.len()).sum::<usize>() > 17 << 20);
    let double = PinnerDouble::start()?;
    serve_archive_of(&double, &id, &all);
    assert!(gateway(&double).fetch(&id).await?.bytes() == &content);
    assert_eq!(double.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn any_64_cells_of_each_blob_are_enough() -> Outcome {
    let content = bytes(BLOB + 1000);
    let dag = dag(&content, 8);
    let check = async |kept: [&[usize]; 2], archived: bool| -> Outcome {
        let mut blocks = vec![root(&dag)];
        for (number, kept) in kept.into_iter().enumerate() {
            let (list, nodes) = blob(&dag, number, 8);
            blocks.push(list);
            blocks.extend(kept.iter().map(|node| nodes[*node]));
        }
        let double = PinnerDouble::start()?;
        if archived {
            serve_archive_of(&double, &dag.root(), blocks);
        } else {
            serve_blocks(&double, blocks);
        }
        assert_eq!(gateway(&double).fetch(&dag.root()).await?.bytes(), &content, "{kept:?}");
        Ok(())
    };
    check([&[4, 5, 6, 7], &[4, 5, 6, 7]], false).await?;
    check([&[4, 5, 6, 7], &[4, 5, 6, 7]], true).await?;
    check([&[0, 2, 5, 7], &[1, 4, 6, 7]], false).await?;
    check([&[0, 1, 2, 3], &[0, 1, 2, 6]], true).await?;
    Ok(())
}

#[tokio::test]
async fn fewer_than_64_cells_are_an_error_that_says_how_many() -> Outcome {
    let dag = dag(b"specimen", 4);
    let double = PinnerDouble::start()?;
    let (list, nodes) = blob(&dag, 0, 4);
    serve_blocks(&double, [root(&dag), list, nodes[2]]);
    let error = gateway(&double).fetch(&dag.root()).await.unwrap_err();
    assert!(
        matches!(error, FetchError::DasBlock { source: DasError::TooFewCells { blob: 0, found: 32 }, .. }),
        "{error:?}"
    );
    assert_eq!(error.blame(), Blame::Infrastructure);
    Ok(())
}

#[tokio::test]
async fn a_node_that_does_not_come_is_asked_for_again() -> Outcome {
    let dag = dag(b"specimen", 1);
    let double = PinnerDouble::start()?;
    serve_blocks(&double, dag.blocks());
    let (_, nodes) = blob(&dag, 0, 1);
    double.serve_at(&raw(&nodes[0].id), 503, b"busy");
    let error = gateway(&double).fetch(&dag.root()).await.unwrap_err();
    assert!(matches!(error, FetchError::DasBlock { source: DasError::TooFewCells { found: 0, .. }, .. }), "{error:?}");
    let asked = double.requests().into_iter().filter(|request| request.ends_with(&raw(&nodes[0].id))).count();
    assert_eq!(asked, 2);
    Ok(())
}

#[tokio::test]
async fn content_that_a_gateway_does_not_have_is_not_found() -> Outcome {
    let double = PinnerDouble::start()?;
    let error = gateway(&double).fetch(&das_id(b"")?).await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_changed_block_is_refused_in_every_place() -> Outcome {
    let dag = dag(b"specimen", 4);
    // By their order in an archive: the root, the list, and a node with data.
    for changed in [0, 1, 2] {
        let mut blocks: Vec<_> = dag.blocks().iter().rev().cloned().collect();
        let mut bytes = blocks[changed].bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        blocks[changed].bytes = bytes.into();
        let double = PinnerDouble::start()?;
        serve_blocks(&double, &blocks);
        for archived in [false, true] {
            if archived {
                serve_archive_of(&double, &dag.root(), &blocks);
            }
            let error = gateway(&double).fetch(&dag.root()).await.unwrap_err();
            let FetchError::DasBlock { source: DasError::Mismatch { id }, .. } = error else { panic!("{error:?}") };
            assert_eq!((id, error.blame()), (blocks[changed].id, Blame::Infrastructure), "{changed}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_ends_its_archive_early_or_stalls_in_it_is_asked_for_the_rest() -> Outcome {
    let content = bytes(BLOB + 1);
    let dag = dag(&content, 4);
    let double = PinnerDouble::start()?;
    serve_archive(&double, &dag);
    serve_blocks(&double, dag.blocks());
    for fault in [Fault::DieInAnswer, Fault::StallInAnswer] {
        double.fault_times(Route::Other, fault, 1);
        let limits = HttpLimits { idle: Duration::from_millis(300), ..patient() };
        let fetched = Gateway::new(&double.url(), limits)?.fetch(&dag.root()).await?;
        assert_eq!(fetched.bytes(), &content);
    }
    Ok(())
}

#[tokio::test]
async fn a_pinner_is_asked_at_its_own_route_and_checked_by_the_id() -> Outcome {
    let double = PinnerDouble::start()?;
    let content = bytes(5000);
    let id = das_id(&content)?;
    double.serve_at(&format!("/api/v1/get?cid={id}"), 200, &content);
    for base in [double.url(), format!("{}/api/v1", double.url()), format!("{}/api/v1/", double.url())] {
        let fetched = Pinner::new(&base, patient_pinner())?.fetch(&id).await?;
        assert_eq!((fetched.id(), fetched.bytes()), (id, &content.clone().into()));
    }
    let requests = double.requests();
    assert!(requests.iter().all(|request| request == &format!("GET /api/v1/get?cid={id}")), "{requests:?}");
    double.serve_at(&format!("/api/v1/get?cid={id}"), 200, &content[1..]);
    let error = Pinner::new(&double.url(), patient_pinner())?.fetch(&id).await.unwrap_err();
    assert!(matches!(error, FetchError::Mismatch { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_pinner_that_answers_nothing_does_not_have_it() -> Outcome {
    let double = PinnerDouble::start()?;
    let pinner = Pinner::new(&double.url(), patient_pinner())?;
    let (some, none) = (das_id(b"specimen")?, das_id(b"")?);
    double.serve_at(&format!("/api/v1/get?cid={some}"), 200, b"");
    double.serve_at(&format!("/api/v1/get?cid={none}"), 200, b"");
    let error = pinner.fetch(&some).await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }), "{error:?}");
    assert!(pinner.fetch(&none).await?.bytes().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_pinner_named_by_its_newer_api_still_keeps_results_under_unixfs_ids() -> Outcome {
    use refiner_content::ContentStore as _;
    let double = PinnerDouble::start()?;
    let pinner = Pinner::new(&format!("{}/api/v1", double.url()), patient_pinner())?;
    let content = Content::of("result".into());
    assert_eq!(pinner.keep(&content).await?, content_id(b"result"));
    assert_eq!(double.requests(), ["POST /upload"]);
    Ok(())
}
