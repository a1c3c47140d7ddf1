//! With an announced hash at hand, the hash decides.

use refiner_content::{
    AddressPolicy, Blame, Codec, ContentId, FetchBackend, FetchError, Fetcher, Gateway, HedgePolicy, Locations, Pinner,
    UrlFetcher, content_id, das_id,
};

use super::{
    blob,
    blocks::{Root, array, block, head, link},
    dag, gateway, is, raw, serve_blocks,
};
use crate::{Outcome, bytes, patient, patient_pinner, pinner::PinnerDouble};

/// An id that our profile gives to nothing.
fn foreign_id() -> ContentId {
    ContentId::of_block(Codec::DagPb, b"the root of chunks of 1 MiB")
}

#[tokio::test]
async fn plain_bytes_of_another_profile_are_taken_by_the_announced_hash() -> Outcome {
    let double = PinnerDouble::start()?;
    let (id, content) = (foreign_id(), bytes(300_000));
    double.put_as(&id.to_string(), &content);
    let backends: [Box<dyn FetchBackend>; 2] =
        [Box::new(Pinner::new(&double.url(), patient_pinner())?), Box::new(Gateway::new(&double.url(), patient())?)];
    for backend in &backends {
        let fetched = backend.fetch_accepted(&id, is(&content)).await?;
        assert_eq!((fetched.id(), fetched.unixfs_id()), (id, content_id(&content)));
        assert_eq!(fetched.bytes(), &content);
        let error = backend.fetch_accepted(&id, is(b"another")).await.unwrap_err();
        assert!(matches!(error, FetchError::Mismatch { .. }), "{error:?}");
        let error = backend.fetch(&id).await.unwrap_err();
        assert!(matches!(error, FetchError::Mismatch { .. }), "{error:?}");
    }
    let web = UrlFetcher::new(patient(), AddressPolicy::Anywhere)?;
    let fetcher = Fetcher::new(Vec::new(), Some(web), HedgePolicy::default());
    let locations = Locations::parse(&[format!("{}/ipfs/{id}", double.url())]);
    assert_eq!(fetcher.fetch_any(&locations, Some(is(&content))).await?.content.bytes(), &content);
    Ok(())
}

#[tokio::test]
async fn bytes_that_fit_their_id_and_not_the_announced_hash_are_refused_for_good() -> Outcome {
    let double = PinnerDouble::start()?;
    let id = double.put(b"another specimen").parse()?;
    for error in [
        Pinner::new(&double.url(), patient_pinner())?.fetch_accepted(&id, is(b"specimen")).await.unwrap_err(),
        Gateway::new(&double.url(), patient())?.fetch_accepted(&id, is(b"specimen")).await.unwrap_err(),
    ] {
        assert!(matches!(error, FetchError::NotAccepted { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Final);
    }
    Ok(())
}

#[tokio::test]
async fn a_pinners_bytes_for_a_das_root_are_taken_by_the_announced_hash() -> Outcome {
    let double = PinnerDouble::start()?;
    let id = das_id(b"specimen")?;
    double.serve_at(&format!("/api/v1/get?cid={id}"), 200, b"specimen");
    let pinner = Pinner::new(&double.url(), patient_pinner())?;
    assert_eq!(pinner.fetch_accepted(&id, is(b"specimen")).await?.bytes(), "specimen");
    let error = pinner.fetch_accepted(&id, is(b"another")).await.unwrap_err();
    assert!(matches!(error, FetchError::NotAnnounced { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_an_announcement_names_gives_das_content_block_by_block() -> Outcome {
    let dag = dag(b"specimen", 4);
    let double = PinnerDouble::start()?;
    serve_blocks(&double, dag.blocks());
    let web = UrlFetcher::new(patient(), AddressPolicy::Anywhere)?;
    let fetcher = Fetcher::new(Vec::new(), Some(web), HedgePolicy::default());
    let locations = Locations::parse(&[format!("{}/ipfs/{}", double.url(), dag.root())]);
    assert!(locations.refused.is_empty(), "{locations:?}");
    assert_eq!(fetcher.fetch_any(&locations, Some(is(b"specimen"))).await?.content.bytes(), "specimen");
    Ok(())
}

/// A root can link to cells of two different polynomials: what is recovered is then not what it names.
#[tokio::test]
async fn recovered_bytes_are_believed_by_the_hash_or_by_encoding_them_again() -> Outcome {
    let (one, other) = (dag(b"specimen", 2), dag(b"another!", 2));
    let mixed = [blob(&one, 0, 2).1[0], blob(&other, 0, 2).1[1]];
    let (list, list_bytes) = block(array(&mixed.map(|node| link(&node.id))));
    let (root, root_bytes) = block(Root { length: head(0, 2), ..Root::of(8, &[list]) }.bytes());
    let double = PinnerDouble::start()?;
    double.serve_at(&raw(&root), 200, &root_bytes);
    double.serve_at(&raw(&list), 200, &list_bytes);
    serve_blocks(&double, [mixed[1]]);
    let error = gateway(&double).fetch(&root).await.unwrap_err();
    assert!(matches!(error, FetchError::NoDas { .. }), "{error:?}");
    assert_eq!(gateway(&double).fetch_accepted(&root, is(b"another!")).await?.bytes(), "another!");
    let error = gateway(&double).fetch_accepted(&root, is(b"specimen")).await.unwrap_err();
    assert!(matches!(error, FetchError::NotAnnounced { .. }), "{error:?}");
    Ok(())
}
