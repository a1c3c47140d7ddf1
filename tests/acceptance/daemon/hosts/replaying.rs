//! `refiner replay --queue`: a data set that worker hosts make, equal to that of one host.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use refiner_hostile::odd;
use refiner_specimen::Specimen;
use refiner_testkit::{
    best_available,
    folder::files,
    renumber::{FIRST_HEIGHT, write_renumbered},
    samples,
};
use serde_json::Value;

use super::{
    crew::Crew,
    nats::{Nats, free_port},
    program,
};
use crate::bench::PATIENCE;

/// Specimens of the data set that is disturbed, in CI; `REFINER_HOSTS_SPECIMENS=3000` is the long form, over the smallest real ones.
const SPECIMENS: u64 = 120;
/// Kills for so many specimens.
const SPECIMENS_PER_KILL: u64 = 20;
/// Kills at most, in the long form: a host takes a second to be back at work.
const KILLS_MAX: u64 = 100;
/// Specimens that the long form is made of.
const MADE_OF: usize = 2;
/// A rule that executes, whose runs on renumbered blocks end in other verdicts too, and two that read.
const RULES: [&str; 6] = ["--rule", "block-result", "--rule", "transaction-summary", "--rule", "state-access"];
const HOSTS: [&str; 3] = ["one", "two", "three"];

#[track_caller]
fn assert_same_files(one: &Path, other: &Path) {
    let (one, other) = (files(one).unwrap(), files(other).unwrap());
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in &one {
        assert!(other[path] == *bytes, "{} differs", path.display());
    }
}

/// Specimens, NATS, and the address at which a replay serves.
pub struct Scene {
    directory: tempfile::TempDir,
    pub nats: Nats,
    listen: String,
    pub crew: Crew,
}

impl Scene {
    /// A scene without hosts; `None`, and a line, where there is no nats-server.
    fn new() -> Option<Self> {
        Self::with_nats("")
    }

    /// The same with more lines in the configuration of NATS.
    pub fn with_nats(configuration: &str) -> Option<Self> {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let nats = Nats::alone(directory.path(), configuration)?;
        let listen = format!("127.0.0.1:{}", free_port());
        let crew = Crew::of_replay(directory.path(), &nats.url(), &format!("http://{listen}"));
        Some(Self { directory, nats, listen, crew })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A folder with so many specimens of consecutive heights.
    pub fn specimens(&self, count: u64, from: &[Specimen]) -> PathBuf {
        let folder = self.path("specimens");
        write_renumbered(from, FIRST_HEIGHT, count, &folder).unwrap();
        folder
    }

    /// A replay on this machine, with a program that may be a release build that is measured.
    pub fn here(&self, from: &Path, out: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("replay").arg(from).arg("--out").arg(out).args(more);
        command.stdin(Stdio::null()).env_remove("REFINER_LOG");
        command
    }

    /// The same on the crew's hosts.
    pub fn on_hosts(&self, from: &Path, out: &Path, more: &[&str]) -> Command {
        let mut command = self.here(from, out, more);
        command.args(["--queue", &self.nats.url(), "--listen", &self.listen, "--host-origin", "127.0.0.0/8"]);
        command.args(["--queue-ack-wait", "2s", "--queue-sweep", "4s"]);
        command
    }

    /// Tasks that NATS has.
    fn tasks(&self) -> u64 {
        let name = self.streams().iter().find_map(|name| Some(name.as_str()?.strip_suffix("_TASKS")?.to_owned()));
        let Some(name) = name else { return 0 };
        let (_, answer) = self.nats.client().ask(&format!("$JS.API.STREAM.INFO.{name}_TASKS"), b"");
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["state"]["messages"].as_u64().unwrap_or_default()
    }

    /// Names of the streams that NATS has.
    fn streams(&self) -> Vec<Value> {
        let (_, answer) = self.nats.client().ask("$JS.API.STREAM.NAMES", b"{}");
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["streams"].as_array().cloned().unwrap_or_default()
    }
}

pub fn decoded(files: &[refiner_testkit::SpecimenFile]) -> Vec<Specimen> {
    let specimens = files.iter().map(|file| refiner_specimen::decode(&file.bytes).unwrap());
    specimens.filter(|specimen| specimen.block.network_id == 1).collect()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Numbers that differ from run to run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Units that a data set has while it is made, by its log.
pub fn committed(out: &Path) -> u64 {
    let lines = fs::read(out.join("_manifest.log")).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
    (lines as u64).saturating_sub(1)
}

/// A replay that is killed and started again, in the test's own process.
struct Asker<'a> {
    scene: &'a Scene,
    from: PathBuf,
    out: PathBuf,
    child: Child,
}

impl<'a> Asker<'a> {
    fn begin(scene: &'a Scene, from: PathBuf, out: PathBuf) -> Self {
        let child = Self::spawn(scene, &from, &out);
        Self { scene, from, out, child }
    }

