//! `refiner content`, as its user meets it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Stdio},
};

use refiner_testkit::pinner::{Fault, PinnerDouble, Route, content_id};

use crate::program::{command, refiner, refiner_reading, text};

/// More than one chunk of the network's UnixFS profile, so that the id is that of a tree.
fn large() -> Vec<u8> {
    (0..600_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect()
}

#[test]
fn id_of_a_file_is_the_one_that_pinners_give_it() {
    let scratch = tempfile::tempdir().unwrap();
    let files = [("small", b"small".to_vec()), ("large", large())];
    for (name, bytes) in &files {
        fs::write(scratch.path().join(name), bytes).unwrap();
    }
    let paths = files.each_ref().map(|(name, _)| scratch.path().join(name));
    let told = refiner(&["content", "cid", text(&paths[0]), text(&paths[1])]).expect(0).text();
    let expected: String = files
        .iter()
        .zip(&paths)
        .map(|((_, bytes), path)| format!("{}  {}\n", content_id(bytes), path.display()))
        .collect();
    assert_eq!(told, expected);
    // An oracle of our own is not enough: the id of a raw block with these bytes, as sha256sum and base32 make it.
    let known = refiner_reading(&["content", "cid", "-"], b"hello world").expect(0).text();
    assert_eq!(known, "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e  -\n");
}

#[test]
fn what_was_put_is_got_from_the_store_the_pinner_or_not_at_all() {
    let scratch = tempfile::tempdir().unwrap();
    let (data, file, out) = (scratch.path().join("data"), scratch.path().join("file"), scratch.path().join("out"));
    fs::write(&file, large()).unwrap();
    let pinner = PinnerDouble::start().unwrap();
    let put = refiner(&["content", "put", text(&file), "--data", text(&data), "--pinner", &pinner.url()]).expect(0);
    let id = content_id(&large());
    assert_eq!(put.text(), format!("{id}  {}\n", file.display()));
    assert_eq!(pinner.content(&id), Some(large()));

    let url = format!("ipfs://{id}");
    let stored = ["content", "get", &url, "--data", text(&data), "--gateway", "none", "--out", text(&out)];
    refiner(&stored).expect(0);
    assert_eq!(fs::read(&out).unwrap(), large());
    let pinned = refiner(&["content", "get", &id, "--pinner", &pinner.url(), "--gateway", "none"]).expect(0);
    assert!(pinned.stdout == large());

    let nobody = refiner(&["content", "get", &id, "--gateway", "none"]).expect(5);
    assert!(nobody.stdout.is_empty() && nobody.stderr.contains("hint: "), "{}", nobody.stderr);
}

#[test]
fn content_that_is_not_what_its_id_names_is_never_given_out() {
    let pinner = PinnerDouble::start().unwrap();
    let id = pinner.put(&large());
    pinner.fault(Route::Get, Fault::Flipped);
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let url = pinner.url().replace("//", "//somebody:canary@");
    let got = refiner(&["content", "get", &id, "--pinner", &url, "--gateway", "none", "--out", text(&out)]).expect(5);
    assert!(got.stderr.contains("sent content with the id") && !got.stderr.contains("canary"), "{}", got.stderr);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "no file, and no part of one");
}

#[test]
fn pinner_that_names_other_content_fails_a_put() {
    let scratch = tempfile::tempdir().unwrap();
    let pinner = PinnerDouble::start().unwrap();
    pinner.fault(Route::Upload, Fault::WrongCid);
    let data = scratch.path().join("data");
    let arguments = ["content", "put", "-", "--data", text(&data), "--pinner", &pinner.url()];
    let put = refiner_reading(&arguments, b"small").expect(5);
    assert!(put.stdout.is_empty() && put.stderr.contains("gave the content the id"), "{}", put.stderr);
}

