//! `refiner rule schema`: the form of the rows that a rule writes, by the columns of its manifest.

use refiner_diagnostics::{ExitCode, Failure};
use refiner_rows::json_schema;
use refiner_rule_model::manifest_of;
use refiner_table::{Layout, Options};

use super::{RuleError, arguments::Schema, session::PrepareError};
use crate::{rules::Sources, terminal};

pub fn run(arguments: &Schema) -> Result<ExitCode, Failure> {
    let stdout = &mut terminal::out(!arguments.arrow);
    for found in Sources::of(&arguments.settings.values()?).find(&arguments.rule)? {
        let rule = found.called;
        let manifest = manifest_of(&found.component, found.beside.as_deref())
            .map_err(|source| PrepareError::Refused { rule: rule.clone(), source })?;
        let mut typed = manifest.outputs.iter().filter(|output| !output.columns.is_empty()).peekable();
        typed.peek().ok_or_else(|| RuleError::NoColumns { rule: rule.clone() })?;
        for output in typed {
            let title = format!("{} {}, {}", manifest.name, manifest.version, output.name);
            if arguments.arrow {
                writeln!(stdout, "# {title}\n{}", Layout::new(&output.columns, Options::default()).arrow_schema())?;
            } else {
                writeln!(stdout, "{:#}", json_schema(&title, &output.columns))?;
            }
        }
    }
    Ok(ExitCode::Done)
}
