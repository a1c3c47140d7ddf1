//! Multipart forms, as they are uploaded to `content serve`.

use axum::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use bytes::Bytes;
use refiner_listener::form::Boundary;

/// The first line is the content type, the rest the form.
pub fn run(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (content_type, form) = bytes.split_at(end);
    let Ok(content_type) = HeaderValue::from_bytes(content_type) else { return };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
    let Ok(boundary) = Boundary::of(&headers) else { return };
    let Ok(parts) = boundary.parts(&Bytes::copy_from_slice(form.get(1..).unwrap_or_default())) else { return };
    for part in parts {
        let _ = part.has_file_name();
        let most = part.decoding_bytes();
        let raw = part.clone().into_raw().len();
        if let Ok(decoded) = part.decoded() {
            assert!(decoded.len() <= most.max(raw), "decoding takes no more than was stated");
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let plain = "multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"a\"\r\n\r\nbytes\r\n--x--\r\n";
    let quoted = "multipart/mixed; boundary=\"x y\"\n--x y\ncontent-disposition: attachment; filename*=utf-8''a%20b\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n--x y--";
    [plain, quoted].map(|text| text.as_bytes().to_vec()).into()
}