#[test]
fn store_is_served_as_a_pinner_and_as_a_gateway() {
    let scratch = tempfile::tempdir().unwrap();
    let data = scratch.path().join("data");
    let served = Served::start(&["content", "serve", "--data", text(&data), "--listen", "127.0.0.1:0"]);
    let other = scratch.path().join("other");
    refiner_reading(&["content", "put", "-", "--data", text(&other), "--pinner", &served.url], b"small").expect(0);
    let id = content_id(b"small");
    for place in ["--pinner", "--gateway"] {
        let mut arguments = vec!["content", "get", &id, place, &served.url];
        if place == "--pinner" {
            arguments.extend(["--gateway", "none"]);
        }
        assert_eq!(refiner(&arguments).expect(0).stdout, b"small", "{place}");
    }
    let kept = ["content", "get", &id, "--data", text(&data), "--gateway", "none"];
    assert_eq!(refiner(&kept).expect(0).stdout, b"small", "in the store itself");
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn das_root_of_a_file_is_the_one_that_ewm_das_gives_it_and_leads_back_to_the_file() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/samples/1-22500001.avro");
    let id = "bafyreigyvawr752qcmjvtl4f55kirhew4f6vriwihqf4g3z7yga4fbqqai";
    assert_eq!(refiner(&["content", "cid", "--das", sample]).expect(0).text(), format!("{id}  {sample}\n"));

    let scratch = tempfile::tempdir().unwrap();
    let served = Served::start(&["content", "serve", "--data", text(scratch.path()), "--listen", "127.0.0.1:0"]);
    let file = fs::read(sample).unwrap();
    let (boundary, head) =
        ("multipart/form-data; boundary=b", "Content-Disposition: form-data; name=\"a\"; filename=\"a\"");
    let form = [format!("--b\r\n{head}\r\n\r\n").as_bytes(), &file, b"\r\n--b--\r\n"].concat();
    let posted = post(&format!("{}/api/v1/upload", served.url), boundary, &form);
    assert!(posted.ends_with(&format!("{{\"cid\": \"{id}\"}}")), "{posted}");
    let api = format!("{}/api/v1", served.url);
    for place in [["--pinner", &served.url, "--gateway", "none"], ["--pinner", &api, "--gateway", "none"]] {
        let got = refiner(&[&["content", "get", id][..], &place].concat()).expect(0);
        assert!(got.stdout == file, "{place:?}");
    }
    assert!(refiner(&["content", "get", id, "--gateway", &served.url]).expect(0).stdout == file);
}

/// The body of the answer to a GET, which has to be 200.
pub fn fetched(url: &str) -> Vec<u8> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = std::net::TcpStream::connect(host).unwrap();
    write!(connection, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let status = answer.get(8..13);
    assert_eq!(status, Some(&b" 200 "[..]), "{}", String::from_utf8_lossy(&answer[..head]));
    answer.split_off(head)
}

/// The whole answer to a POST, as it came.
fn post(url: &str, content_type: &str, body: &[u8]) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let head = format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n");
    stream.write_all(format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn request_for_content_ends_at_the_time_limit_that_was_set() {
    // It takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = format!("http://{}", silent.local_addr().unwrap());
    let id = refiner_content::content_id(b"small").to_string();
    let start = std::time::Instant::now();
    for limit in ["--fetch-timeout", "--fetch-stall-timeout"] {
        let ended = refiner(&["content", "get", &id, "--gateway", &gateway, limit, "1s"]).expect(5);
        assert!(start.elapsed() < std::time::Duration::from_secs(15), "{:?}: {}", start.elapsed(), ended.stderr);
    }
}

#[test]
fn nothing_is_served_beyond_loopback_unless_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let refused = refiner(&["content", "serve", "--data", text(scratch.path()), "--listen", "0.0.0.0:0"]).expect(2);
    assert!(
        refused.stderr.contains("no access control") && refused.stderr.contains("--allow-remote-content"),
        "{}",
        refused.stderr
    );
}

/// A server until it is stopped.
pub struct Served {
    child: Child,
    pub url: String,
}

impl Served {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().to_owned() }
    }

    /// SIGTERM, and the exit code.
    fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
