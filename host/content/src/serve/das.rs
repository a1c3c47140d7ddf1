//! The API of ewm-das under `/api/v1`, whose ids are DAS roots.

use axum::extract::State;
use bytes::Bytes;

use super::{Form, RequestError, Serving, body, object};
use crate::{Content, ContentId, Layout, blocking::blocking, das_dag, das_id, write_car};

pub(super) async fn upload(State(serving): State<Serving>, form: Form) -> Result<String, RequestError> {
    let _slot = serving.slots.try_acquire().map_err(|_| RequestError::Busy)?;
    let mut answer = String::new();
    for content in body::read_form(form, &serving.limits).await? {
        let id = id_of(&content).await?;
        let store = serving.store.clone();
        blocking(move || store.write_named(&content, &id)).await.map_err(RequestError::Keep)?;
        answer.push_str(&object("cid", &id));
    }
    Ok(answer)
}

pub(super) async fn cid(State(serving): State<Serving>, form: Form) -> Result<String, RequestError> {
    let _slot = serving.slots.try_acquire().map_err(|_| RequestError::Busy)?;
    let mut answer = String::new();
    for content in body::read_form(form, &serving.limits).await? {
        answer.push_str(&object("cid", &id_of(&content).await?));
    }
    Ok(answer)
}

/// All blocks of content, encoded again: the store has only its bytes.
pub(super) async fn archive(content: Content) -> Result<Bytes, RequestError> {
    let archive = blocking(move || Ok(write_car(&das_dag(content.bytes(), Layout::default())?)));
    archive.await.map_err(RequestError::Encode)
}

async fn id_of(content: &Content) -> Result<ContentId, RequestError> {
    let bytes = content.bytes().clone();
    blocking(move || das_id(&bytes)).await.map_err(RequestError::Encode)
}
