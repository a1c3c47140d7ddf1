//! Data sets in Azure's blob storage, on Microsoft's own emulator.
//!
//! `npm install --prefix target/azurite azurite` makes it available (190 MB); without it the test prints that and passes.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{MANIFEST, files, some_samples};
use crate::{
    content::fetched,
    program::{command, text},
};

/// The emulator's account, which its documentation names.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A signed PUT: `node -e SCRIPT ACCOUNT KEY URL HEADER VALUE [FILE]`, with one header beside the date and the version.
const PUT: &str = r"
const [account, key, url, header, value, file] = process.argv.slice(1);
const body = file ? require('fs').readFileSync(file) : Buffer.alloc(0);
const headers = {'content-type': 'text/plain', 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-08-06'};
if (header) headers[header] = value;
const {pathname, searchParams} = new URL(url);
const named = Object.keys(headers).filter(name => name.startsWith('x-ms-')).sort().map(name => `${name}:${headers[name]}\n`);
const query = [...searchParams].sort().map(([name, value]) => `\n${name}:${value}`);
const text = `PUT\n\n\n${body.length || ''}\n\ntext/plain\n\n\n\n\n\n\n${named.join('')}/${account}${pathname}${query.join('')}`;
const signature = require('crypto').createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
headers.authorization = `SharedKey ${account}:${signature}`;
headers['content-length'] = String(body.length);
const request = require('http').request(url, {method: 'PUT', headers}, answer => process.exit(answer.statusCode === 201 ? 0 : 1));
request.end(body);
";

struct Azurite {
    child: Child,
    url: String,
    _data: tempfile::TempDir,
}

impl Azurite {
    #[allow(clippy::print_stderr)]
    fn start() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let script = root.join("target/azurite/node_modules/.bin/azurite-blob");
        if !script.exists() {
            eprintln!("skipped: no Azurite; npm install --prefix target/azurite azurite");
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new("node");
        command.arg(script).args([
            "--blobPort",
            "0",
            "--silent",
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--location",
        ]);
        let mut child = command.arg(data.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines.map(Result::unwrap).find_map(|line| {
            let (_, url) = line.split_once("successfully listens on ")?;
            Some(url.trim().to_owned())
        });
        let azurite = Self { child, url: format!("{}/{ACCOUNT}", listening.unwrap()), _data: data };
        azurite.put("results?restype=container", Some(("x-ms-blob-public-access", "container")), None);
        Some(azurite)
    }

    /// Writes a blob or makes a container.
    fn put(&self, path: &str, header: Option<(&str, &str)>, file: Option<&Path>) {
        let (name, value) = header.unwrap_or_default();
        let url = format!("{}/{path}", self.url);
        let mut node = Command::new("node");
        node.args(["-e", PUT, ACCOUNT, KEY, &url, name, value]).args(file);
        assert!(node.status().unwrap().success(), "{url}");
    }

    /// A blob, which anybody may read here.
    fn get(&self, path: &str) -> Vec<u8> {
        fetched(&format!("{}/{path}", self.url))
    }

    /// The program with the credentials of the emulator.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.envs([
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
            ("AZURE_STORAGE_ACCOUNT_KEY", KEY),
            ("AZURE_STORAGE_ENDPOINT", &self.url),
            ("AZURE_ALLOW_HTTP", "true"),
        ]);
        command
    }

    /// Runs the program to its end, and gives what it printed on both.
    fn run(&self, arguments: &[&str], code: i32) -> String {
        let ended = self.command(arguments).output().unwrap();
        let printed = [ended.stdout, ended.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{printed}");
        assert!(!printed.contains(KEY));
        printed
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn specimens_and_data_set_lie_in_azure() {
    let Some(azurite) = Azurite::start() else { return };
    let (folder, specimens) = some_samples(3);
    for path in &specimens {
        let name = path.file_name().unwrap().to_str().unwrap();
        azurite.put(&format!("results/specimens/{name}"), Some(("x-ms-blob-type", "BlockBlob")), Some(path));
    }
    let out = tempfile::tempdir().unwrap();
    let rules = ["--rule", "transaction-summary", "--table", "parquet", "--report", "summary"];
    let replay =
        |from: &str, out: &str, code: i32| azurite.run(&[&["replay", from, "--out", out], &rules[..]].concat(), code);
    replay(text(folder.path()), text(out.path()), 0);
    let study = "az://results/study";
    replay("az://results/specimens", study, 0);
    let again = replay("az://results/specimens", study, 0);
    assert!(again.contains("0 runs produced, 3 done before"), "{again}");
    let verified = azurite.run(&["verify", &format!("{study}/{MANIFEST}"), text(folder.path())], 0);
    assert!(verified.contains("the same"), "{verified}");

    let other = ["replay", "az://results/specimens", "--out", study, "--rule", "state-access", "--table", "parquet"];
    let refused = azurite.run(&other, 2);
    assert!(refused.contains("state-access"), "{refused}");
    let missing = azurite.run(&["replay", "az://elsewhere/specimens"], 4);
    assert!(missing.contains("ContainerNotFound"), "{missing}");

    for (path, bytes) in files(out.path()) {
        assert!(azurite.get(&format!("results/study/{}", path.display())) == bytes, "{} differs", path.display());
    }
}
