//! `refiner rule verify`: builds a rule again from its source, and compares.

use std::path::Path;

use refiner_authoring::{PROJECT_FILES, build, compare, digest, embed};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_rule_model::intact;
use refiner_signatures::signatures;
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments::Verify, session::PrepareError};
use crate::{rules::Sources, terminal};

pub fn run(arguments: &Verify) -> Result<ExitCode, Failure> {
    let Verify { rule, source, built, settings, json } = arguments;
    let mut found = Sources::of(&settings.values()?).find(rule)?;
    let several = RuleError::Several { argument: rule.clone(), found: found.len() };
    let found = found.pop().filter(|_| found.is_empty()).ok_or(several)?;
    intact(&found.component).map_err(|source| PrepareError::Refused { rule: found.called.clone(), source })?;
    let again =
        built_again(source, built.as_deref(), refiner_manifest::read(&found.component).ok().flatten().is_some())?;
    let (published, sha256) = (digest::sha256(&found.component), digest::sha256(&again));
    // No build makes signatures: what they cover is compared. Where something follows them, everything is.
    let (signed, signatures) = match signatures(&found.component) {
        Ok(found) => (found.signed, found.bundles.len()),
        Err(_) => (&found.component[..], 0),
    };
    let comparison = compare::compare(signed, &again)
        .map_err(|source| RuleError::Unreadable { rule: found.called.clone(), source })?;
    let same = signed == again;
    let reason = (!same).then(|| compare::unreproducible(source)).flatten();
    let stdout = &mut terminal::out(*json);
    if *json {
        let differences: Vec<_> = comparison
            .differences
            .iter()
            .map(|part| json!({ "part": part.part.to_string(), "publishedBytes": part.published_bytes, "builtBytes": part.built_bytes }))
            .collect();
        let verified = json!({
            "rule": found.called, "same": same, "signatures": signatures, "sha256": published, "builtSha256": sha256,
            "equalBytes": comparison.equal_bytes, "differences": differences, "reason": reason,
        });
        writeln!(stdout, "{verified}")?;
    } else if same && signatures > 0 {
        let word = terminal::by_number(signatures as u64, "signature", "signatures");
        let called = OneLine(&found.called);
        writeln!(stdout, "{called}: the same bytes, beside {signatures} {word}, sha256 {published}")?;
    } else if same {
        writeln!(stdout, "{}: the same bytes, sha256 {published}", OneLine(&found.called))?;
    } else {
        writeln!(stdout, "{}: other bytes: sha256 {published}, built again {sha256}", OneLine(&found.called))?;
        for line in comparison.lines() {
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
    Ok(embed::read_component(built)?)
}
