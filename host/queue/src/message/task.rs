use std::{fmt, str::FromStr};

use alloy_primitives::B256;
use refiner_content::{ContentId, serve::ContentName};
use refiner_worker::TraceContext;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Message, MessageError, few, within};
use crate::{
    limits::{LIST_MAX, TASK_BYTES_MAX, TEXT_BYTES_MAX},
    names::HostName,
};

/// Bytes of a `traceparent` of version 00.
const TRACEPARENT_BYTES: usize = 55;

/// The name of a task: two tasks of one name have one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub(crate) B256);

impl TaskId {
    /// The name of the work of a rule, by its identity, on a specimen.
    #[must_use]
    pub fn of(chain: u64, specimen: B256, rule: B256) -> Self {
        let mut hash = Sha256::new();
        hash.update(chain.to_be_bytes());
        hash.update(specimen);
        hash.update(rule);
        Self(B256::from(<[u8; 32]>::from(hash.finalize())))
    }

    /// The first bytes as a number, by which a share of tasks is chosen.
    pub(crate) fn number(self) -> u64 {
        self.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// The specimen of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Specimen {
    /// As it was announced.
    pub hash: B256,
    /// Its content id; without one it is found by the hash.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cid: Option<String>,
    pub bytes: u64,
}

/// One specimen for one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    v: u32,
    task: TaskId,
    /// Differs where the task is published for another reason than a lost acknowledgement.
    pub(crate) attempt: String,
    pub(crate) chain: u64,
    pub(crate) height: u64,
    pub(crate) block_hash: B256,
    pub(crate) specimen: Specimen,
    /// Identity of the rule, whose record has the rest.
    pub(crate) rule: B256,
    /// Origins that have the specimen; a host asks only those that it is permitted to.
    pub(crate) from: Vec<String>,
    /// A host that may not run it, because a second opinion is wanted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) not: Option<HostName>,
    /// Processor time of the run at most.
    pub(crate) wall_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    traceparent: Option<String>,
    /// True where the result is to have the whole report of the run.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) report: bool,
}

impl Task {
    /// The work of a rule on a specimen that the coordinator's store has under this content id, or that the coordinator serves by its hash.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is a field of the message")]
    pub fn new(
        chain: u64,
        height: u64,
        block_hash: B256,
        specimen: B256,
        cid: Option<&str>,
        bytes: u64,
        rule: B256,
        wall_ms: u64,
        trace: Option<&TraceContext>,
    ) -> Self {
        Self {
            v: super::VERSION,
            task: TaskId::of(chain, specimen, rule),
            attempt: String::new(),
            chain,
            height,
            block_hash,
            specimen: Specimen { hash: specimen, cid: cid.map(str::to_owned), bytes },
            rule,
            from: Vec::new(),
            not: None,
            wall_ms,
            traceparent: trace.map(traceparent),
            report: false,
        }
    }

    /// The same, with a result that has the log, the usage and the evidence of the run.
    #[must_use]
    pub fn with_report(self) -> Self {
        Self { report: true, ..self }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> TaskId {
        self.task
    }

    /// The name by which its specimen is fetched.
    pub(crate) fn specimen_name(&self) -> Result<ContentName, MessageError> {
        let Some(cid) = &self.specimen.cid else { return Ok(ContentName::Announced(self.specimen.hash.0)) };
        let id = ContentId::from_str(cid).map_err(|_| MessageError::Field { field: "specimen.cid" })?;
        Ok(ContentName::Id(id))
    }

    /// Its place in a trace.
    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.traceparent.as_deref().and_then(trace_context)
    }
}

impl Message for Task {
    const BYTES_MAX: usize = TASK_BYTES_MAX;

    fn version(&self) -> u32 {
        self.v
    }

    fn check(&self) -> Result<(), MessageError> {
        within("attempt", &self.attempt, TEXT_BYTES_MAX)?;
        within("specimen.cid", self.specimen.cid.as_deref().unwrap_or_default(), TEXT_BYTES_MAX)?;
        few("from", &self.from, LIST_MAX)?;
        self.from.iter().try_for_each(|origin| within("from", origin, TEXT_BYTES_MAX))?;
        self.specimen_name()?;
        if self.specimen.bytes > refiner_content::CONTENT_BYTES_MAX as u64 {
            return Err(MessageError::Bounds { field: "specimen.bytes" });
        }
        if self.task != TaskId::of(self.chain, self.specimen.hash, self.rule) {
            return Err(MessageError::Field { field: "task" });
        }
        if self.traceparent.is_some() && self.trace().is_none() {
            return Err(MessageError::Field { field: "traceparent" });
        }
        Ok(())
    }
}

/// <https://www.w3.org/TR/trace-context/#traceparent-header>
fn traceparent(TraceContext { trace, parent }: &TraceContext) -> String {
    format!("00-{}-{}-01", const_hex::encode(trace), const_hex::encode(parent))
}

fn trace_context(text: &str) -> Option<TraceContext> {
    let rest = text.strip_prefix("00-").filter(|_| text.len() == TRACEPARENT_BYTES)?;
    let (trace_text, rest) = rest.split_once('-')?;
    let (parent_text, _flags) = rest.split_once('-')?;
    let (mut trace, mut parent) = ([0; 16], [0; 8]);
    const_hex::decode_to_slice(trace_text, &mut trace).ok()?;
    const_hex::decode_to_slice(parent_text, &mut parent).ok()?;
    Some(TraceContext { trace, parent })
}
