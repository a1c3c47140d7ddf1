//! The way to the NATS servers: addresses, TLS and the key that names this process there.

use std::{
    fmt, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{Client, ConnectOptions, Event, ServerAddr, connection::State, jetstream};
use refiner_config::{Values, table};
use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;
use tokio::time::timeout;

use crate::{
    QueueError,
    limits::{PAYLOAD_BYTES_MIN, REQUEST},
    names::{HostName, inbox},
};

/// Longest pause between two tries to connect.
const RECONNECT_MAX: Duration = Duration::from_secs(2);
/// The first of them.
const RECONNECT: Duration = Duration::from_millis(100);
/// Time between two lines about a connection that does not come to stand.
const FAULT_AGAIN: Duration = Duration::from_secs(60);
/// Pause between two looks at whether the connection stands.
const LOOK: Duration = Duration::from_millis(50);
/// Access of group and others.
const OTHERS: u32 = 0o077;
/// Bytes of a file with a seed, which has 58 characters.
const SEED_FILE_BYTES_MAX: u64 = 4_096;

/// Addresses and credentials of NATS.
#[derive(Clone)]
pub struct Connection {
    servers: Vec<ServerAddr>,
    seed: Option<String>,
    authority: Option<PathBuf>,
}

impl fmt::Debug for Connection {
    /// Addresses may carry credentials, and the seed is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("servers", &self.servers.len()).finish_non_exhaustive()
    }
}

impl Connection {
    /// As the settings give it; `None` where no server is named.
    ///
    /// # Errors
    ///
    /// [`QueueError::Address`] and those of the file with the seed.
    pub fn of(values: &Values) -> Result<Option<Self>, QueueError> {
        let texts = values.get(&table::QUEUE);
        if texts.is_empty() {
            return Ok(None);
        }
        let read = |text: &String| text.parse().map_err(|_| QueueError::Address);
        let servers = texts.iter().map(read).collect::<Result<_, _>>()?;
        let seed = values.get(&table::QUEUE_NKEY).map(|path| seed(&path)).transpose()?;
        Ok(Some(Self { servers, seed, authority: values.get(&table::QUEUE_CA) }))
    }

    /// A client that connects by itself, again and again; `name` is what the servers show of it. A host's answers
    /// arrive at its own place.
    pub(crate) async fn client(&self, name: &str, host: Option<&HostName>) -> Result<Client, QueueError> {
        let watch = Arc::new(Watch { connection: self.clone(), told: Mutex::default() });
        let mut options = self
            .options()
            .name(name)
            .retry_on_initial_connect()
            .request_timeout(Some(REQUEST))
            .reconnect_delay_callback(|tries| {
                RECONNECT.saturating_mul(u32::try_from(tries).unwrap_or(u32::MAX)).min(RECONNECT_MAX)
            })
            .event_callback(move |event| {
                let watch = Arc::clone(&watch);
                async move { drop(tokio::spawn(async move { watch.happened(&event).await })) }
            });
        if let Some(host) = host {
            options = options.custom_inbox_prefix(inbox(host));
        }
        options.connect(self.servers.as_slice()).await.map_err(QueueError::Connect)
    }

    /// The reason that no connection stands, by one try: a client that tries again and again keeps it to itself.
    pub(crate) async fn fault(&self) -> Option<QueueError> {
        let tried = timeout(REQUEST, self.options().connect(self.servers.as_slice())).await;
        match tried {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(QueueError::Connect(error)),
            Err(elapsed) => Some(QueueError::of("connecting")(elapsed)),
        }
    }

    /// TLS and the key.
    fn options(&self) -> ConnectOptions {
        let mut options = ConnectOptions::new();
        if let Some(seed) = &self.seed {
            options = options.nkey(seed.clone());
        }
        if let Some(path) = &self.authority {
            options = options.add_root_certificates(path.clone()).require_tls(true);
        }
        options
    }
}

/// Tells an operator what keeps a connection from standing: without it a process that may not do its work waits for ever.
struct Watch {
    connection: Connection,
    /// When the reason was looked for last.
    told: Mutex<Option<Instant>>,
}

impl Watch {
    async fn happened(&self, event: &Event) {
        told(event);
        if !matches!(event, Event::ClientError(_)) {
            return;
        }
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|told| told.elapsed() < FAULT_AGAIN) {
                return;
            }
            *told = Some(Instant::now());
        }
        if let Some(fault) = self.connection.fault().await {
            let reason = UntrustedText::new(&ErrorChain(&fault).to_string());
            tracing::warn!(%reason, "NATS is not reached, tried again");
        }
    }
}

/// A refusal is for the operator too.
fn told(event: &Event) {
    match event {
        Event::ServerError(error) => {
            let reason = UntrustedText::new(&error.to_string());
            tracing::error!(%reason, hint = "compare --queue-nkey, --queue-id and --host-name with the user in the configuration of NATS", "NATS refuses");
        }
        other => tracing::debug!(event = %other, "connection to NATS"),
    }
}

/// True while the connection stands.
pub(crate) fn is_connected(client: &Client) -> bool {
    client.connection_state() == State::Connected
}

/// Waits until the connection stands.
pub(crate) async fn connected(client: &Client) {
    while !is_connected(client) {
        tokio::time::sleep(LOOK).await;
    }
}

/// The streams behind a connection that stands, where its server takes messages as long as ours.
pub(crate) fn streams(client: &Client) -> Result<jetstream::Context, QueueError> {
    let found = client.max_payload();
    if found < PAYLOAD_BYTES_MIN {
        return Err(QueueError::Payload { found, expected: PAYLOAD_BYTES_MIN });
    }
    Ok(jetstream::ContextBuilder::new().timeout(REQUEST).ack_timeout(REQUEST).build(client.clone()))
}

/// The seed of an nkey, from a file that only its owner may read.
fn seed(path: &Path) -> Result<String, QueueError> {
    let failed = |source| QueueError::Seed { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.mode() & OTHERS != 0 {
        return Err(QueueError::SeedIsShared { path: path.to_owned(), mode: metadata.mode() & 0o777 });
    }
    if metadata.len() > SEED_FILE_BYTES_MAX {
        return Err(QueueError::NoSeed { path: path.to_owned() });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let seed = text.lines().map(str::trim).find(|line| line.starts_with("SU"));
    seed.map(str::to_owned).ok_or_else(|| QueueError::NoSeed { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn seed_is_read_from_a_file_of_its_owner_alone_and_shown_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.nk");
        fs::write(&path, "# a host\nSUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(seed(&path), Err(QueueError::SeedIsShared { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let seed = seed(&path).unwrap();
        let connection = Connection {
            servers: vec!["nats://user:secret@127.0.0.1".parse().unwrap()],
            seed: Some(seed.clone()),
            authority: None,
        };
        let shown = format!("{connection:?}");
        assert!(!shown.contains(&seed) && !shown.contains("secret"), "{shown}");
        fs::write(&path, "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4\n").unwrap();
        assert!(matches!(super::seed(&path), Err(QueueError::NoSeed { .. })));
    }
}
