//! The form of speedscope (<https://www.speedscope.app/file-format-schema.json>).

use serde_json::{Value, json};

use super::{Names, Profile, Sample};

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

pub fn written(profile: &Profile) -> Value {
    let mut frames = Names::default();
    let (mut samples, mut weights) = (Vec::new(), Vec::new());
    for Sample { stack, fuel } in &profile.samples {
        samples.push(stack.iter().map(|name| frames.number(name)).collect::<Vec<_>>());
        weights.push(fuel);
    }
    let frames: Vec<_> = frames.names.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "$schema": SCHEMA,
        "exporter": concat!("refiner ", env!("CARGO_PKG_VERSION")),
        "name": profile.title,
        "shared": { "frames": frames },
        "profiles": [{
            "type": "sampled",
            "name": format!("{}, in units of fuel", profile.title),
            "unit": "none",
            "startValue": 0,
            "endValue": profile.parts.sum(),
            "samples": samples,
            "weights": weights,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::profile;

    #[test]
    fn stacks_are_numbers_of_frames_with_the_outermost_first() {
        let written = written(&profile());
        assert_eq!(written["shared"]["frames"], json!([{ "name": "refine" }, { "name": "sort" }, { "name": "write" }]));
        let sampled = &written["profiles"][0];
        assert_eq!(sampled["samples"], json!([[0, 1], [0, 2], [0, 1]]));
        assert_eq!(
            (&sampled["weights"], &sampled["endValue"], &sampled["unit"]),
            (&json!([33, 33, 34]), &json!(100), &json!("none"))
        );
    }
}