    fn spawn(scene: &Scene, from: &Path, out: &Path) -> Child {
        let log = || fs::File::options().create(true).append(true).open(scene.path("replay.log")).unwrap();
        let mut command = scene.on_hosts(from, out, &RULES);
        command.args(["--report", "summary"]).stdout(log()).stderr(log()).spawn().unwrap()
    }

    /// SIGKILL, and the same command again.
    fn killed_and_started(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::spawn(self.scene, &self.from, &self.out);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.scene.path("replay.log")).unwrap_or_default()
    }
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn replay_over_three_hosts_that_are_killed_at_random_with_the_one_who_asks_ends_as_an_undisturbed_one_on_one_host() {
    let Some(mut scene) = Scene::new() else { return };
    let long: Option<u64> = env::var("REFINER_HOSTS_SPECIMENS").ok().map(|count| count.parse().unwrap());
    let count = long.unwrap_or(SPECIMENS);
    let from = if long.is_some() {
        let mut real = best_available().unwrap();
        real.sort_by_key(|file| file.bytes.len());
        decoded(&real).into_iter().take(MADE_OF).collect()
    } else {
        decoded(&samples().unwrap())
    };
    let specimens = scene.specimens(count, &from);
    let [whole, disturbed] = [scene.path("whole"), scene.path("disturbed")];
    let undisturbed = scene.here(&specimens, &whole, &RULES).args(["--report", "summary"]).output().unwrap();
    assert!(matches!(undisturbed.status.code(), Some(0 | 3)), "{}", text(&undisturbed));

    for name in HOSTS {
        scene.crew.hire(name, &[]);
    }
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
    let mut dice = Dice(seed);
    let kills = (count / SPECIMENS_PER_KILL).min(KILLS_MAX);
    // Each at a random place of its part of the data set; every third one is of the one who asks.
    let part = count / (kills + 1);
    let places: Vec<_> = (0..kills).map(|kill| kill * part + dice.below(part)).collect();
    let mut crew = std::mem::replace(&mut scene.crew, Crew::of_replay(Path::new(""), "", ""));
    let mut asker = Asker::begin(&scene, specimens, disturbed.clone());
    let mut killed = [0; 2];
    let begun = Instant::now();
    let patience = PATIENCE * u32::try_from(count.div_ceil(SPECIMENS)).unwrap();
    let mut next = 0;
    let ended = loop {
        if let Some(ended) = asker.child.try_wait().unwrap() {
            break ended;
        }
        if places.get(next).is_some_and(|place| committed(&disturbed) >= *place) {
            let of_asker = next % 3 == 1;
            killed[usize::from(of_asker)] += 1;
            if of_asker {
                asker.killed_and_started();
            } else {
                let host = crew.host(HOSTS[usize::try_from(dice.below(3)).unwrap()]);
                host.kill();
                host.start(&[]);
            }
            next += 1;
        }
        assert!(begun.elapsed() < patience, "seed {seed}, {killed:?} kills: {}{}", asker.log(), crew.logs());
        thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(ended.code(), undisturbed.status.code(), "seed {seed}: {}{}", asker.log(), crew.logs());
    assert!(killed.iter().all(|kills| *kills >= 2), "seed {seed}: {killed:?} kills before the end");
    assert_same_files(&whole, &disturbed);
    assert!(HOSTS.iter().all(|name| crew.host(name).completed() > 0), "{}", crew.logs());
    assert_eq!(scene.streams(), [] as [Value; 0], "nothing of the queue is left");
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{count} specimens, {killed:?} kills of hosts and of the one who asks, {:?}", begun.elapsed());
    }
}

/// The lines of a replay, without what differs from run to run.
fn lines(output: &Output) -> Vec<Value> {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let fields = line.as_object_mut().unwrap();
        fields.remove("elapsedMs");
        // The directory is another.
        for artifact in fields.get_mut("artifacts").and_then(Value::as_array_mut).into_iter().flatten() {
            artifact.as_object_mut().unwrap().remove("file");
        }
        line
    };
    stdout.lines().map(line).collect()
}

