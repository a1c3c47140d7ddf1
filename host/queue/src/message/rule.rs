use std::{collections::BTreeMap, str::FromStr};

use alloy_primitives::B256;
use refiner_content::ContentId;
use refiner_evm::{ExecutedBy, ExecutionPolicy, ExecutionTerms};
use refiner_rule_model::{Limits, Params};
use serde::{Deserialize, Serialize};

use super::{Message, MessageError, few, within};
use crate::{
    limits::{RULES_BYTES_MAX, RULES_MAX, TEXT_BYTES_MAX},
    names::Generation,
};

/// The terms on which specimens are checked and blocks executed, by the executor in the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    senders: String,
    gas_bound: u64,
    basis: String,
    stateless_eras: bool,
}

impl From<ExecutionPolicy> for Terms {
    fn from(policy: ExecutionPolicy) -> Self {
        let ExecutionPolicy { senders, gas_bound, basis, stateless_eras } = policy;
        Self { senders: senders.to_string(), gas_bound, basis: basis.to_string(), stateless_eras }
    }
}

impl Terms {
    pub(crate) fn policy(&self) -> Result<ExecutionPolicy, MessageError> {
        Ok(ExecutionPolicy {
            senders: self.senders.parse().map_err(|_| MessageError::Field { field: "terms.senders" })?,
            gas_bound: self.gas_bound,
            basis: self.basis.parse().map_err(|_| MessageError::Field { field: "terms.basis" })?,
            stateless_eras: self.stateless_eras,
        })
    }

    pub(crate) fn execution(&self) -> Result<ExecutionTerms, MessageError> {
        Ok(ExecutionTerms { executed_by: ExecutedBy::Embedded, policy: self.policy()? })
    }
}

/// A rule as hosts learn of it: where it is, and everything that its results depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleRecord {
    /// The name it gives itself.
    pub name: String,
    /// Identity under these terms; a host of another build computes another.
    pub identity: B256,
    /// sha256 of the component.
    pub digest: B256,
    /// Content id of the component, in the coordinator's store.
    pub cid: String,
    /// Length of the component.
    pub bytes: u64,
    /// The text of the manifest beside a component that carries none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beside: Option<String>,
    /// Parameters that the operator gave.
    pub params: BTreeMap<String, String>,
    /// Limits that its runs are granted.
    pub limits: BTreeMap<String, u64>,
    /// Terms of execution.
    pub terms: Terms,
}

impl RuleRecord {
    pub(crate) fn component_id(&self) -> Result<ContentId, MessageError> {
        ContentId::from_str(&self.cid).map_err(|_| MessageError::Field { field: "cid" })
    }

    pub(crate) fn params(&self) -> Params {
        self.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The limits, each of which must be named.
    pub(crate) fn limits(&self) -> Result<Limits, MessageError> {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            limits.set_by_name(name, *value).map_err(|_| MessageError::Field { field: "limits" })?;
        }
        if limits.iter().count() != self.limits.len() {
            return Err(MessageError::Field { field: "limits" });
        }
        Ok(limits)
    }
}

/// Every rule of a coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rules {
    pub v: u32,
    /// That of the stream of tasks.
    pub generation: Generation,
    pub rules: Vec<RuleRecord>,
}

impl Message for Rules {
    const BYTES_MAX: usize = RULES_BYTES_MAX;

    fn version(&self) -> u32 {
        self.v
    }

    fn check(&self) -> Result<(), MessageError> {
        few("rules", &self.rules, RULES_MAX)?;
        for rule in &self.rules {
            within("name", &rule.name, TEXT_BYTES_MAX)?;
            within("cid", &rule.cid, TEXT_BYTES_MAX)?;
            rule.component_id()?;
            rule.limits()?;
            rule.terms.policy()?;
        }
        Ok(())
    }
}
