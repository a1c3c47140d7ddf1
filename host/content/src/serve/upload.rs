//! `/upload` and `/cid`, with UnixFS ids and under `/api/v1` with DAS roots.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use refiner_listener::form::{Boundary, Part};

use super::{RequestError, Serving, body::Incoming, budget::Reserved, error::object};
use crate::{
    CONTENT_BYTES_MAX, Content, ContentId, EncodeError, LocalStore, blocking::Interrupt, content_id, das::das_id_until,
};

/// The id that is answered, and whether the content is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Keep,
    Name,
    KeepDas,
    NameDas,
}

pub(super) async fn keep(State(serving): State<Arc<Serving>>, request: Request) -> Response {
    answer(&serving, request, Task::Keep).await
}

pub(super) async fn name(State(serving): State<Arc<Serving>>, request: Request) -> Response {
    answer(&serving, request, Task::Name).await
}

pub(super) async fn keep_das(State(serving): State<Arc<Serving>>, request: Request) -> Response {
    answer(&serving, request, Task::KeepDas).await
}

pub(super) async fn name_das(State(serving): State<Arc<Serving>>, request: Request) -> Response {
    answer(&serving, request, Task::NameDas).await
}

async fn answer(serving: &Arc<Serving>, request: Request, task: Task) -> Response {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(&head.headers, body, &serving.limits);
    match ids(serving, &head.headers, &mut incoming, task).await {
        Ok(ids) => ids.iter().map(|id| object("cid", id)).collect::<String>().into_response(),
        Err(refusal) => {
            incoming.discard(&serving.limits).await;
            refusal.into_response()
        }
    }
}

async fn ids(
    serving: &Arc<Serving>,
    headers: &HeaderMap,
    incoming: &mut Incoming,
    task: Task,
) -> Result<Vec<ContentId>, RequestError> {
    let boundary = Boundary::of(headers)?;
    let (form, mut reserved) = incoming.read(&serving.uploads, &serving.limits).await?;
    let files = files(serving, &boundary, form, &mut reserved).await?;
    let store = serving.store.clone();
    serving
        .work(move |interrupt| {
            // Held for as long as the work really takes, whether its client waits or not.
            let _reserved = reserved;
            files.iter().map(|file| id(&store, file, task, interrupt)).collect()
        })
        .await
}

/// The files of a form: its parts with a file name.
async fn files(
    serving: &Serving,
    boundary: &Boundary,
    form: Bytes,
    reserved: &mut Reserved,
) -> Result<Vec<Bytes>, RequestError> {
    let (mut files, mut room) = (Vec::new(), serving.limits.upload_bytes);
    for part in boundary.parts(&form)?.into_iter().filter(Part::has_file_name) {
        serving.uploads.grow(reserved, part.decoding_bytes()).await?;
        let file = part.decoded()?;
        let too_large = RequestError::TooLarge { limit_bytes: serving.limits.upload_bytes };
        room = room.checked_sub(file.len()).ok_or(too_large)?;
        files.push(file);
    }
    if files.is_empty() { Err(RequestError::NoFile) } else { Ok(files) }
}

fn id(store: &LocalStore, file: &Bytes, task: Task, interrupt: &Interrupt) -> Result<ContentId, RequestError> {
    interrupt.check().map_err(EncodeError::from)?;
    let das_id = || match file.len() {
        // No DAS root of more is read anywhere.
        0..=CONTENT_BYTES_MAX => Ok(das_id_until(file, interrupt)?),
        _ => Err(RequestError::TooLarge { limit_bytes: CONTENT_BYTES_MAX }),
    };
    match task {
        Task::Keep => store.write_with_parts(file).map_err(RequestError::Keep),
        Task::Name => Ok(content_id(file)),
        Task::NameDas => das_id(),
        Task::KeepDas => {
            let id = das_id()?;
            store.write_named(&Content::of(file.clone()), &id).map_err(RequestError::Keep)?;
            Ok(id)
        }
    }
}
