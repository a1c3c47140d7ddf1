//! Real nats-server processes on loopback, alone or as a cluster of three, and a client that speaks its protocol by hand.

use std::{
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use refiner_testkit::unused_address;
use serde_json::Value;

use crate::bench::PATIENCE;

/// The program: `$NATS_SERVER`, or Debian's package `nats-server`. `None`, and a line, where there is none; an error under CI where it is
/// named and not there.
pub fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("NATS_SERVER") {
        return Some(named.into());
    }
    let usual = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let places = usual.into_iter().chain(["/usr/sbin".into(), "/usr/local/bin".into()]);
    let found = places.map(|folder: PathBuf| folder.join("nats-server")).find(|file| file.is_file());
    if found.is_none() {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: no nats-server (`apt-get install nats-server`, or NATS_SERVER=path)");
        }
    }
    found
}

/// One server.
pub struct Nats {
    program: PathBuf,
    arguments: Vec<String>,
    directory: PathBuf,
    pub port: u16,
    child: Option<Child>,
}

/// A port of loopback that nothing listens on.
pub fn free_port() -> u16 {
    unused_address().port()
}

impl Nats {
    /// A server by itself, with more lines in its configuration.
    pub fn alone(directory: &Path, configuration: &str) -> Option<Self> {
        let program = program()?;
        let mut server = Self::new(program, &directory.join("nats"), configuration, &[]);
        server.start();
        Some(server)
    }

    /// Three servers that know each other.
    pub fn cluster(directory: &Path) -> Option<Vec<Self>> {
        let program = program()?;
        let routes: Vec<_> = (0..3).map(|_| free_port()).collect();
        let all: Vec<_> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let mut servers: Vec<_> = (0..3)
            .map(|number| {
                let name = format!("n{number}");
                let arguments =
                    ["--cluster_name", "c", "--cluster", &all[number], "--routes", &all.join(","), "-n", &name];
                Self::new(program.clone(), &directory.join(&name), "", &arguments)
            })
            .collect();
        servers.iter_mut().for_each(Self::start);
        Some(servers)
    }

    fn new(program: PathBuf, directory: &Path, configuration: &str, arguments: &[&str]) -> Self {
        fs::create_dir_all(directory).unwrap();
        let port = free_port();
        let file = directory.join("nats.conf");
        fs::write(
            &file,
            format!(
                "host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: {:?} }}\n{configuration}",
                directory.join("store")
            ),
        )
        .unwrap();
        let mut all = vec!["-c".to_owned(), file.to_str().unwrap().to_owned()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self { program, arguments: all, directory: directory.to_owned(), port, child: None }
    }

    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.directory.join("log")).unwrap();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        assert!(self.child.replace(command.spawn().unwrap()).is_none(), "it runs already");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Takes away everything that a killed server kept.
    pub fn wipe(&self) {
        assert!(self.child.is_none());
        fs::remove_dir_all(self.directory.join("store")).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// A client of this server.
    pub fn client(&self) -> Raw {
        Raw::connect(self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A client that is held to nothing.
pub struct Raw {
    stream: BufReader<TcpStream>,
    inbox: String,
}

impl Raw {
    fn connect(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let inbox = format!("_INBOX.raw{}", stream.local_addr().unwrap().port());
        write!(stream, "CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {inbox} 1\r\n").unwrap();
        Self { stream: BufReader::new(stream), inbox }
    }

    /// Publishes, and waits for the answer of the server that keeps it.
    pub fn keep(&mut self, subject: &str, payload: &[u8]) -> Value {
        self.publish(subject, payload);
        serde_json::from_slice(&self.answer().1).unwrap()
    }

    /// Asks JetStream.
    pub fn ask(&mut self, subject: &str, payload: &[u8]) -> (String, Vec<u8>) {
        self.publish(subject, payload);
        self.answer()
    }

    /// Number of tasks that were published in a queue.
    pub fn published(&mut self, queue: &str) -> u64 {
        let (_, info) = self.ask(&format!("$JS.API.STREAM.INFO.RFN_{queue}_TASKS"), b"");
        let info: Value = serde_json::from_slice(&info).unwrap();
        info["state"]["last_seq"].as_u64().unwrap()
    }

    /// The consumer of the tasks of a queue with one rule.
    pub fn consumer(&mut self, queue: &str) -> String {
        let (_, names) = self.ask(&format!("$JS.API.CONSUMER.NAMES.RFN_{queue}_TASKS"), b"{}");
        let names: Value = serde_json::from_slice(&names).unwrap();
        names["consumers"][0].as_str().unwrap().to_owned()
    }

    pub fn publish(&mut self, subject: &str, payload: &[u8]) {
        let inbox = self.inbox.clone();
        let stream = self.stream.get_mut();
        write!(stream, "PUB {subject} {inbox} {}\r\n", payload.len()).unwrap();
        stream.write_all(payload).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }

    /// The next message to this client: where an answer to it goes, and its bytes.
    fn answer(&mut self) -> (String, Vec<u8>) {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                ["PING"] => self.stream.get_mut().write_all(b"PONG\r\n").unwrap(),
                ["MSG" | "HMSG", rest @ ..] => {
                    let bytes: usize = rest.last().unwrap().parse().unwrap();
                    let reply = if rest.len() >= 4 { rest[2].to_owned() } else { String::new() };
                    let mut payload = vec![0; bytes + 2];
                    self.stream.read_exact(&mut payload).unwrap();
                    payload.truncate(bytes);
                    return (reply, payload);
                }
                _ => {}
            }
        }
    }
}
