//! The terms of a data set: rules, engine and form of the output. Files of different terms do not belong together.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::Difference;

/// Everything but the specimens that decides about the bytes of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    /// Id of the engine that runs the rules.
    pub engine_profile: B256,
    /// The rules by their names.
    pub rules: Vec<RuleTerms>,
    /// The form of the files.
    pub output: OutputTerms,
}

/// A rule of a data set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleTerms {
    /// Name of the rule.
    pub name: String,
    /// Its version, by its manifest.
    pub version: String,
    /// Identity of rule, parameters, limits, engine and terms of execution.
    pub identity: B256,
    /// Parameters of the run.
    pub params: BTreeMap<String, String>,
    /// Its results are hypothetical: it executes blocks under other conditions than their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hypothetical: bool,
}

/// The form of the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "form", deny_unknown_fields)]
pub enum OutputTerms {
    /// Each artifact as its rule wrote it, a file a specimen.
    Artifacts,
    /// Tables of many blocks.
    Table {
        /// `parquet`, `csv` or `arrow`.
        format: String,
        /// Most blocks of a file.
        blocks_per_file: u64,
        /// The form of wide numbers.
        wide_numbers: String,
        /// Columns of each table, `rule/output`.
        columns: BTreeMap<String, Vec<ColumnTerms>>,
    },
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ColumnTerms {
    /// Name of the column.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Terms {
    /// The first difference to the terms `asked` by another run.
    pub fn difference(&self, asked: &Self) -> Option<Difference> {
        let list = |terms: &Self| {
            let names: Vec<_> = terms.rules.iter().map(|rule| rule.name.clone()).collect();
            names.join(", ")
        };
        if list(self) != list(asked) {
            return Some(Difference::new("rules", &list(self), &list(asked)));
        }
        let rules = self.rules.iter().zip(&asked.rules).find(|(there, asked)| there != asked);
        if let Some((there, asked)) = rules {
            return Some(Difference::new("rule", &there.summary(), &asked.summary()));
        }
        if self.engine_profile != asked.engine_profile {
            let text = |profile: &B256| profile.to_string();
            return Some(Difference::new("engine", &text(&self.engine_profile), &text(&asked.engine_profile)));
        }
        if self.output != asked.output {
            let text = |output: &OutputTerms| serde_json::to_string(output).unwrap_or_default();
            return Some(Difference::new("output", &text(&self.output), &text(&asked.output)));
        }
        None
    }
}

impl RuleTerms {
    fn summary(&self) -> String {
        let Self { name, version, identity, params, .. } = self;
        let params: Vec<_> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let with = if params.is_empty() { String::new() } else { format!(" with {}", params.join(", ")) };
        format!("{name} {version}{with}, identity {identity}")
    }
}
