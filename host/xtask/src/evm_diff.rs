//! `cargo xtask evm-diff`: the answers of an evm-server beside those of this program.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::{command, tree};

const BOUNDARY: &str = "evm-diff-boundary";

/// What is compared.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Address of the other server, `http://HOST:PORT`.
    url: String,
    /// Folder with block replicas as JSON, one a file.
    directory: PathBuf,
    /// Format in which this program answers.
    #[arg(long, default_value = "evm-server@d")]
    format: String,
    /// A server of this program that runs already, in the place of one that is built and started.
    #[arg(long)]
    ours: Option<String>,
}

/// The outcome of one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Equal,
    BothRefuse,
    /// Where the two results part first.
    Differ(String),
    /// Only this one gives a result.
    Only(&'static str, String),
}

/// An answer: a result, or a refusal in words.
enum Answer {
    Result(Vec<u8>),
    Refusal(u16, String),
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let started = arguments.ours.is_none().then(|| Ours::start(&arguments.format)).transpose()?;
    let ours = match (&arguments.ours, &started) {
        (Some(url), _) => url.clone(),
        (None, Some(ours)) => ours.url.clone(),
        (None, None) => bail!("no server of this program"),
    };
    print!("{}", compare(&arguments.url, &ours, &arguments.directory)?);
    Ok(())
}

/// The outcomes by the name of their file.
#[derive(Debug, PartialEq, Eq)]
struct Table(BTreeMap<String, Outcome>);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.0.keys().map(String::len).max().unwrap_or_default();
        for (name, outcome) in &self.0 {
            match outcome {
                Outcome::Equal => writeln!(f, "{name:longest$}  equal")?,
                Outcome::BothRefuse => writeln!(f, "{name:longest$}  refused by both")?,
                Outcome::Differ(path) => writeln!(f, "{name:longest$}  differ at {path}")?,
                Outcome::Only(who, words) => writeln!(f, "{name:longest$}  only {who} gives a result: {words}")?,
            }
        }
        let agreed = self.0.values().filter(|outcome| matches!(outcome, Outcome::Equal | Outcome::BothRefuse));
        writeln!(f, "{} of {} agree", agreed.count(), self.0.len())
    }
}

fn compare(theirs: &str, ours: &str, directory: &Path) -> Result<Table> {
    let files = tree::entries(directory, "json")?;
    ensure!(!files.is_empty(), "no file of {} ends with json", directory.display());
    let mut table = BTreeMap::new();
    for path in files {
        let replica = fs::read(&path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let outcome = match (ask(theirs, &replica)?, ask(ours, &replica)?) {
            (Answer::Result(theirs), Answer::Result(ours)) if theirs == ours => Outcome::Equal,
            (Answer::Result(theirs), Answer::Result(ours)) => Outcome::Differ(parting(&theirs, &ours)),
            (Answer::Refusal(..), Answer::Refusal(..)) => Outcome::BothRefuse,
            (Answer::Result(_), Answer::Refusal(status, text)) => Outcome::Only("theirs", format!("{status} {text}")),
            (Answer::Refusal(status, text), Answer::Result(_)) => Outcome::Only("ours", format!("{status} {text}")),
        };
        table.insert(name, outcome);
    }
    Ok(Table(table))
}

/// Posts a replica as the network's refiner does.
fn ask(url: &str, replica: &[u8]) -> Result<Answer> {
    let host = url.strip_prefix("http://").context("the address must begin with http://")?.trim_end_matches('/');
    let length = replica.len();
    let head = format!("--{BOUNDARY}\r\ncontent-length: {length}\r\n\r\n");
    let body = [head.as_bytes(), replica, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    let head = format!(
        "POST /process HTTP/1.0\r\nhost: {host}\r\ncontent-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).with_context(|| format!("no connection to {url}"))?;
    stream.write_all(&[head.as_bytes(), &body].concat())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("the answer has no head")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status: u16 = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer has no status")?;
    let body = bytes.split_off(end + 4);
    if status == 200 {
        return Ok(Answer::Result(body));
    }
    Ok(Answer::Refusal(status, String::from_utf8_lossy(&body).trim().to_owned()))
}

/// The path of the first value in which two results differ, and both values.
fn parting(theirs: &[u8], ours: &[u8]) -> String {
    let (Ok(theirs), Ok(ours)) = (serde_json::from_slice::<Value>(theirs), serde_json::from_slice::<Value>(ours))
    else {
        return "their text, of which one is no JSON".to_owned();
    };
    first_difference(&theirs, &ours, "").unwrap_or_else(|| "their spelling alone".to_owned())
}

fn first_difference(theirs: &Value, ours: &Value, path: &str) -> Option<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let null = Value::Null;
            let keys = theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key)));
            keys.into_iter().find_map(|key| match (theirs.get(key), ours.get(key)) {
                (Some(theirs), Some(ours)) => first_difference(theirs, ours, &format!("{path}/{key}")),
                (theirs, _) => {
                    let who = if theirs.is_some() { "theirs" } else { "ours" };
                    let value = theirs.or_else(|| ours.get(key)).unwrap_or(&null);
                    Some(format!("{path}/{key}: only in {who}, {}", short(value)))
                }
            })
        }
        (Value::Array(one), Value::Array(other)) => {
            let items = one.iter().zip(other).enumerate();
            let differing = items
                .into_iter()
                .find_map(|(index, (theirs, ours))| first_difference(theirs, ours, &format!("{path}/{index}")));
            let lengths = || format!("{path}: {} items for {}", one.len(), other.len());
            differing.or_else(|| (one.len() != other.len()).then(lengths))
        }
        _ if theirs == ours => None,
        _ => Some(format!("{path}: {} for {}", short(theirs), short(ours))),
    }
}

