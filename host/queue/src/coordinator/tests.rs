//! A coordinator over a real NATS server, with hosts that answer as the tests have it.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use async_nats::jetstream::{self, AckKind, consumer::PullConsumer};
use futures_util::StreamExt as _;
use refiner_rule_model::Limits;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    limits::UNUSABLE_RESULTS_MAX,
    message::{Message as _, Outcome, Task, VERSION},
};

/// Time for what is to happen soon.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time in which what is not to happen would.
const MOMENT: Duration = Duration::from_secs(1);
const RULE: B256 = B256::repeat_byte(7);

struct NoJournal;

impl Records for NoJournal {
    fn known(&self, _: u64, _: B256, _: B256) -> Known {
        Known::Waiting
    }
}

/// `$NATS_SERVER`, or Debian's package `nats-server`.
fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("NATS_SERVER") {
        return Some(named.into());
    }
    let places = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"];
    let found = places.into_iter().map(PathBuf::from).find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: no nats-server (`apt-get install nats-server`, or NATS_SERVER=path)");
    }
    found
}

struct Nats {
    child: Child,
    url: String,
}

impl Nats {
    async fn start(program: &Path, directory: &Path) -> Self {
        let log = File::create(directory.join("log")).unwrap();
        let mut command = Command::new(program);
        // A port that the system chooses, which the server writes to a file.
        command.args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"]).arg(directory.join("store"));
        command.arg("--ports_file_dir").arg(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut nats = Self { child: command.spawn().unwrap(), url: String::new() };
        let file = directory.join(format!("nats-server_{}.ports", nats.child.id()));
        let written = async {
            loop {
                let ports = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                if let Some(ports) = ports {
                    break ports;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let ports: serde_json::Value = timeout(PATIENCE, written).await.unwrap();
        ports["nats"][0].as_str().unwrap().clone_into(&mut nats.url);
        nats
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A coordinator at work, and the means to answer it.
struct Scene {
    coordinator: Coordinator,
    queue: QueueId,
    context: Context,
    tasks: PullConsumer,
    stop: CancellationToken,
    _nats: Nats,
    _directory: tempfile::TempDir,
}

impl Scene {
    async fn new(recheck: Option<(u64, u64)>) -> Option<Self> {
        let (program, directory) = (program()?, tempfile::tempdir().unwrap());
        let nats = Nats::start(&program, directory.path()).await;
        let queue = QueueId::fresh();
        let record = RuleRecord {
            name: "rule".to_owned(),
            identity: RULE,
            digest: B256::ZERO,
            cid: Content::of(Bytes::new()).id().to_string(),
            bytes: 0,
            beside: None,
            params: BTreeMap::new(),
            limits: Limits::default().iter().map(|(limit, value)| (limit.to_string(), value)).collect(),
            terms: refiner_evm::ExecutionPolicy::default().into(),
        };
        let egress = refiner_http_client::Egress::default();
        let settings = CoordinatorSettings {
            connection: Connection::to(&nats.url),
            queue,
            ack_wait: PATIENCE * 2,
            // Longer than any test: what is published again is not so because its time was over.
            sweep: Some(PATIENCE * 2),
            origins: Origins::new(&[], egress, PATIENCE, PATIENCE).unwrap(),
            from: Vec::new(),
            recheck,
            rules: vec![(record, Vec::new())],
            starts_anew: true,
        };
        let coordinator = Coordinator::new(settings, Arc::new(NoJournal));
        let stop = CancellationToken::new();
        let (running, until) = (coordinator.clone(), stop.clone());
        tokio::spawn(async move { running.run(until).await.unwrap() });
        timeout(PATIENCE, coordinator.ready()).await.unwrap();
        let context = jetstream::new(async_nats::connect(&nats.url).await.unwrap());
        let stream = context.get_stream(queue.tasks()).await.unwrap();
        let consumer = stream.consumer_names().next().await.unwrap().unwrap();
        let tasks = stream.get_consumer(&consumer).await.unwrap();
        Some(Self { coordinator, queue, context, tasks, stop, _nats: nats, _directory: directory })
    }

    /// A submission of the one task, under way.
    fn submitted(&self) -> tokio::task::JoinHandle<Result<Finished, TaskFailure>> {
        let task = Task::new(1, 2, B256::ZERO, B256::ZERO, None, 3, RULE, 4, None);
        let coordinator = self.coordinator.clone();
        tokio::spawn(async move { coordinator.submit(task, 0).await })
    }

    /// Waits until so many wait for the task.
    async fn until_waiting(&self, count: usize) {
        let waiting = || lock(&self.coordinator.0.pending).values().map(|pending| pending.waiting.len()).sum::<usize>();
        let reached = async {
            while waiting() != count {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap();
    }

    /// The next task that a host is given within this time.
    async fn task(&self, time: Duration) -> Option<Task> {
        let mut batch = self.tasks.fetch().max_messages(1).expires(time).messages().await.unwrap();
        let message = batch.next().await?.unwrap();
        message.ack_with(AckKind::Ack).await.unwrap();
        Some(Task::read(&message.payload).unwrap())
    }

    /// The answer of a host: the rule refuses the specimen.
    async fn refused(&self, task: &Task, worker: &str) {
        let worker: HostName = worker.parse().unwrap();
        let subject = self.queue.results_of(&worker);
        let result = TaskResult {
            v: VERSION,
            task: task.id(),
            attempt: task.attempt.clone(),
            chain: task.chain,
            specimen: task.specimen.hash,
            rule: task.rule,
            worker,
            version: String::new(),
            outcome: Outcome::Refused { reason: "rejected".to_owned(), class: None },
            from: Vec::new(),
            delivered: 1,
            elapsed_ms: 1,
            fuel: None,
            memory_bytes: None,
            spans: Vec::new(),
            report: None,
        };
        self.context.publish(subject, result.write().unwrap().into()).await.unwrap().await.unwrap();
    }

    /// Tasks that were published so far.
    async fn published(&self) -> u64 {
        self.context.get_stream(self.queue.tasks()).await.unwrap().cached_info().state.last_sequence
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The host whose refusal ended the submission.
async fn refused_by(submitted: tokio::task::JoinHandle<Result<Finished, TaskFailure>>) -> String {
    let finished = timeout(PATIENCE, submitted).await.unwrap().unwrap().unwrap();
    assert!(matches!(finished.verdict, Verdict::Refused { .. }));
    finished.worker.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn task_that_is_submitted_while_it_is_under_way_is_run_once_for_all_who_wait() {
    let Some(scene) = Scene::new(None).await else { return };
    let first = scene.submitted();
    scene.until_waiting(1).await;
    let (second, third) = (scene.submitted(), scene.submitted());
    scene.until_waiting(3).await;
    let task = scene.task(PATIENCE).await.unwrap();
    // A submission that is dropped leaves the others in place.
    third.abort();
    scene.until_waiting(2).await;
    scene.refused(&task, "one").await;
    assert_eq!((refused_by(first).await, refused_by(second).await), ("one".to_owned(), "one".to_owned()));
    assert!(scene.task(MOMENT).await.is_none(), "it is published once");
    scene.until_waiting(0).await;

    // NATS knows the names of its publications, and drops what comes under one of them.
    let again = scene.submitted();
    let task = scene.task(PATIENCE).await.unwrap();
    scene.refused(&task, "two").await;
    assert_eq!(refused_by(again).await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_opinion_that_comes_again_has_the_second_asked_for_no_more_than_once() {
    let Some(scene) = Scene::new(Some((1, 1))).await else { return };
    let submitted = scene.submitted();
    let first = scene.task(PATIENCE).await.unwrap();
    scene.refused(&first, "one").await;
    let second = scene.task(PATIENCE).await.unwrap();
    assert_eq!(second.not.as_ref().map(ToString::to_string).as_deref(), Some("one"));
    for _ in 0..50 {
        scene.refused(&first, "one").await;
    }
    assert!(scene.task(MOMENT).await.is_none() && scene.published().await == 2);
    scene.refused(&second, "two").await;
    assert_eq!(refused_by(submitted).await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_gives_the_second_opinion_on_its_own_is_asked_a_few_times_only() {
    let Some(scene) = Scene::new(Some((1, 1))).await else { return };
    let submitted = scene.submitted();
    let mut answers = 0;
    while let Some(task) = scene.task(MOMENT * 4).await {
        scene.refused(&task, "one").await;
        answers += 1;
    }
    let failure = timeout(PATIENCE, submitted).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(failure, TaskFailure::Unusable { results: UNUSABLE_RESULTS_MAX, .. }), "{failure}");
    assert_eq!(answers, 1 + UNUSABLE_RESULTS_MAX);
}
