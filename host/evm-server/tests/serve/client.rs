//! Clients as the server meets them: bytes on a connection, and curl.

use std::{net::SocketAddr, process::Stdio};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
};

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Whether the executor panicked at the request.
    pub fn text_is_a_panic(&self) -> bool {
        String::from_utf8_lossy(&self.body).contains("the executor panicked")
    }

    /// The bytes that a connection gave until it was closed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?.to_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head, body: bytes[end + 4..].to_vec() })
    }
}

/// The network's refiner: a form of one part without name and file name.
pub fn nameless(json: &[u8]) -> Vec<u8> {
    let length = json.len();
    [format!("--b0undary\r\ncontent-length: {length}\r\n\r\n").as_bytes(), json, b"\r\n--b0undary--\r\n"].concat()
}

/// A request to `/process` with any body.
pub fn request(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /process HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The request of the network's refiner.
pub fn post(json: &[u8]) -> Vec<u8> {
    request("multipart/form-data; boundary=b0undary", &nameless(json))
}

/// Sends bytes and reads until the server closes; `None` when it did not answer.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // A server that has heard enough answers before it has read everything.
    let (_, _) = tokio::join!(writer.write_all(request), reader.read_to_end(&mut answer));
    Answer::parse(&answer)
}

/// `curl -F filedata=@…`; `None` and a remark where there is no curl.
pub async fn curl(url: &str, json: &[u8]) -> Option<Answer> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json).unwrap();
    let form = format!("filedata=@{}", file.path().display());
    let output = Command::new("curl").args(["-s", "-i", "-F", &form, url]).stdin(Stdio::null()).output().await;
    let Ok(output) = output else {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: no curl");
        }
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    // Behind the interim answer that lets a large body come.
    let bytes = output.stdout.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&output.stdout);
    Some(Answer::parse(bytes).unwrap())
}
