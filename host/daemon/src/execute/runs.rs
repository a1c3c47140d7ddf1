//! The needs of a run of a rule, wherever it happens.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use refiner_content::Content;
use refiner_journal::{Artifact, Item};

use crate::{engine::policy::StageError, observe::trace::Tracer, rules::Rule, state::content::StageContent};

/// The rules that run, and where their specimens and artifacts are. Clones share all of it.
#[derive(Clone)]
pub struct RuleRuns {
    rules: Arc<BTreeMap<B256, Rule>>,
    pub content: StageContent,
    pub tracer: Tracer,
    /// True where a pinner takes artifacts from memory.
    hands_over: bool,
}

impl RuleRuns {
    /// Runs of these rules.
    pub fn new(rules: Vec<Rule>, content: StageContent, tracer: Tracer, hands_over: bool) -> Self {
        let rules = rules.into_iter().map(|rule| (rule.identity, rule)).collect();
        Self { rules: Arc::new(rules), content, tracer, hands_over }
    }

    /// The rule of an item.
    ///
    /// # Errors
    ///
    /// [`StageError::NoRule`] where the operator took it out of the configuration.
    pub fn rule(&self, item: &Item) -> Result<&Rule, StageError> {
        self.rules.get(&item.rule).ok_or_else(|| StageError::NoRule { name: item.rule_name.clone() })
    }

    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// Keeps what a rule produced, and leaves it for the pinner where there is one. Blocks.
    pub fn keep(
        &self,
        name: String,
        media_type: String,
        sha256: B256,
        content: Content,
    ) -> Result<Artifact, StageError> {
        let (cid, bytes) = (self.content.keep(&content)?, content.bytes().len() as u64);
        if self.hands_over {
            self.content.hand_over(content);
        }
        Ok(Artifact { name, media_type, sha256, bytes, cid: cid.to_string() })
    }
}
