//! Giving a rule to a registry: each blob that it does not have, and then the manifest that names them.

use std::time::Duration;

use oci_client::Reference;
use refiner_content::{Excerpt, HttpLimits};
use refiner_http_client::Egress;
use reqwest::{Method, StatusCode, header};

use super::{
    ALGORITHM, OciError, Package,
    package::{MANIFEST_TYPE, digest},
    pinned,
    registry::{Direction, Registry},
    shown, within,
};
use crate::{CredentialFiles, Sha256};

/// Time for one blob: 64 MiB take nine minutes at 1 Mbit/s.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(600);
/// The registry's word on what it keeps.
const DIGEST_HEADER: &str = "docker-content-digest";
/// The type of a blob on its way.
const BLOB_TYPE: &str = "application/octet-stream";

/// Publishes a rule and gives the reference with its digest.
pub async fn push(
    egress: &Egress,
    reference: &Reference,
    limits: HttpLimits,
    credentials: CredentialFiles,
    package: &Package,
) -> Result<Reference, OciError> {
    if reference.digest().is_some() {
        return Err(OciError::PushToDigest { reference: shown(reference) });
    }
    let registry = Registry::of(egress, reference, limits, credentials, Direction::Push)?;
    let artifact = package.artifact();
    for (_, bytes) in &artifact.blobs {
        within(UPLOAD_DEADLINE, reference, blob(&registry, bytes, reference)).await??;
    }
    within(UPLOAD_DEADLINE, reference, manifest(&registry, &artifact.manifest, reference)).await??;
    Ok(pinned(reference, digest(&artifact.manifest)))
}

async fn blob(registry: &Registry, bytes: &[u8], reference: &Reference) -> Result<(), OciError> {
    let name = digest(bytes);
    if registry.has(&format!("blobs/{name}"), reference).await? {
        return Ok(());
    }
    let begin = registry.at("blobs/uploads/", reference)?;
    let begun = registry.give(&Method::POST, &begin, BLOB_TYPE, &[], reference).await?;
    if begun.status() != StatusCode::ACCEPTED {
        return Err(registry.refusal(begun, reference).await);
    }
    let location = begun.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| OciError::NoLocation { reference: shown(reference) })?;
    let mut place = registry.at(location, reference)?;
    place.query_pairs_mut().append_pair("digest", &name);
    let put = registry.give(&Method::PUT, &place, BLOB_TYPE, bytes, reference).await?;
    if put.status() == StatusCode::CREATED { Ok(()) } else { Err(registry.refusal(put, reference).await) }
}

async fn manifest(registry: &Registry, bytes: &[u8], reference: &Reference) -> Result<(), OciError> {
    let tag = reference.tag().unwrap_or("latest");
    let place = registry.at(&format!("manifests/{tag}"), reference)?;
    let put = registry.give(&Method::PUT, &place, MANIFEST_TYPE, bytes, reference).await?;
    if put.status() != StatusCode::CREATED {
        return Err(registry.refusal(put, reference).await);
    }
    let sent = Sha256::of(bytes);
    let stated = put.headers().get(DIGEST_HEADER).and_then(|value| value.to_str().ok());
    match stated {
        Some(found) if found != format!("{ALGORITHM}{sent}") => {
            Err(OciError::Altered { reference: shown(reference), sent, found: Excerpt::of(found.as_bytes()) })
        }
        _ => Ok(()),
    }
}
