//! `refiner rule verify`: builds a rule again from its source, and compares.

use std::{fs, path::Path};

use refiner_authoring::{
    PROJECT_FILES, build,
    compare::{self, Comparison},
    digest, embed,
};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments::Verify};
use crate::{rules::Sources, terminal};

/// Parts that are listed as different.
const SHOWN_MAX: usize = 8;

pub fn run(arguments: &Verify) -> Result<ExitCode, Failure> {
    let Verify { rule, source, built, settings, json } = arguments;
    let mut found = Sources::of(&settings.values()?).find(rule)?;
    let several = RuleError::Several { argument: rule.clone(), found: found.len() };
    let found = found.pop().filter(|_| found.is_empty()).ok_or(several)?;
    let again =
        built_again(source, built.as_deref(), refiner_manifest::read(&found.component).ok().flatten().is_some())?;
    let (published, sha256) = (digest::sha256(&found.component), digest::sha256(&again));
    let comparison = compare::compare(&found.component, &again)
        .map_err(|source| RuleError::Unreadable { rule: found.called.clone(), source })?;
    let same = found.component == again;
    let reason = (!same).then(|| unreproducible(source)).flatten();
    let stdout = &mut terminal::out(*json);
    if *json {
        let differences: Vec<_> = comparison
            .differences
            .iter()
            .map(|part| json!({ "part": part.part.to_string(), "publishedBytes": part.published_bytes, "builtBytes": part.built_bytes }))
            .collect();
        let verified = json!({
            "rule": found.called, "same": same, "sha256": published, "builtSha256": sha256,
            "equalBytes": comparison.equal_bytes, "differences": differences, "reason": reason,
        });
        writeln!(stdout, "{verified}")?;
    } else if same {
        writeln!(stdout, "{}: the same bytes, sha256 {published}", OneLine(&found.called))?;
    } else {
        writeln!(stdout, "{}: other bytes: sha256 {published}, built again {sha256}", OneLine(&found.called))?;
        for line in lines(&comparison) {
            writeln!(stdout, "  {line}")?;
        }
        if let Some(reason) = reason {
            writeln!(stdout, "  {reason}")?;
        }
    }
    Ok(if same { ExitCode::Done } else { ExitCode::Verdict })
}

/// The component of a second build, with a manifest inside where the published one has it there.
fn built_again(source: &Path, built: Option<&Path>, inside: bool) -> Result<Vec<u8>, RuleError> {
    let Some(built) = built else {
        if !PROJECT_FILES.iter().any(|file| source.join(file).is_file()) {
            return Err(RuleError::BuiltElsewhere(source.to_owned()));
        }
        let out = tempfile::tempdir().map_err(RuleError::Directory)?;
        return Ok(build(source, Some(&out.path().join("rule.wasm")))?.component);
    };
    if inside {
        return Ok(embed::of_files(built, &source.join("rule.toml"), true)?);
    }
    Ok(fs::read(built).map_err(|source| embed::EmbedError::File { path: built.to_owned(), source })?)
}

fn lines(comparison: &Comparison) -> Vec<String> {
    let Comparison { equal, equal_bytes, differences } = comparison;
    let mut lines = vec![format!("equal: {equal} parts with {}", digest::size(*equal_bytes))];
    lines.extend(differences.iter().take(SHOWN_MAX).map(|part| format!("differs: {part}")));
    let more = differences.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        lines.push(format!("differs: {more} more, all of them smaller"));
    }
    lines
}

/// The part that a toolchain does not reproduce, by the language of the source.
fn unreproducible(source: &Path) -> Option<&'static str> {
    let has = |extension: &str| {
        let entries = fs::read_dir(source).ok();
        entries.is_some_and(|mut entries| {
            entries
                .any(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|found| found == extension)))
        })
    };
    if has("py") {
        Some(
            "not reproducible: componentize-py stores the memory of the running interpreter (the data section of the largest module) and \
             the libraries around it in another order each time; pin the component by its digest",
        )
    } else if has("js") || has("mjs") || has("ts") {
        Some(
            "not reproducible: componentize-js stores the memory of the running interpreter (the data section of the largest module), and \
             addresses in it stand in its code section; pin the component by its digest",
        )
    } else {
        None
    }
}
