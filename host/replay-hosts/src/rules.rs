//! The rules of a replay, as hosts learn of them.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use refiner_content::{Content, serve::ContentName};
use refiner_evm::ExecutionPolicy;
use refiner_queue::RuleRecord;
use refiner_rule_model::Limits;
use refiner_rule_session::LoadedRule;
use refiner_specimen::sha256;

use crate::library::Library;

/// Name, media type and schema of an artifact that a rule's manifest lists.
type Output = (String, String, Option<String>);

/// A rule, as far as its tasks need it.
#[derive(Clone, Copy)]
pub(crate) struct TaskRule {
    pub identity: B256,
    pub limits: Limits,
}

impl From<&LoadedRule> for TaskRule {
    fn from(rule: &LoadedRule) -> Self {
        Self { identity: rule.identity, limits: rule.limits }
    }
}

/// The record of a rule with the artifacts that it may have. Its component is added to the library.
pub(crate) fn record(rule: &LoadedRule, policy: ExecutionPolicy, library: &Library) -> (RuleRecord, Vec<Output>) {
    let component = Content::of(rule.component.0.clone());
    library.add(ContentName::Id(component.id()), component.bytes().clone());
    let outputs = rule.place.manifest().outputs.iter();
    let outputs =
        outputs.map(|output| (output.name.clone(), output.media_type.clone(), output.schema.clone())).collect();
    let params: BTreeMap<_, _> = rule.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let record = RuleRecord {
        name: rule.name.to_string(),
        identity: rule.identity,
        digest: sha256(component.bytes()),
        cid: component.id().to_string(),
        bytes: component.bytes().len() as u64,
        beside: rule.beside.clone(),
        params,
        limits: rule.limits.iter().map(|(limit, value)| (limit.to_string(), value)).collect(),
        terms: policy.into(),
    };
    (record, outputs)
}
