//! `/get` and `/ipfs`: content by its id, by the id of a block of it, and as an archive.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::header::{CONTENT_LENGTH, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use refiner_listener::{PieceBody, hold};

use super::{RequestError, Serving, budget::Reserved};
use crate::{
    Codec, Content, ContentId, Dag, FetchError, Layout, blocking::blocking, das::das_dag_until, identity, write_car,
};

pub(super) const BYTES: &str = "application/octet-stream";
const ARCHIVE: &str = "application/vnd.ipld.car; version=1";

/// An archive of a file beside the file: its blocks share the file's memory.
const CAR_FACTOR: usize = 2;
/// Blocks of DAS content have its bytes 2.12 times, and so has the archive.
const DAS_FACTOR: usize = 5;
const CAR_EXTRA_BYTES: usize = 1 << 20;

pub(super) async fn by_query(
    State(serving): State<Arc<Serving>>,
    RawQuery(query): RawQuery,
) -> Result<Response, RequestError> {
    let cid = parameter(query.as_deref(), "cid").filter(|cid| !cid.is_empty()).ok_or(RequestError::NoId)?;
    let (bytes, reserved) = match named(&cid)? {
        Named::Identity(bytes) => (bytes, Reserved::default()),
        Named::Id(id) => serving.read(&id, 1).await.map(|(content, reserved)| (content.into_bytes(), reserved))?,
    };
    Ok(answer(BYTES, bytes, reserved))
}

pub(super) async fn by_path(
    State(serving): State<Arc<Serving>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, RequestError> {
    let is_archive = parameter(query.as_deref(), "format").as_deref() == Some("car");
    let id = match named(&id)? {
        Named::Identity(bytes) => return Ok(answer(BYTES, bytes, Reserved::default())),
        Named::Id(id) => id,
    };
    match (is_archive, id.codec()) {
        (false, Codec::DagCbor) => Err(RequestError::OnlyArchive),
        (false, Codec::Raw | Codec::DagPb) => {
            let (content, reserved) = serving.read(&id, 1).await?;
            Ok(answer(BYTES, content.into_bytes(), reserved))
        }
        (true, codec) => {
            let factor = if codec == Codec::DagCbor { DAS_FACTOR } else { CAR_FACTOR };
            let (content, reserved) = serving.read(&id, factor).await?;
            let archive = serving.work(move |interrupt| {
                let (content, archive) = (content.into_bytes(), |dag: &Dag| write_car(dag));
                let archive = match codec {
                    Codec::DagCbor => archive(&das_dag_until(&content, Layout::default(), interrupt)?),
                    Codec::Raw | Codec::DagPb => archive(&Dag::of(&content)),
                };
                Ok((archive, reserved))
            });
            let (archive, reserved) = archive.await?;
            Ok(answer(ARCHIVE, archive, reserved))
        }
    }
}

/// An answer that keeps its room until the client has it.
pub(super) fn answer(content_type: &'static str, bytes: Bytes, reserved: Reserved) -> Response {
    let length = bytes.len();
    let body = Body::new(PieceBody::new(hold(bytes, reserved)));
    ([(CONTENT_TYPE, content_type)], [(CONTENT_LENGTH, length)], body).into_response()
}

enum Named {
    Id(ContentId),
    /// The id carries the bytes.
    Identity(Bytes),
}

fn named(text: &str) -> Result<Named, RequestError> {
    match identity::file_of(text) {
        Some(bytes) => bytes.map(Named::Identity),
        None => text.parse().map(Named::Id),
    }
    .map_err(RequestError::Id)
}

/// The first of the parameters of this name, as Go's servers take it.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

impl Serving {
    /// Reads content, and reserves `factor` times its bytes before.
    async fn read(&self, id: &ContentId, factor: usize) -> Result<(Content, Reserved), RequestError> {
        let (store, id) = (self.store.clone(), *id);
        let located = blocking(move || store.locate(&id)).await.map_err(RequestError::Fetch)?;
        let extra = if factor == 1 { 0 } else { CAR_EXTRA_BYTES };
        let reserved = self.answers.reserve(located.bytes.saturating_mul(factor).saturating_add(extra)).await?;
        let store = self.store.clone();
        let read = blocking(move || {
            // Another content may have come in its place since; then the room would not fit.
            let content = store.read_located(&id, &located)?;
            Ok((content, reserved))
        });
        read.await.map_err(|error: FetchError| RequestError::Fetch(error))
    }
}