/// A value short enough for a line.
fn short(value: &Value) -> String {
    const SHOWN: usize = 70;
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A server of this program.
struct Ours {
    child: Child,
    url: String,
}

impl Ours {
    fn start(format: &str) -> Result<Self> {
        command::run(&mut command::line("cargo build --release --locked --package refiner"))?;
        let mut child = command::program(tree::root().join("target/release/refiner"))
            .args(["evm", "serve", "--listen", "127.0.0.1:0", "--format", format])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ").context("the server does not listen")?.to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use refiner_evm::EmbeddedExecutor;
    use refiner_evm_server::serve::{EvmServer, Limits};
    use tokio::{net::TcpListener, runtime::Runtime};
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn serve(runtime: &Runtime, format: &str) -> String {
        let server = EvmServer::new(EmbeddedExecutor::default(), format.parse().unwrap(), Limits::default()).unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(server.serve(vec![listener], CancellationToken::new()));
        url
    }

    #[test]
    fn two_eras_part_where_their_documents_do() {
        let directory = tempfile::tempdir().unwrap();
        for file in refiner_testkit::samples().unwrap() {
            let name = file.path.file_name().unwrap().to_string_lossy().into_owned();
            let json = refiner_specimen::data_json(&file.bytes).unwrap().to_string();
            fs::write(directory.path().join(format!("{name}.json")), json).unwrap();
        }
        fs::write(directory.path().join("broken.json"), "{").unwrap();
        let runtime = Runtime::new().unwrap();
        let (b, c, again) =
            (serve(&runtime, "evm-server@b"), serve(&runtime, "evm-server@c"), serve(&runtime, "evm-server@c"));
        let same = compare(&c, &again, directory.path()).unwrap();
        assert!(same.0.values().all(|outcome| matches!(outcome, Outcome::Equal | Outcome::BothRefuse)), "{same}");
        assert!(same.0.values().any(|outcome| *outcome == Outcome::Equal), "{same}");
        assert_eq!(same.0["broken.json"], Outcome::BothRefuse);
        let table = compare(&b, &c, directory.path()).unwrap();
        let headers = |outcome: &&Outcome| matches!(outcome, Outcome::Differ(path) if path.starts_with("/Header/"));
        assert!(table.0.values().filter(headers).count() > 0, "{table}");
        assert!(table.to_string().ends_with(&format!(" of {} agree\n", table.0.len())), "{table}");
        assert!(compare(&b, &c, Path::new("nowhere")).is_err());
    }

    #[test]
    fn first_difference_is_named_by_its_path() {
        let parting = |theirs: &str, ours: &str| parting(theirs.as_bytes(), ours.as_bytes());
        assert_eq!(parting(r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1,{"b":3}]}"#), "/a/1/b: 2 for 3");
        assert_eq!(parting(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#), "/a: 1 items for 2");
        assert_eq!(parting(r#"{"a":1}"#, r#"{"a":1,"c":null}"#), "/c: only in ours, null");
        assert_eq!(parting("{ }", "{}"), "their spelling alone");
        assert_eq!(parting("{", "{}"), "their text, of which one is no JSON");
    }
}
