//! A worker host: tasks from NATS, rules in confined processes, artifacts served to the coordinator. It has no key and no journal.

mod artifacts;
pub(crate) mod discover;
mod feed;
mod publish;
mod run;
mod served;
mod settings;
mod signs;
mod slot;
mod specimens;

pub use self::settings::WorkSettings;
pub(crate) use self::settings::queue_id;

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64},
    },
    time::{Duration, SystemTime},
};

use async_nats::{Client, jetstream::Context};
use refiner_config::Values;
use refiner_content::{CONTENT_BYTES_MAX, LocalStore, Retention, serve};
use refiner_diagnostics::{ErrorChain, ExitCode, Failure};
use refiner_listener::Access;
use refiner_rule_package::Loader;
use refiner_signals::shutdown_on_signal;
use refiner_worker::{CodeCache, Compiler};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::{artifacts::Artifacts, served::Serving, specimens::Specimens};
use crate::{QueueError, connection, names::QueueId, retried::Retried};

/// Slots beside one a worker: while one waits for content, the worker has other work.
const SLOTS_MORE: usize = 1;
/// Time between two looks at the store.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Time for the content server's last answers.
const SERVE_END: Duration = Duration::from_secs(1);

/// Everything that a host's parts share.
struct Host {
    settings: Arc<WorkSettings>,
    queue: QueueId,
    client: Client,
    context: Context,
    store: LocalStore,
    artifacts: Arc<Artifacts>,
    specimens: Specimens,
    loader: Arc<Loader>,
    /// Where the coordinator finds the artifacts.
    origin: String,
    serving: watch::Sender<Arc<Serving>>,
    /// Results that NATS refuses although the connection stands.
    publications: Retried,
    running: AtomicU32,
    done: Arc<AtomicU64>,
}

/// Runs `refiner work` until a signal stops it.
///
/// # Errors
///
/// [`QueueError`]
pub fn work(values: &Values) -> Result<ExitCode, Failure> {
    let settings = WorkSettings::of(values)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().map_err(QueueError::Runtime)?;
    let ended = runtime.block_on(host(settings));
    runtime.shutdown_background();
    ended?;
    Ok(ExitCode::Done)
}

async fn host(settings: WorkSettings) -> Result<(), QueueError> {
    let stop = CancellationToken::new();
    shutdown_on_signal(&stop, || tracing::info!("stopping after running tasks"))?;
    let store = LocalStore::open(settings.data.join("content"), CONTENT_BYTES_MAX)?;
    let compiler = Compiler::new(Some(CodeCache::open(settings.data.join("code"))?));
    let loader = Loader::new(compiler, settings.allowance.clone());
    let listener = refiner_listener::bind(settings.listen, settings.allow_remote).await?;
    let origin = origin(&settings, listener.local_addr()?);
    let access = Access::of_hosts(settings.allow_hosts.iter().cloned());
    let serve_stop = CancellationToken::new();
    let artifacts = Arc::new(Artifacts::over(store.clone()));
    let served = tokio::spawn(serve::serve_source(
        listener,
        Arc::clone(&artifacts) as _,
        serve::ServeLimits::default(),
        access,
        serve_stop.clone(),
    ));
    tracing::info!(host = %settings.name, %origin, workers = settings.workers, "worker host serves its artifacts");
    let client = settings.connection.client(&format!("refiner host {}", settings.name), Some(&settings.name)).await?;
    let ended = tokio::select! {
        ended = joined(settings, client, (store, artifacts), loader, origin, &stop) => ended,
        // Before it joined a queue there is nothing to finish.
        () = stop.cancelled() => Ok(()),
    };
    serve_stop.cancel();
    let _ = timeout(SERVE_END, served).await;
    ended
}

/// Finds the queue, and works on it until `stop`; on another where that one was removed and none was named.
async fn joined(
    settings: WorkSettings,
    client: Client,
    (store, artifacts): (LocalStore, Arc<Artifacts>),
    loader: Loader,
    origin: String,
    stop: &CancellationToken,
) -> Result<(), QueueError> {
    connection::connected(&client).await;
    let context = connection::streams(&client)?;
    let (settings, loader, done) = (Arc::new(settings), Arc::new(loader), Arc::default());
    loop {
        let queue = discover::queue(&context, settings.queue).await?;
        tracing::info!(%queue, "queue joined");
        let host = Host {
            settings: Arc::clone(&settings),
            queue,
            client: client.clone(),
            context: context.clone(),
            store: store.clone(),
            artifacts: Arc::clone(&artifacts),
            specimens: Specimens::default(),
            loader: Arc::clone(&loader),
            origin: origin.clone(),
            serving: watch::Sender::default(),
            publications: Retried::new("results are not published"),
            running: AtomicU32::new(0),
            done: Arc::clone(&done),
        };
        tokio::select! {
            () = worked(Arc::new(host), stop) => return Ok(()),
            () = discover::removed(&context, queue), if settings.queue.is_none() => {
                tracing::info!(%queue, "queue was removed, looking for another");
            }
        }
    }
}

/// Works on a queue until `stop`, and then to the end of the tasks in hand.
async fn worked(host: Arc<Host>, stop: &CancellationToken) {
    let mut beside = JoinSet::new();
    beside.spawn(served::follow(Arc::clone(&host)));
    beside.spawn(signs::beat(Arc::clone(&host)));
    beside.spawn(prune(host.store.clone(), host.settings.store_bytes));
    let mut working = JoinSet::new();
    for _ in 0..host.settings.workers + SLOTS_MORE {
        working.spawn(slot::work(Arc::clone(&host), stop.clone()));
    }
    stop.cancelled().await;
    let finished = timeout(host.settings.shutdown, async { while working.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!("shutdown timeout, unfinished tasks go to other hosts");
    }
}

/// The base URL that results name.
fn origin(settings: &WorkSettings, listening: SocketAddr) -> String {
    if let Some(origin) = &settings.origin {
        return origin.as_str().trim_end_matches('/').to_owned();
    }
    let address = if listening.ip().is_unspecified() {
        let towards = settings.origins.bases().iter().find_map(address_towards);
        SocketAddr::new(towards.unwrap_or(listening.ip()), listening.port())
    } else {
        listening
    };
    format!("http://{address}")
}

/// The address of this machine that a host at this URL sees. Nothing is sent.
fn address_towards(url: &Url) -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    let target = url.socket_addrs(|| None).ok()?.into_iter().find(SocketAddr::is_ipv4)?;
    socket.connect(target).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Keeps the store within its size.
async fn prune(store: LocalStore, total_bytes: u64) {
    let retention = Retention { total_bytes, ..Retention::default() };
    loop {
        let pruning = store.clone();
        let pruned = tokio::task::spawn_blocking(move || pruning.prune(&retention, SystemTime::now(), |_| false)).await;
        if let Ok(Err(error)) = pruned {
            tracing::warn!(error = %ErrorChain(&error), "content store not pruned");
        }
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}
