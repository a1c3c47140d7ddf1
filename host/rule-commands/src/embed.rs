//! `refiner rule embed`: a manifest into a component that any toolchain made.

use std::path::Path;

use refiner_authoring::{digest, embed};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_rule_model::{Grants, examine, intact};
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments::Embed, session::PrepareError};
use crate::{output::refuse_input, terminal};

pub fn run(arguments: &Embed) -> Result<ExitCode, Failure> {
    let Embed { component, manifest, out, replace, json } = arguments;
    let path = out.as_ref().unwrap_or(component);
    refuse_input(path, [manifest])?;
    let refused = |source| PrepareError::Refused { rule: component.display().to_string(), source };
    let bytes = embed::read_component(component).map_err(RuleError::from)?;
    intact(&bytes).map_err(refused)?;
    let (whole, dropped) = whole(bytes, component, manifest, *replace)?;
    // A manifest that does not go with its component is better refused by its author than by its users.
    examine(&whole, None, &Grants::all()).map_err(refused)?;
    embed::write(path, &whole).map_err(RuleError::from)?;
    print(path, &whole, dropped, *json)
}

/// The component with the manifest inside, and the number of signatures that were dropped for it: they cover the bytes before them, and
/// where any follow they are worth nothing.
fn whole(bytes: Vec<u8>, component: &Path, manifest: &Path, replace: bool) -> Result<(Vec<u8>, usize), RuleError> {
    // Bytes that cannot be read have none, and are refused where the manifest is put inside.
    let (unsigned, signatures) = refiner_signatures::without(&bytes).unwrap_or((Vec::new(), 0));
    if signatures == 0 {
        return Ok((embed::of_bytes(bytes, component, manifest, replace)?, 0));
    }
    let whole = embed::of_bytes(unsigned.clone(), component, manifest, replace)?;
    if whole == unsigned {
        return Ok((bytes, 0));
    }
    if !replace {
        return Err(RuleError::Signed { component: component.to_owned(), signatures });
    }
    Ok((whole, signatures))
}

/// One line of a component that was written, and one of signatures that are gone from it.
pub fn print(path: &Path, whole: &[u8], dropped: usize, json: bool) -> Result<ExitCode, Failure> {
    let (bytes, sha256) = (whole.len(), digest::sha256(whole));
    let stdout = &mut terminal::out(json);
    if json {
        writeln!(
            stdout,
            "{}",
            json!({ "file": path, "bytes": bytes, "sha256": sha256, "signaturesDropped": dropped })
        )?;
        return Ok(ExitCode::Done);
    }
    writeln!(stdout, "{}  {}  sha256 {sha256}", OneLine(path.display()), digest::size(bytes))?;
    if dropped > 0 {
        let word = terminal::by_number(dropped as u64, "signature was", "signatures were");
        writeln!(stdout, "  {dropped} earlier {word} dropped")?;
    }
    Ok(ExitCode::Done)
}
