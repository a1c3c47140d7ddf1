//! The way to the NATS servers: addresses, TLS and the key that names this process there.

use std::{
    collections::HashMap,
    fmt, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{Client, ConnectOptions, Event, ServerAddr, connection::State, jetstream};
use percent_encoding::percent_decode_str;
use refiner_config::{Values, table};
use refiner_diagnostics::{Diagnostic as _, ErrorChain};
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
/// Time between two lines about a connection that does not come to stand, or about the same refusal.
const FAULT_AGAIN: Duration = Duration::from_secs(60);
/// Refusals that are known to have a line already: each may name another subject.
const REFUSALS_MAX: usize = 16;
/// Pause between two looks at whether the connection stands.
const LOOK: Duration = Duration::from_millis(50);
/// Access of group and others.
const OTHERS: u32 = 0o077;
/// Bytes of a file with a seed, which has 58 characters.
const SEED_FILE_BYTES_MAX: u64 = 4_096;

/// Addresses and credentials of NATS.
#[derive(Clone)]
pub struct Connection {
    /// Without credentials: the client logs addresses.
    servers: Vec<ServerAddr>,
    /// From the addresses. The client has one user for all servers, those that it learns of included.
    credentials: Option<Credentials>,
    seed: Option<String>,
    authority: Option<PathBuf>,
}

/// The credentials before the `@` of an address.
#[derive(Clone, PartialEq, Eq)]
enum Credentials {
    User { name: String, password: String },
    Token(String),
}

impl fmt::Debug for Connection {
    /// Credentials and the seed are secrets.
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
        let (servers, credentials) = servers(&texts)?;
        let seed = values.get(&table::QUEUE_NKEY).map(|path| seed(&path)).transpose()?;
        Ok(Some(Self { servers, credentials, seed, authority: values.get(&table::QUEUE_CA) }))
    }

    /// A client that connects by itself, again and again; `name` is what the servers show of it. A host's answers
    /// arrive at its own place.
    pub(crate) async fn client(&self, name: &str, host: Option<&HostName>) -> Result<Client, QueueError> {
        let watch = Arc::new(Watch {
            connection: self.clone(),
            is_host: host.is_some(),
            told: Mutex::default(),
            refusals: Mutex::default(),
        });
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

    /// TLS, credentials and the key.
    fn options(&self) -> ConnectOptions {
        let mut options = ConnectOptions::new();
        // The client reads none from an address.
        match &self.credentials {
            Some(Credentials::User { name, password }) => {
                options = options.user_and_password(name.clone(), password.clone());
            }
            Some(Credentials::Token(token)) => options = options.token(token.clone()),
            None => {}
        }
        if let Some(seed) = &self.seed {
            options = options.nkey(seed.clone());
        }
        if let Some(path) = &self.authority {
            options = options.add_root_certificates(path.clone()).require_tls(true);
        }
        options
    }
}

/// The servers, and the credentials that one or more of their addresses have.
fn servers(texts: &[String]) -> Result<(Vec<ServerAddr>, Option<Credentials>), QueueError> {
    let (mut servers, mut all) = (Vec::new(), None);
    for text in texts {
        let (server, credentials) = server(text).ok_or(QueueError::Address)?;
        servers.push(server);
        match (&all, credentials) {
            (Some(before), Some(credentials)) if *before != credentials => return Err(QueueError::Credentials),
            (None, Some(credentials)) => all = Some(credentials),
            (Some(_) | None, _) => {}
        }
    }
    Ok((servers, all))
}

/// A server without the credentials in its address, and those. A name without a password is a token, as for every client of NATS.
fn server(text: &str) -> Option<(ServerAddr, Option<Credentials>)> {
    let address: ServerAddr = text.parse().ok()?;
    let decoded = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let credentials = match (address.username(), address.password()) {
        (None, None) => return Some((address, None)),
        (Some(token), None) => Credentials::Token(decoded(token)?),
        (name, Some(password)) => {
            Credentials::User { name: decoded(name.unwrap_or_default())?, password: decoded(password)? }
        }
    };
    let mut url = address.into_inner();
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some((ServerAddr::from_url(url).ok()?, Some(credentials)))
}

/// Tells an operator what keeps a connection from standing: without it a process that may not do its work waits for ever.
struct Watch {
    connection: Connection,
    /// A coordinator tells of its connection itself.
    is_host: bool,
    // Locks because the client tells of each event in a task of its own; held for an assignment.
    /// When the reason was looked for last.
    told: Mutex<Option<Instant>>,
    /// When each refusal was told of last.
    refusals: Mutex<HashMap<UntrustedText, Instant>>,
}

impl Watch {
    async fn happened(&self, event: &Event) {
        match event {
            Event::ClientError(_) => self.failed().await,
            Event::ServerError(error) => self.refused(&UntrustedText::new(&error.to_string())),
            Event::Connected if self.is_host => tracing::info!("NATS connected"),
            Event::Disconnected if self.is_host => tracing::warn!("NATS does not answer, tasks in hand go on"),
            other => tracing::debug!(event = %other, "connection to NATS"),
        }
    }

    /// The client tries to connect several times a second, and says each time only that it failed.
    async fn failed(&self) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|told| told.elapsed() < FAULT_AGAIN) {
                return;
            }
            *told = Some(Instant::now());
        }
        if let Some(fault) = self.connection.fault().await {
            let reason = UntrustedText::new(&ErrorChain(&fault).to_string());
            tracing::warn!(%reason, hint = fault.hint().as_deref(), "NATS is not reached, tried again");
        }
    }

    /// A refusal is for the operator too, each once in a while.
    fn refused(&self, reason: &UntrustedText) {
        {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            refusals.retain(|_, told| told.elapsed() < FAULT_AGAIN);
            if refusals.contains_key(reason) || refusals.len() >= REFUSALS_MAX {
                return;
            }
            refusals.insert(reason.clone(), Instant::now());
        }
        tracing::error!(%reason, hint = "compare --queue-nkey, --queue-id and --host-name with the user in the configuration of NATS", "NATS refuses");
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

    impl Connection {
        /// One server.
        pub(crate) fn to(url: &str) -> Self {
            Self { servers: vec![url.parse().expect("an address")], credentials: None, seed: None, authority: None }
        }
    }

    #[test]
    fn credentials_of_an_address_are_decoded_and_leave_it() {
        let user = |name: &str, password: &str| {
            Some(Credentials::User { name: name.to_owned(), password: password.to_owned() })
        };
        for (text, address, expected) in [
            ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222", None),
            ("nats://u:p@127.0.0.1:4222", "nats://127.0.0.1:4222", user("u", "p")),
            ("u:p@127.0.0.1", "nats://127.0.0.1", user("u", "p")),
            ("tls://a%40b:p%2Fw%25@nats.example", "tls://nats.example", user("a@b", "p/w%")),
            ("nats://t0ken@127.0.0.1", "nats://127.0.0.1", Some(Credentials::Token("t0ken".to_owned()))),
        ] {
            let (server, credentials) = server(text).unwrap();
            assert_eq!(server.as_url_str(), address);
            assert!(credentials == expected, "{text}");
        }
        assert!(server("nats://u:%ff@127.0.0.1").is_none(), "no text");
    }

    #[test]
    fn addresses_of_a_cluster_have_one_user() {
        let read = |texts: &[&str]| servers(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let (both, credentials) = read(&["nats://u:p@a", "nats://b"]).unwrap();
        assert!(both.len() == 2 && credentials.is_some());
        assert!(read(&["nats://u:p@a", "nats://u:p@b"]).is_ok());
        let error = read(&["nats://u:p@a", "nats://u:secret@b"]).err().unwrap();
        assert!(matches!(error, QueueError::Credentials) && !error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn refusal_is_told_of_once_and_many_different_ones_are_not_all() {
        let watch = Watch {
            connection: Connection { servers: Vec::new(), credentials: None, seed: None, authority: None },
            is_host: true,
            told: Mutex::default(),
            refusals: Mutex::default(),
        };
        for number in 0..3 * REFUSALS_MAX {
            watch.refused(&UntrustedText::new(&number.to_string()));
            watch.refused(&UntrustedText::new("0"));
        }
        assert_eq!(watch.refusals.lock().unwrap().len(), REFUSALS_MAX);
    }

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
            servers: vec!["nats://127.0.0.1".parse().unwrap()],
            credentials: Some(Credentials::User { name: "user".to_owned(), password: "secret".to_owned() }),
            seed: Some(seed.clone()),
            authority: None,
        };
        let shown = format!("{connection:?}");
        assert!(!shown.contains(&seed) && !shown.contains("secret"), "{shown}");
        fs::write(&path, "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4\n").unwrap();
        assert!(matches!(super::seed(&path), Err(QueueError::NoSeed { .. })));
    }
}
