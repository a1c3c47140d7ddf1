//! `refiner queue`.

use std::{io::Write as _, path::PathBuf};

use clap::Subcommand;
use nkeys::KeyPair;
use refiner_config::{Flags, scope};
use refiner_diagnostics::{ExitCode, Failure};

use crate::{
    QueueError,
    names::{HostName, QueueId, inbox},
    report::report,
};

/// `refiner queue`.
#[derive(Debug, Subcommand)]
#[command(after_help = ExitCode::TABLE)]
pub enum Command {
    /// Prints each queue with its coordinator, its tasks and the worker hosts that answer.
    Status {
        /// The way to NATS.
        #[command(flatten)]
        settings: Flags<scope::Queue>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Makes an nkey, for `--queue-nkey`, and prints its user with the least permissions for the configuration of NATS: a coordinator's, or
    /// that of the worker host of this name.
    Key {
        /// File of the seed, which must not be there.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The queue of the worker host, as its coordinator logs it.
        #[arg(long, value_name = "ID", requires = "host_name")]
        queue_id: Option<QueueId>,
        /// The worker host's name.
        #[arg(long, value_name = "NAME", requires = "queue_id")]
        host_name: Option<HostName>,
    },
}

/// Runs the command, and gives what it prints.
///
/// # Errors
///
/// [`QueueError`], and those of settings.
pub fn command(command: &Command) -> Result<String, Failure> {
    match command {
        Command::Status { settings, json } => Ok(report(&settings.values()?, *json)?),
        Command::Key { file, queue_id, host_name } => Ok(key(file, queue_id.zip(host_name.as_ref()))?),
    }
}

fn key(file: &PathBuf, host: Option<(QueueId, &HostName)>) -> Result<String, QueueError> {
    let pair = KeyPair::new_user();
    let seed = pair.seed().map_err(QueueError::of("making a key"))?;
    let failed = |source| QueueError::Seed { path: file.clone(), source };
    let mut to = refiner_permissions::options().write(true).create_new(true).open(file).map_err(failed)?;
    writeln!(to, "{seed}").and_then(|()| to.sync_all()).map_err(failed)?;
    let user = pair.public_key();
    Ok(match host {
        None => format!("{{ nkey: {user} }}\n"),
        Some((queue, name)) => format!("{{ nkey: {user}, permissions: {} }}\n", permissions(queue, name)),
    })
}

/// The least that a worker host needs: it takes tasks, reads the rules, and publishes under its own name.
fn permissions(queue: QueueId, name: &HostName) -> String {
    let (tasks, bucket) = (queue.tasks(), queue.bucket());
    let publish = [
        "$JS.API.STREAM.NAMES".to_owned(),
        format!("$JS.API.STREAM.INFO.KV_{bucket}"),
        format!("$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.rules"),
        format!("$JS.API.CONSUMER.INFO.{tasks}.*"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{tasks}.*"),
        format!("$JS.ACK.{tasks}.>"),
        format!("$JS.ACK.*.*.{tasks}.>"),
        queue.results_of(name),
        queue.heartbeat_of(name),
    ];
    let subscribe = [format!("{}.>", inbox(name)), queue.roll_call()];
    let list =
        |subjects: &[String]| subjects.iter().map(|subject| format!("\"{subject}\"")).collect::<Vec<_>>().join(", ");
    format!("{{ publish: {{ allow: [{}] }}, subscribe: {{ allow: [{}] }} }}", list(&publish), list(&subscribe))
}
