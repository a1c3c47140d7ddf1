use refiner_content::{
    Blame, CONTENT_BYTES_MAX, CarError, Codec, ContentId, Dag, DagError, FetchBackend, FetchError, Gateway, HttpLimits,
    content_id, public_gateways, write_car,
};
use refiner_http_client::Egress;

use crate::{
    LIMIT_BYTES, Outcome, archive, bytes, patient,
    pinner::{Fault, PinnerDouble, Route},
};

fn gateway(double: &PinnerDouble) -> Gateway {
    Gateway::new(&double.url(), patient()).unwrap()
}

/// A file of two leaves of 8 bytes, which is no file of our profile.
fn other_profile() -> (ContentId, Vec<u8>, Vec<u8>) {
    let leaves = [b"one half", b"the rest"].map(|leaf| (ContentId::of_block(Codec::Raw, leaf), leaf.to_vec()));
    let (root, node) = archive::node(b"", &[leaves[0].0, leaves[1].0], Some(16));
    let archive = archive::archive(&root, &[&[(root, node)], &leaves[..]].concat());
    (root, b"one halfthe rest".to_vec(), archive.to_vec())
}

#[tokio::test]
async fn a_file_of_our_profile_is_checked_as_it_is() -> Outcome {
    let double = PinnerDouble::start()?;
    for length in [1, 262_144, 262_145, LIMIT_BYTES] {
        let content = bytes(length);
        double.put(&content);
        assert_eq!(gateway(&double).fetch(&content_id(&content)).await?.into_bytes(), content);
    }
    assert_eq!(double.requests().len(), 4);
    // A single block above our chunk size.
    let block = bytes(300_000);
    let id = ContentId::of_block(Codec::Raw, &block);
    double.put_as(&id.to_string(), &block);
    let content = gateway(&double).fetch(&id).await?;
    assert_eq!((content.id(), content.unixfs_id()), (id, content_id(&block)));
    Ok(())
}

#[tokio::test]
async fn a_file_of_another_profile_is_checked_block_by_block() -> Outcome {
    let double = PinnerDouble::start()?;
    let (id, file, archive) = other_profile();
    double.put_as(&id.to_string(), &file);
    double.serve_at(&format!("/ipfs/{id}?format=car"), 200, &archive);
    let content = gateway(&double).fetch(&id).await?;
    assert_eq!((content.id(), content.unixfs_id()), (id, content_id(&file)));
    assert_eq!(content.into_bytes(), file);
    Ok(())
}

#[tokio::test]
async fn bytes_that_no_archive_backs_are_refused() -> Outcome {
    let double = PinnerDouble::start()?;
    let (id, file, archive) = other_profile();
    double.put_as(&id.to_string(), &file);
    let check = async |status: u16, archive: &[u8], expected: fn(&FetchError) -> bool, blame: Blame| {
        double.serve_at(&format!("/ipfs/{id}?format=car"), status, archive);
        let error = gateway(&double).fetch(&id).await.unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert_eq!(error.blame(), blame, "{error:?}");
    };
    let later = Blame::Infrastructure;
    check(404, b"", |error| matches!(error, FetchError::Mismatch { .. }), later).await;
    check(406, b"", |error| matches!(error, FetchError::Mismatch { .. }), later).await;
    check(
        200,
        &file,
        |error| matches!(error, FetchError::Car { source: CarError::Header | CarError::Truncated { .. }, .. }),
        later,
    )
    .await;
    let cut = &archive[..archive.len() - 1];
    check(200, cut, |error| matches!(error, FetchError::Car { source: CarError::Truncated { .. }, .. }), later).await;
    let without_last = &archive[..archive.len() - 45];
    check(200, without_last, |error| matches!(error, FetchError::Dag { source: DagError::Missing { .. }, .. }), later)
        .await;
    let mut turned = archive.clone();
    *turned.last_mut().unwrap() ^= 1;
    check(200, &turned, |error| matches!(error, FetchError::Car { source: CarError::Mismatch { .. }, .. }), later)
        .await;
    let other = write_car(&Dag::of(&file.clone().into()));
    check(200, &other, |error| matches!(error, FetchError::Dag { source: DagError::Missing { .. }, .. }), later).await;
    Ok(())
}

#[tokio::test]
async fn a_directory_is_no_file_whoever_sends_it() -> Outcome {
    let double = PinnerDouble::start()?;
    let directory = [0x0a, 2, 8, 1];
    let id = ContentId::of_block(Codec::DagPb, &directory);
    double.put_as(&id.to_string(), b"<html>listing</html>");
    let blocks = archive::archive(&id, &[(id, directory.to_vec())]);
    double.serve_at(&format!("/ipfs/{id}?format=car"), 200, &blocks);
    let error = gateway(&double).fetch(&id).await.unwrap_err();
    assert!(matches!(error, FetchError::NoFile { source: DagError::Node { .. }, .. }), "{error:?}");
    assert_eq!(error.blame(), Blame::Final);
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_lies_about_a_raw_block_is_not_asked_for_more() -> Outcome {
    let double = PinnerDouble::start()?;
    let id = content_id(b"hello");
    double.put(b"hello");
    double.fault(Route::Other, Fault::Flipped);
    let error = gateway(&double).fetch(&id).await.unwrap_err();
    assert!(matches!(error, FetchError::Mismatch { .. }), "{error:?}");
    assert_eq!(double.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn redirects_are_followed_up_to_their_limit() -> Outcome {
    let (from, to) = (PinnerDouble::start()?, PinnerDouble::start()?);
    let id = content_id(b"hello");
    to.put(b"hello");
    from.fault(Route::Other, Fault::Redirect(format!("{}/ipfs/{id}", to.url())));
    assert_eq!(gateway(&from).fetch(&id).await?.into_bytes(), "hello");
    let none = Gateway::new(&from.url(), HttpLimits { redirects: 0, ..patient() })?;
    assert!(matches!(none.fetch(&id).await, Err(FetchError::Transport { .. })));
    assert_eq!(to.requests().len(), 1);
    Ok(())
}

#[test]
fn the_public_gateways_can_be_set_up() -> Outcome {
    assert_eq!(HttpLimits::default().body_bytes, CONTENT_BYTES_MAX);
    let origins: Vec<_> = public_gateways(&Egress::default(), HttpLimits::default())?
        .iter()
        .map(|source| source.origin().clone())
        .collect();
    assert_eq!(origins[0].as_str(), "https://ipfs.io");
    Ok(())
}
