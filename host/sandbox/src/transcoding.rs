//! Text between components inside a rule: converted by the engine, in calls that burn no fuel.
//!
//! The engine's own translation knows which conversions it will link, so it is asked. Most rules have no component inside that lifts or lowers
//! anything, and are not translated twice.

use refiner_rule_model::AdmissionError;
use wasmparser::{CanonicalFunction, Parser, Payload, Validator, WasmFeatures};
use wasmtime_environ::{
    ScopeVec, Tunables,
    component::{ComponentTypesBuilder, Trampoline, Translator},
};

/// Refuses a component whose inner components hand text to each other.
///
/// One that the translation refuses passes here: the compiler makes the same translation, and its message is better.
pub(crate) fn refuse(component: &[u8]) -> Result<(), AdmissionError> {
    if !lifts_or_lowers_inside(component)? {
        return Ok(());
    }
    let tunables = Tunables::default_host();
    let mut validator = Validator::new_with_features(WasmFeatures::default() | WasmFeatures::COMPONENT_MODEL);
    let mut types = ComponentTypesBuilder::new(&validator);
    let scope = ScopeVec::new();
    let Ok((translation, _)) = Translator::new(&tunables, &mut validator, &mut types, &scope).translate(component)
    else {
        return Ok(());
    };
    let conversions = translation.trampolines.values().filter(|trampoline| is_conversion(trampoline));
    match conversions.count() {
        0 => Ok(()),
        count => Err(AdmissionError::Transcodes { count }),
    }
}

const fn is_conversion(trampoline: &Trampoline) -> bool {
    matches!(trampoline, Trampoline::Transcoder { .. })
}

/// True when a component within the outermost one has functions of the canonical ABI: only then can two of them call each other.
fn lifts_or_lowers_inside(component: &[u8]) -> Result<bool, AdmissionError> {
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentCanonicalSection(section) if depth > 1 => {
                for function in section {
                    if matches!(function?, CanonicalFunction::Lift { .. } | CanonicalFunction::Lower { .. }) {
                        return Ok(true);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(false)
}