#[test]
fn replay_over_hosts_reports_what_one_on_this_machine_reports_and_makes_the_same_files_and_tables() {
    let Some(mut scene) = Scene::new() else { return };
    let specimens = scene.path("specimens");
    fs::create_dir(&specimens).unwrap();
    for sample in samples().unwrap() {
        fs::write(specimens.join(sample.name()), &sample.bytes).unwrap();
    }
    // Hosts have not seen this one: it is no specimen.
    fs::write(specimens.join("1-1.avro"), b"nonsense").unwrap();
    // And these rules are files of this machine, which they fetch by their content ids.
    let folder = scene.path("odd");
    fs::create_dir(&folder).unwrap();
    let cases = odd::write(&folder);
    let [rejects, traps] = ["rejects-with-control-characters", "divides-by-zero"].map(|case| {
        let (name, _) = cases.iter().find(|(_, found)| *found == case).unwrap();
        folder.join(format!("{name}.wasm"))
    });
    scene.crew.hire("one", &[]);
    scene.crew.hire("two", &[]);
    let own = ["--rule", rejects.to_str().unwrap(), "--rule", traps.to_str().unwrap(), "--json"];
    let rules = [&RULES[..], &own].concat();
    let [here, there] = [scene.path("here"), scene.path("there")];
    let one = scene.here(&specimens, &here, &rules).output().unwrap();
    let other = scene.on_hosts(&specimens, &there, &rules).output().unwrap();
    assert_eq!((one.status.code(), other.status.code()), (Some(4), Some(4)), "{}{}", text(&one), text(&other));
    let (one, mut other) = (lines(&one), lines(&other));
    for line in other.iter_mut().filter(|line| line["verdict"] != "unusable") {
        let host = line.as_object_mut().unwrap().remove("workerHost");
        assert!(host.as_ref().is_some_and(|host| host == "one" || host == "two"), "{line}");
    }
    assert!(one.len() > 20 && one.iter().any(|line| line["verdict"] == "unusable"));
    assert_eq!(one, other, "verdicts, usage, logs and evidence");
    assert_same_files(&here, &there);

    let table =
        ["--rule", "transaction-summary", "--table", "parquet", "--blocks-per-file", "4", "--report", "summary"];
    let [here, there] = [scene.path("table-here"), scene.path("table-there")];
    let one = scene.here(&specimens, &here, &table).output().unwrap();
    // The hosts are still at the queue that is no more, and find the next by themselves.
    let other = scene.on_hosts(&specimens, &there, &table).output().unwrap();
    assert_eq!(one.status.code(), other.status.code(), "{}{}", text(&one), text(&other));
    assert!(text(&other).contains("runs by worker host: "), "{}", text(&other));
    assert_same_files(&here, &there);
    assert_eq!(scene.streams(), [] as [Value; 0]);
}

