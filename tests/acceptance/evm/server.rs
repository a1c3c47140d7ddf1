//! The program serving on a port of its own, and clients of it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::program::command;

/// Longer than the slowest machine takes for anything here; reached, a test fails.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A serving program, ended with the test.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

/// An answer, with its head in lower case.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Server {
    /// Starts it with these arguments, and waits until it prints its address.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = command(&["evm", "serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect(&line).parse().unwrap();
        Self { child, address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Tells it to stop, as a container's runtime does.
    pub fn terminate(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    }

    /// Its exit code, once it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it did not end");
    }

    /// The most memory that it has had so far, in bytes.
    pub fn peak_bytes(&self) -> usize {
        let status = self.proc("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() << 10
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Figures that Linux has of the process.
    pub fn proc(&self, what: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{what}", self.pid())).unwrap()
    }

    /// One request on a connection of its own.
    pub fn ask(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that has heard enough may answer and close before everything is sent.
        let _ = stream.write_all(request);
        answer(&mut stream)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything that comes until the server closes.
pub fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // What came before a reset counts.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let body = bytes.split_off(end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&bytes))) + 4);
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body }
}

/// The request of the network's refiner: a form of one part that has neither name nor file name.
pub fn nameless(json: &[u8]) -> Vec<u8> {
    let part = format!("--b0undary\r\ncontent-length: {}\r\n\r\n", json.len());
    let form = [part.as_bytes(), json, b"\r\n--b0undary--\r\n"].concat();
    let head = format!(
        "POST /process HTTP/1.1\r\nhost: evm-server\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=b0undary\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    [head.as_bytes(), &form].concat()
}
