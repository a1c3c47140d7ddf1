//! A container engine: the one that is there, or one that the test starts and ends.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::{
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// The socket of an engine that a machine runs for everybody.
const SYSTEM_SOCKET: &str = "/var/run/docker.sock";
/// Time limit for the start and for the end of an engine.
const PATIENCE: Duration = Duration::from_secs(30);
/// One test at a time has the ports, for every user and clone of this machine.
const LOCK: &str = "/tmp/refiner-compose-test.lock";
/// Image and network by which an engine is tried.
const PROBE: &str = "refiner-test-probe";
/// The flags of an engine on an ordinary machine, in a container without rights to the firewall, and with nothing at all.
const FLAGS: [&[&str]; 3] =
    [&[], &["--iptables=false"], &["--iptables=false", "--bridge=none", "--storage-driver=vfs"]];

pub struct Engine {
    host: String,
    started: Option<Child>,
    directory: tempfile::TempDir,
    _lock: File,
}

impl Engine {
    /// An engine; without one, prints the reason on one line.
    pub fn find_or_start() -> Option<Self> {
        let started = Self::with_lock();
        #[allow(clippy::print_stderr)]
        if let Err(reason) = &started {
            eprintln!("skipped: no container engine can run here: {reason}");
        }
        started.ok()
    }

    fn with_lock() -> Result<Self, String> {
        if run(Command::new("docker").arg("--version")).is_none() || compose_program().is_none() {
            return Err("install docker.io and docker-compose".to_owned());
        }
        let lock = File::options().create(true).truncate(false).write(true).open(LOCK).map_err(|e| e.to_string())?;
        // Another user's lock is not writable for everybody.
        let _ = fs::set_permissions(LOCK, Permissions::from_mode(0o666));
        lock.lock().map_err(|error| error.to_string())?;
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut engine = Self { host: format!("unix://{SYSTEM_SOCKET}"), started: None, directory, _lock: lock };
        if engine.answers() {
            return engine.usable().map(|()| engine);
        }
        if !geteuid().is_root() {
            return Err(format!("none answers at {SYSTEM_SOCKET}, and only root can start one"));
        }
        engine.host = format!("unix://{}", engine.directory.path().join("docker.sock").display());
        let reasons: Vec<_> = FLAGS.iter().map_while(|flags| engine.start(flags).err()).collect();
        if reasons.len() == FLAGS.len() { Err(reasons.join("; ")) } else { Ok(engine) }
    }