#[test]
fn interrupted_replay_over_hosts_ends_at_once_and_the_same_command_continues_it() {
    let Some(mut scene) = Scene::new() else { return };
    let specimens = scene.specimens(60, &decoded(&samples().unwrap()));
    let [whole, disturbed] = [scene.path("whole"), scene.path("disturbed")];
    let undisturbed = scene.here(&specimens, &whole, &RULES[2..]).output().unwrap();
    // With one host that comes late, most is still to be done.
    let interrupted = |scene: &Scene| {
        let mut command = scene.on_hosts(&specimens, &disturbed, &RULES[2..]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        // Tasks are handed out by the threads that a signal stops.
        while scene.tasks() < 10 {
            assert!(begun.elapsed() < PATIENCE);
            thread::sleep(Duration::from_millis(200));
        }
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let begun = Instant::now();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        (child.wait_with_output().unwrap(), begun.elapsed())
    };
    let (ended, took) = interrupted(&scene);
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(disturbed.join("_queue").is_file() && disturbed.join("_manifest.json").is_file());
    scene.crew.hire("one", &[]);
    let ended = scene.on_hosts(&specimens, &disturbed, &RULES[2..]).output().unwrap();
    assert_eq!(ended.status.code(), undisturbed.status.code(), "{}", text(&ended));
    assert_same_files(&whole, &disturbed);
}

#[test]
fn replay_over_hosts_goes_on_after_its_nats_server_was_killed_with_all_tasks_and_results() {
    let Some(mut scene) = Scene::new() else { return };
    let specimens = scene.specimens(60, &decoded(&samples().unwrap()));
    let [whole, disturbed] = [scene.path("whole"), scene.path("disturbed")];
    let undisturbed = scene.here(&specimens, &whole, &RULES[2..4]).output().unwrap();
    scene.crew.hire("one", &[]);
    let mut command = scene.on_hosts(&specimens, &disturbed, &RULES[2..4]);
    let child = command.args(["-j", "6"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while committed(&disturbed) < 10 {
        assert!(begun.elapsed() < PATIENCE, "{}", scene.crew.logs());
        thread::sleep(Duration::from_millis(2));
    }
    // Its streams are in memory: what was on its way is gone.
    scene.nats.kill();
    scene.nats.start();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), undisturbed.status.code(), "{}{}", text(&ended), scene.crew.logs());
    assert!(text(&ended).contains("streams were gone and are made anew"), "{}", text(&ended));
    assert_same_files(&whole, &disturbed);
    assert_eq!(scene.streams(), [] as [Value; 0]);
}

#[test]
fn replay_over_hosts_refuses_what_does_not_go_together_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let sample = directory.path().join("1-1.avro");
    fs::write(&sample, &samples().unwrap()[0].bytes).unwrap();
    let refused = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
        let output = command.arg("replay").arg(&sample).args(arguments).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), text(&output))
    };
    let queue = ["--queue", "nats://127.0.0.1:1", "--host-origin", "10.0.0.0/16"];
    let out_argument = ["--out", out.to_str().unwrap()];
    let all = [&queue[..], &out_argument].concat();
    for (arguments, expected) in [
        (queue.to_vec(), "--queue needs the directory of a data set (--out)"),
        ([&queue[..2], &out_argument].concat(), "--queue needs --host-origin"),
        ([&all[..], &["--evm", "remote"]].concat(), "--queue needs --evm embedded"),
        ([&all[..], &["--listen", "0.0.0.0:0"]].concat(), "permit it with --allow-remote-content"),
        (
            [&["--queue", "nats://127.0.0.1:1", "--host-origin", "ftp://a"], &out_argument[..]].concat(),
            "--host-origin: expected",
        ),
        (
            [&["--queue", "not an address"], &out_argument[..]].concat(),
            "--queue: expected the address of a NATS server",
        ),
    ] {
        let (code, words) = refused(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {words}");
        assert!(words.contains(expected), "{arguments:?}: {words}");
    }
    // A plan needs no NATS.
    let (code, words) = refused(&[&all[..], &["--dry-run"]].concat());
    assert!(code == Some(0) && words.contains("1 to run"), "{words}");
}
