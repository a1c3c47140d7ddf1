//! Requests of clients, read from the socket of a double.

use std::{
    io::{self, Read},
    net::TcpStream,
};

/// A request of a client.
pub struct Request {
    /// Its method, such as `GET`.
    pub method: String,
    /// Path and query, or a whole URL for a proxy.
    pub target: String,
    /// The header of that name; empty without one.
    pub content_type: String,
    /// Bytes of the body, as far as they were read.
    pub body: Vec<u8>,
}

/// Reads up to the body, and the length that is stated for it.
pub fn read_head(stream: &mut TcpStream) -> io::Result<(Request, usize)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 << 10 {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        let named = |line: &&str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        head.lines().find(named).map_or("", |line| line[name.len()..].trim_start_matches(':').trim()).to_owned()
    };
    let mut words = head.split(' ').map(str::to_owned);
    let request = Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        content_type: header("content-type"),
        body: Vec::new(),
    };
    Ok((request, header("content-length").parse().unwrap_or(0)))
}

/// The bodies of the parts that have a file name; the others are not seen.
pub fn files<'a>(form: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut files = Vec::new();
    let mut rest = form;
    while let Some(start) = find(rest, &delimiter) {
        rest = &rest[start + delimiter.len()..];
        let Some(end) = find(rest, &delimiter) else { break };
        let part = rest[..end].strip_suffix(b"\r\n").unwrap_or(&rest[..end]);
        if let Some(body) = find(part, b"\r\n\r\n")
            && find(&part[..body], b"filename=").is_some()
        {
            files.push(&part[body + 4..]);
        }
    }
    files
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
