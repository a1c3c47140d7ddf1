//! `refiner rule keygen` and `refiner rule sign`: signatures inside components.

use refiner_authoring::embed;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_rule_model::intact;
use refiner_signatures::{SignError, SigningKey, attach, sign};
use refiner_text::OneLine;
use serde_json::json;

use super::{
    RuleError,
    arguments::{Keygen, Sign},
    session::PrepareError,
};
use crate::{output::refuse_input, terminal};

pub fn keygen(Keygen { key, json }: &Keygen) -> Result<ExitCode, Failure> {
    let pair = SigningKey::generate().map_err(RuleError::from)?;
    let public = pair.write(key).map_err(RuleError::from)?;
    let stdout = &mut terminal::out(*json);
    if *json {
        writeln!(stdout, "{}", json!({ "key": key, "public": public, "sha256": pair.public().fingerprint() }))?;
    } else {
        writeln!(
            stdout,
            "{}  keep it to yourself\n{}  for operators",
            OneLine(key.display()),
            OneLine(public.display())
        )?;
    }
    Ok(ExitCode::Done)
}

pub fn run(Sign { component, key, bundle, replace, out, json }: &Sign) -> Result<ExitCode, Failure> {
    let path = out.as_ref().unwrap_or(component);
    refuse_input(path, key.iter().chain(bundle))?;
    let bytes = embed::read_component(component).map_err(RuleError::from)?;
    intact(&bytes).map_err(|source| PrepareError::Refused { rule: component.display().to_string(), source })?;
    // Whoever demands a signature demands that it covers the manifest.
    if embed::lacks_manifest(&bytes) {
        return Err(RuleError::NoManifest(component.clone()).into());
    }
    let (bytes, dropped) = match replace {
        true => refiner_signatures::without(&bytes)
            .map_err(|source| RuleError::Unsignable { component: component.clone(), source })?,
        false => (bytes, 0),
    };
    let signed = match (key, bundle) {
        (Some(key), _) => SigningKey::read(key).and_then(|key| sign(&bytes, &key)),
        (None, bundle) => attach(&bytes, bundle.as_deref().unwrap_or(component)),
    };
    let whole = signed.map_err(|error| match error {
        SignError::Component(source) => RuleError::Unsignable { component: component.clone(), source },
        error => error.into(),
    })?;
    embed::write(path, &whole).map_err(RuleError::from)?;
    super::embed::print(path, &whole, dropped, *json)
}
