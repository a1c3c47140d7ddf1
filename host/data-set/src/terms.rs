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
            return Some(self.output.difference(&asked.output));
        }
        None
    }
}

impl OutputTerms {
    /// The difference to another form: by the keys that differ, or else by the columns.
    fn difference(&self, asked: &Self) -> Difference {
        let differing = |there: Vec<(String, String)>, asked: Vec<(String, String)>| {
            let text = |these: &[(String, String)], others: &[(String, String)]| {
                let these = these.iter().filter(|field| !others.contains(field));
                these.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
            };
            let texts = (text(&there, &asked), text(&asked, &there));
            (there != asked).then_some(texts)
        };
        let form =
            differing(self.fields(), asked.fields()).map(|(there, asked)| Difference::new("output", &there, &asked));
        let columns = || {
            let (there, asked) = differing(self.columns(), asked.columns()).unwrap_or_default();
            // One can have the other's columns and more, or the same in another order.
            let of_none = if there.is_empty() && asked.is_empty() { "in another order" } else { "without these" };
            let shown = |text: String| if text.is_empty() { of_none.to_owned() } else { text };
            Difference::new("columns", &shown(there), &shown(asked))
        };
        form.unwrap_or_else(columns)
    }

    /// Everything but the columns, by the keys of the manifest.
    fn fields(&self) -> Vec<(String, String)> {
        let fields = match self {
            Self::Artifacts => vec![("form", "artifacts".to_owned())],
            Self::Table { format, blocks_per_file, wide_numbers, columns: _ } => vec![
                ("form", "table".to_owned()),
                ("format", format.clone()),
                ("blocksPerFile", blocks_per_file.to_string()),
                ("wideNumbers", wide_numbers.clone()),
            ],
        };
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Each column of each table with its type.
    fn columns(&self) -> Vec<(String, String)> {
        let Self::Table { columns, .. } = self else { return Vec::new() };
        let of_table = |(table, columns): (&String, &Vec<ColumnTerms>)| {
            let table = table.clone();
            let named =
                columns.clone().into_iter().map(move |column| (format!("{table}.{}", column.name), column.kind));
            named.collect::<Vec<_>>()
        };
        columns.iter().flat_map(of_table).collect()
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
