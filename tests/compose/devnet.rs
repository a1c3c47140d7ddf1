//! `compose/devnet.yml`: the whole network in containers.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::engine::{Engine, add, libraries, must, repository, write};

const PATIENCE: Duration = Duration::from_secs(240);
const IMAGE: &str = "refiner-test";
const NODE_IMAGE: &str = "refiner-test-anvil";
const PAGE: &str = "127.0.0.1:9568";

struct Stack {
    engine: Engine,
    directory: tempfile::TempDir,
    project: String,
}

impl Stack {
    fn compose(&self, arguments: &[&str]) -> String {
        let file = repository().join("compose/devnet.yml").display().to_string();
        let variables = self.directory.path().join(".env").display().to_string();
        let common = ["--env-file", &variables, "-p", &self.project, "-f", &file];
        must(&mut self.engine.compose(&[&common, arguments].concat()))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let down = std::panic::AssertUnwindSafe(|| {
            self.compose(&["down", "-v", "-t", "5"]);
        });
        let ended = std::panic::catch_unwind(down);
        assert!(ended.is_ok() || std::thread::panicking(), "the services do not end");
    }
}

/// An image with anvil and its libraries, in place of Foundry's.
fn node_image(engine: &Engine, anvil: &Path) {
    let root = tempfile::tempdir().unwrap();
    let at = root.path().join("bin/anvil");
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::copy(anvil, at).unwrap();
    add(root.path(), &libraries(anvil));
    engine.import(root.path(), NODE_IMAGE, &[]);
}

fn get(path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(PAGE).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn devnet_in_containers_proves_what_it_announces_and_shows_it() {
    let Some(engine) = Engine::find_or_start() else { return };
    let anvil = match refiner_testchain::anvil() {
        Ok(anvil) => anvil,
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: {missing}");
            }
            return;
        }
    };
    let program = PathBuf::from(env!("CARGO_BIN_EXE_refiner"));
    engine.build(&program, IMAGE);
    node_image(&engine, &anvil);
    let directory = tempfile::tempdir().unwrap();
    let variables = format!("REFINER_IMAGE={IMAGE}\nANVIL_IMAGE={NODE_IMAGE}\nDEVNET_RATE=60\n");
    write(&directory.path().join(".env"), &variables);
    let stack = Stack { engine, directory, project: format!("refiner-devnet-{}", std::process::id()) };
    stack.compose(&["up", "-d"]);
    let begun = Instant::now();
    loop {
        let page = get("/").unwrap_or_default();
        if page.contains("Proving: ") {
            break;
        }
        if begun.elapsed() > PATIENCE {
            panic!("nothing is proved: {page}\n{}", stack.compose(&["logs"]));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let stopped = Instant::now();
    stack.compose(&["stop", "devnet"]);
    assert!(stopped.elapsed() < Duration::from_secs(45), "ends by itself: {:?}", stopped.elapsed());
    let container = must(&mut stack.engine.docker(&[
        "ps",
        "--all",
        "--quiet",
        "--filter",
        &format!("label=com.docker.compose.project={}", stack.project),
        "--filter",
        "label=com.docker.compose.service=devnet",
    ]));
    let code = must(&mut stack.engine.docker(&["inspect", "--format", "{{.State.ExitCode}}", &container]));
    assert_eq!(code, "0", "{}", stack.compose(&["logs"]));
}
