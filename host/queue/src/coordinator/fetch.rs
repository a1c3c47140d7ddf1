//! The artifacts of a result: bounded before they are fetched, hashed after.

use std::sync::Arc;

use refiner_content::serve::ContentName;
use refiner_rule_model::{Artifact, Limit, Run, Verdict};
use refiner_specimen::sha256;

use super::{ReceivedArtifact, Shared};
use crate::{
    message::{ArtifactRef, MessageError, Outcome, TaskResult, refusal, reported},
    origins::Unfetched,
};

/// Reasons for which a result's artifacts are not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// More artifacts, or more bytes, than its rule is granted.
    #[error("{stated} {limit} stated, and the rule is granted {granted}")]
    OverGrant { limit: Limit, stated: u64, granted: u64 },
    /// An artifact that the rule's manifest does not list, or lists otherwise, or one named twice.
    #[error("an artifact that the rule's manifest does not list once")]
    Unlisted,
    /// A result of a rule that is not served.
    #[error("the rule is not served")]
    NoRule,
    /// A field that is not of its form.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// No permitted origin gave it, with the length and the hash that were stated.
    #[error("an artifact was not fetched")]
    Fetch(#[from] Unfetched),
    /// A report of another verdict than the result's, or none where it was asked for.
    #[error("the report of the run is missing, or of another verdict")]
    Report,
}

impl Shared {
    pub(super) async fn fetch(
        &self,
        result: &TaskResult,
        stated: &[ArtifactRef],
    ) -> Result<Vec<ReceivedArtifact>, Unusable> {
        self.check(result, stated)?;
        let from = self.settings.origins.select(&result.from);
        let mut artifacts = Vec::with_capacity(stated.len());
        for reference in stated {
            let room = usize::try_from(reference.bytes).unwrap_or(usize::MAX);
            // Never closed.
            let _turn = self.fetches.acquire().await.ok();
            let (name, stated) = (ContentName::Id(reference.id()?), reference.sha256);
            let accept = Arc::new(move |bytes: &[u8]| sha256(bytes) == stated);
            let bytes = self.settings.origins.fetch_known(&from, &name, room, accept, &self.buffers).await?;
            artifacts.push(ReceivedArtifact { reference: reference.clone(), bytes });
        }
        Ok(artifacts)
    }

    /// The report of the run, where it was asked for; it is of the verdict that the result has.
    pub(super) fn report(&self, result: &TaskResult, wanted: bool) -> Result<Option<Box<Run>>, Unusable> {
        if !wanted {
            return Ok(None);
        }
        let (rule, _) = self.rule(&result.rule).ok_or(Unusable::NoRule)?;
        let run = reported(result.report.as_deref().ok_or(Unusable::Report)?, &rule.limits()?)?;
        let agrees = match (&result.outcome, &run.verdict) {
            (Outcome::Produced { .. }, Verdict::Produced { .. }) => true,
            (Outcome::Refused { reason, .. }, verdict) => *reason == refusal(verdict),
            _ => false,
        };
        if agrees { Ok(Some(Box::new(run))) } else { Err(Unusable::Report) }
    }

    fn check(&self, result: &TaskResult, stated: &[ArtifactRef]) -> Result<(), Unusable> {
        let (rule, outputs) = self.rule(&result.rule).ok_or(Unusable::NoRule)?;
        let limits = rule.limits()?;
        let bytes = stated.iter().fold(0_u64, |sum, artifact| sum.saturating_add(artifact.bytes));
        for (limit, stated) in [(Limit::Artifacts, stated.len() as u64), (Limit::OutputBytes, bytes)] {
            let granted = limits.get(limit);
            if stated > granted {
                return Err(Unusable::OverGrant { limit, stated, granted });
            }
        }
        for (index, ArtifactRef { name, media_type, schema, .. }) in stated.iter().enumerate() {
            let is_twice = stated[..index].iter().any(|other| other.name == *name);
            let labels = (name, media_type, schema);
            let is_listed = outputs.iter().any(|(name, media_type, schema)| (name, media_type, schema) == labels);
            if is_twice || !is_listed || Artifact::check_labels(name, media_type, schema.as_deref()).is_err() {
                return Err(Unusable::Unlisted);
            }
        }
        Ok(())
    }
}
