//! What a rule says of itself, checked.

use refiner_specimen::Layout;

use super::refusal::Refusal;
use crate::{Description, GuestText, Limit, OutputDescription, bindings::exports::refiner::rule::rule};

/// Longest name or version: both become part of file names.
const NAME_BYTES_MAX: usize = 64;

/// Accepts the description, or names the first field that cannot be.
pub(crate) fn description(described: rule::Description) -> Result<Description, Refusal> {
    let rule::Description { name, version, layouts, outputs } = described;
    if !is_name(&name) {
        return Err(refused("name", &name));
    }
    if !is_name(&version) {
        return Err(refused("version", &version));
    }
    if let Some(layout) = layouts.iter().find(|layout| Layout::from_version(layout).is_none()) {
        return Err(refused("layout", layout));
    }
    let cap = Limit::Artifacts.spec().cap;
    if outputs.len() as u64 > cap {
        return Err(refused("number of outputs", &outputs.len().to_string()));
    }
    if let Some(output) = outputs.iter().find(|output| !is_name(&output.name)) {
        return Err(refused("output name", &output.name));
    }
    Ok(Description { name, version, layouts, outputs: outputs.into_iter().map(OutputDescription::from).collect() })
}

fn refused(field: &'static str, value: &str) -> Refusal {
    Refusal::Description { field, value: GuestText::at_most(value, super::world::NAME_BYTES_SHOWN) }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.' | b'+'))
}
