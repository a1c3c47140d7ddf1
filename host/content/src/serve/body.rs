//! The files of a form.

use axum::{
    extract::{Multipart, multipart::Field},
    http::StatusCode,
};
use bytes::{Bytes, BytesMut};
use tokio::time::timeout;

use super::{FILES_MAX, Form, RequestError, ServeLimits};
use crate::{Content, blocking::blocking};

/// Every part that has a file name, named. Parts without one are form fields and skipped, as the pinner does.
pub(super) async fn read_form(form: Form, limits: &ServeLimits) -> Result<Vec<Content>, RequestError> {
    let mut form = form.map_err(|_| RequestError::WrongContentType)?;
    let mut files = Vec::new();
    let mut room = limits.content_bytes;
    while let Some(mut field) = next_field(&mut form, limits).await? {
        let bytes = read_field(&mut field, limits, &mut room).await?;
        if field.file_name().is_none() {
            continue;
        }
        if files.len() == FILES_MAX {
            return Err(RequestError::TooManyFiles);
        }
        files.push(blocking(move || Content::of(bytes)).await);
    }
    if files.is_empty() { Err(RequestError::NoFile) } else { Ok(files) }
}

async fn next_field<'a>(form: &'a mut Multipart, limits: &ServeLimits) -> Result<Option<Field<'a>>, RequestError> {
    match timeout(limits.idle, form.next_field()).await {
        Ok(field) => field.map_err(|error| refusal(error.status(), limits)),
        Err(_) => Err(RequestError::Stalled),
    }
}

/// Reads one part. All parts of a form share `room`, so that many small ones are no way around the limit.
async fn read_field(field: &mut Field<'_>, limits: &ServeLimits, room: &mut usize) -> Result<Bytes, RequestError> {
    let mut bytes = BytesMut::new();
    loop {
        let piece = match timeout(limits.idle, field.chunk()).await {
            Ok(piece) => piece.map_err(|error| refusal(error.status(), limits))?,
            Err(_) => return Err(RequestError::Stalled),
        };
        let Some(piece) = piece else { return Ok(bytes.freeze()) };
        *room = room.checked_sub(piece.len()).ok_or(RequestError::TooLarge { limit_bytes: limits.content_bytes })?;
        bytes.extend_from_slice(&piece);
    }
}

fn refusal(status: StatusCode, limits: &ServeLimits) -> RequestError {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        RequestError::TooLarge { limit_bytes: limits.content_bytes }
    } else {
        RequestError::BadForm
    }
}