    fn start(&mut self, flags: &[&str]) -> Result<(), String> {
        let (root, log) = (self.directory.path(), self.directory.path().join("log"));
        let output = || File::options().create(true).append(true).open(&log).map_err(|error| error.to_string());
        // It dies with the test: a test that is killed ends nothing itself.
        let daemon = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "dockerd", "--host", &self.host])
            .arg("--data-root")
            .arg(root.join("data"))
            .arg("--exec-root")
            .arg(root.join("exec"))
            .arg("--pidfile")
            .arg(root.join("pid"))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(output()?)
            .stderr(output()?)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("dockerd: {error}"))?;
        let daemon = self.started.insert(daemon);
        let begun = Instant::now();
        let mut state = Err(String::new());
        while begun.elapsed() < PATIENCE && matches!(daemon.try_wait(), Ok(None)) {
            if answers(&self.host) {
                state = self.usable();
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        state.map_err(|reason| {
            self.end();
            let log = fs::read_to_string(log).unwrap_or_default();
            let reason = if reason.is_empty() { log.lines().last().unwrap_or("no log").to_owned() } else { reason };
            format!("dockerd {}: {reason}", flags.join(" "))
        })
    }

    /// Runs a program in a container with a network of its own: an engine may answer on a machine that permits neither.
    fn usable(&self) -> Result<(), String> {
        let root = tempfile::tempdir().map_err(|error| error.to_string())?;
        let archive = self.directory.path().join("probe.tar");
        inside(root.path());
        tried(Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(root.path()).arg("."))?;
        tried(self.docker(&["import"]).arg(&archive).arg(PROBE))?;
        tried(&mut self.docker(&["network", "create", PROBE]))?;
        let ran = tried(&mut self.docker(&["run", "--rm", "--network", PROBE, PROBE, "/inside"]));
        tried(&mut self.docker(&["network", "rm", PROBE]))?;
        ran
    }

    fn answers(&self) -> bool {
        answers(&self.host)
    }

    pub fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments).env("DOCKER_HOST", &self.host).env("DOCKER_BUILDKIT", "0").stdin(Stdio::null());
        command
    }

    /// `docker-compose`, or `docker compose` where that is what there is.
    pub fn compose(&self, arguments: &[&str]) -> Command {
        let mut words = compose_program().unwrap();
        words.extend(arguments);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("DOCKER_HOST", &self.host).stdin(Stdio::null());
        command
    }

    /// Makes an image by the stage `prebuilt` of `compose/Dockerfile`, of this program on a base with its libraries.
    pub fn build(&self, program: &Path, image: &str) {
        let context = tempfile::tempdir().unwrap();
        let at = |name: &str| context.path().join(name);
        let repository = repository();
        must(Command::new("strip").args(["--strip-debug", "-o"]).arg(at("refiner")).arg(program));
        fs::copy(repository.join("LICENSE"), at("LICENSE")).unwrap();
        fs::create_dir(at("compose")).unwrap();
        must(Command::new("cp").arg("-r").arg(repository.join("compose/image")).arg(at("compose")));
        let base = self.base(program);
        let dockerfile = repository.join("compose/Dockerfile");
        let base = format!("BASE={base}");
        must(
            self.docker(&["build", "--quiet", "--target", "prebuilt", "--build-arg", &base, "--tag", image, "--file"])
                .arg(dockerfile)
                .arg(context.path()),
        );
    }

    /// An image with the shared libraries of the program and the certificates.
    fn base(&self, program: &Path) -> &'static str {
        let root = tempfile::tempdir().unwrap();
        add(root.path(), &libraries(program));
        add(root.path(), &["/etc/ssl/certs/ca-certificates.crt".into()]);
        self.import(root.path(), "refiner-test-base", &[]);
        "refiner-test-base"
    }

    /// An image of the files in a folder, with instructions of a Dockerfile.
    pub fn import(&self, root: &Path, image: &str, instructions: &[&str]) {
        let archive = tempfile::NamedTempFile::new().unwrap();
        must(Command::new("tar").arg("-cf").arg(archive.path()).arg("-C").arg(root).arg("."));
        let mut import = self.docker(&["import"]);
        import.args(instructions.iter().flat_map(|instruction| ["--change", instruction]));
        must(import.arg(archive.path()).arg(image));
    }

    fn end(&mut self) {
        let Some(mut daemon) = self.started.take() else { return };
        let _ = kill_process(Pid::from_child(&daemon), Signal::TERM);
        let begun = Instant::now();
        while matches!(daemon.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
        // It leaves the network namespace of the machine mounted, and its folder could not be removed.
        let place = format!("{}/", self.directory.path().display());
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        for mount in mounts.lines().rev().filter_map(|line| line.split(' ').nth(1)).filter(|at| at.starts_with(&place))
        {
            let _ = run(Command::new("umount").args(["--lazy", mount]));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

/// The shared libraries of a program; none of a static one.
pub fn libraries(program: &Path) -> Vec<PathBuf> {
    let printed = Command::new("ldd").arg(program).output().unwrap().stdout;
    text(&printed).split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

/// Copies files of this machine, where they exist, to the same places below another root.
pub fn add(root: &Path, files: &[PathBuf]) {
    for file in files.iter().filter(|file| file.exists()) {
        let target = root.join(file.strip_prefix("/").unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// A small static program for looking around in a container: `inside.c`.
pub fn inside(directory: &Path) -> PathBuf {
    let program = directory.join("inside");
    must(
        Command::new("cc")
            .args(["-static", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&program)
            .arg(repository().join("tests/compose/inside.c")),
    );
    program
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The output of a command that succeeds.
#[track_caller]
pub fn must(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(command: &mut Command) -> Option<Output> {
    command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())
}

/// The last line of a command's errors, when it fails.
fn tried(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let errors = text(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(errors.trim().lines().last().unwrap_or("no reason").to_owned()) }
}

fn answers(host: &str) -> bool {
    run(Command::new("docker").arg("info").env("DOCKER_HOST", host)).is_some_and(|output| {
        // Without a server some versions print an error and succeed.
        text(&output.stdout).contains("Storage Driver")
    })
}

fn compose_program() -> Option<Vec<&'static str>> {
    [vec!["docker-compose"], vec!["docker", "compose"]]
        .into_iter()
        .find(|words| run(Command::new(words[0]).args(&words[1..]).arg("version")).is_some())
}

/// Writes a file of a test.
pub fn write(path: &Path, text: &str) {
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).unwrap();
}
