use std::str::FromStr;

use alloy_primitives::B256;
use refiner_content::ContentId;
use refiner_worker::FailureBlame;
use serde::{Deserialize, Serialize};

use super::{Message, MessageError, TaskId, few, within};
use crate::{
    limits::{LIST_MAX, REASON_BYTES_MAX, REPORT_TEXT_BYTES_MAX, RESULT_BYTES_MAX, TEXT_BYTES_MAX},
    names::HostName,
};

/// An artifact that a host keeps: what it is, and what it must be when it is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactRef {
    /// Name, unique within the run.
    pub name: String,
    /// Media type that the rule gave.
    pub media_type: String,
    /// Schema that the rule gave.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schema: Option<String>,
    /// sha256 of the bytes.
    pub sha256: B256,
    /// Its length, in bytes.
    pub bytes: u64,
    /// Content id.
    pub cid: String,
}

impl ArtifactRef {
    pub(crate) fn id(&self) -> Result<ContentId, MessageError> {
        ContentId::from_str(&self.cid).map_err(|_| MessageError::Field { field: "artifacts.cid" })
    }
}

/// The part that is to blame for a run without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Blame {
    /// The host's surroundings: another try helps, there or elsewhere.
    Infrastructure,
    /// Bad luck, or the specimen's: another few tries tell.
    Doubtful,
    /// The specimen or the rule: the same would happen again.
    Final,
}

impl From<FailureBlame> for Blame {
    fn from(blame: FailureBlame) -> Self {
        match blame {
            FailureBlame::Surroundings => Self::Infrastructure,
            FailureBlame::Doubtful => Self::Doubtful,
            FailureBlame::Final => Self::Final,
        }
    }
}

/// The end of a task on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Outcome {
    /// The rule produced artifacts, which the host keeps.
    Produced {
        artifacts: Vec<ArtifactRef>,
        /// `execution` or `receipts`, for a rule that asks for an execution.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        basis: Option<String>,
        /// The reason that receipts stood in for an execution.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        basis_reason: Option<String>,
    },
    /// The rule came to another verdict.
    Refused {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        class: Option<String>,
    },
    /// There is no verdict.
    Failed { blame: Blame, text: String },
    /// It was delivered too often without a result, and was not run again.
    Poisoned,
    /// A second opinion that came to the host of the first. The coordinator publishes the task again.
    PassedOn,
}

/// The time of a part of the run, for the coordinator's trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpanTime {
    /// Number of the phase.
    pub phase: u8,
    /// Since the run began.
    pub start_us: u64,
    /// Time that it took.
    pub duration_us: u64,
}

/// The message of a host when a task came to its end there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TaskResult {
    pub v: u32,
    pub task: TaskId,
    pub attempt: String,
    pub chain: u64,
    pub specimen: B256,
    pub rule: B256,
    pub worker: HostName,
    /// Of the host's program.
    pub version: String,
    pub outcome: Outcome,
    /// Origins of the artifacts; the coordinator asks only those that it is permitted to.
    pub from: Vec<String>,
    /// Deliveries of the task, this one included.
    pub delivered: u32,
    pub elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub spans: Vec<SpanTime>,
    /// Verdict, usage, log and evidence of the run, where the task asks for them: a report of the worker protocol in base64.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub report: Option<String>,
}

impl TaskResult {
    /// Reads a result that was published at this subject, which is its host's own.
    pub fn read_from(subject: &str, bytes: &[u8]) -> Result<Self, MessageError> {
        let result = Self::read(bytes)?;
        if HostName::of_subject(subject).as_ref() != Some(&result.worker) {
            return Err(MessageError::Subject);
        }
        Ok(result)
    }

    /// True where both are the same: the same artifacts byte for byte, or the same refusal.
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (&self.outcome, &other.outcome) {
            (Outcome::Produced { artifacts: one, .. }, Outcome::Produced { artifacts: other, .. }) => {
                let key = |artifact: &ArtifactRef| (artifact.name.clone(), artifact.sha256, artifact.bytes);
                one.iter().map(key).eq(other.iter().map(key))
            }
            (Outcome::Refused { reason: one, .. }, Outcome::Refused { reason: other, .. }) => one == other,
            _ => false,
        }
    }

    /// True where the host may not run the task.
    pub const fn is_passed_on(&self) -> bool {
        matches!(self.outcome, Outcome::PassedOn)
    }

    /// True for a verdict, which every host comes to.
    pub const fn is_verdict(&self) -> bool {
        matches!(self.outcome, Outcome::Produced { .. } | Outcome::Refused { .. })
    }
}

impl Message for TaskResult {
    const BYTES_MAX: usize = RESULT_BYTES_MAX;

    fn version(&self) -> u32 {
        self.v
    }

    fn check(&self) -> Result<(), MessageError> {
        within("attempt", &self.attempt, TEXT_BYTES_MAX)?;
        within("version", &self.version, TEXT_BYTES_MAX)?;
        few("from", &self.from, LIST_MAX)?;
        self.from.iter().try_for_each(|origin| within("from", origin, TEXT_BYTES_MAX))?;
        within("report", self.report.as_deref().unwrap_or_default(), REPORT_TEXT_BYTES_MAX)?;
        few("spans", &self.spans, LIST_MAX)?;
        if self.task != TaskId::of(self.chain, self.specimen, self.rule) {
            return Err(MessageError::Field { field: "task" });
        }
        match &self.outcome {
            Outcome::Produced { artifacts, basis, basis_reason } => {
                few("artifacts", artifacts, LIST_MAX)?;
                for ArtifactRef { name, media_type, schema, cid, .. } in artifacts {
                    within("artifacts.name", name, TEXT_BYTES_MAX)?;
                    within("artifacts.mediaType", media_type, TEXT_BYTES_MAX)?;
                    within("artifacts.schema", schema.as_deref().unwrap_or_default(), TEXT_BYTES_MAX)?;
                    within("artifacts.cid", cid, TEXT_BYTES_MAX)?;
                }
                artifacts.iter().try_for_each(|artifact| artifact.id().map(drop))?;
                within("basis", basis.as_deref().unwrap_or_default(), TEXT_BYTES_MAX)?;
                within("basisReason", basis_reason.as_deref().unwrap_or_default(), REASON_BYTES_MAX)
            }
            Outcome::Refused { reason, class } => {
                within("reason", reason, REASON_BYTES_MAX)?;
                within("class", class.as_deref().unwrap_or_default(), TEXT_BYTES_MAX)
            }
            Outcome::Failed { text, .. } => within("text", text, REASON_BYTES_MAX),
            Outcome::Poisoned | Outcome::PassedOn => Ok(()),
        }
    }
}
