//! The form of the Firefox Profiler: a processed profile, version 50
//! (<https://github.com/firefox-devtools/profiler/blob/main/docs-developer/CHANGELOG-formats.md>). A unit of fuel stands as a microsecond.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Names, Profile, Sample};

const VERSION: u32 = 50;
/// Version of the form in which Firefox itself records.
const GECKO_VERSION: u32 = 31;
/// Units of fuel in the viewer's unit of time, the millisecond.
const FUEL_A_MS: u64 = 1_000;

/// Functions under the stack that called them: each pair once.
#[derive(Default)]
struct Stacks {
    prefixes: Vec<Option<usize>>,
    frames: Vec<usize>,
    numbers: BTreeMap<(Option<usize>, usize), usize>,
}

impl Stacks {
    fn number(&mut self, prefix: Option<usize>, frame: usize) -> usize {
        *self.numbers.entry((prefix, frame)).or_insert_with(|| {
            self.prefixes.push(prefix);
            self.frames.push(frame);
            self.frames.len() - 1
        })
    }
}

pub fn written(profile: &Profile) -> Value {
    let (mut names, mut stacks) = (Names::default(), Stacks::default());
    let (mut samples, mut times, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = 0_u64;
    for Sample { stack, fuel } in &profile.samples {
        let innermost = stack.iter().fold(None, |prefix, name| Some(stacks.number(prefix, names.number(name))));
        samples.push(innermost);
        times.push(milliseconds(before));
        weights.push(milliseconds(*fuel));
        before += fuel;
    }
    // Every name is one function with one frame, all of the same number.
    let functions = names.names.len();
    let numbers: Vec<_> = (0..functions).collect();
    let (zeros, nulls, none) = (vec![0; functions], vec![Value::Null; functions], vec![-1; functions]);
    let (stack_count, sample_count) = (stacks.frames.len(), samples.len());
    json!({
        "meta": {
            "categories": [{ "name": "Other", "color": "grey", "subcategories": ["Other"] }],
            "debug": false,
            "extensions": { "baseURL": [], "id": [], "length": 0, "name": [] },
            "interval": milliseconds(profile.parts.sum() / (sample_count as u64).max(1)),
            "markerSchema": [],
            "preprocessedProfileVersion": VERSION,
            "processType": 0,
            "product": profile.title,
            "sampleUnits": { "eventDelay": "ms", "threadCPUDelta": "µs", "time": "ms" },
            "stackwalk": 0,
            "startTime": 0,
            "symbolicated": true,
            "usesOnlyOneStackType": true,
            "sourceCodeIsNotOnSearchfox": true,
            "version": GECKO_VERSION,
        },
        "libs": [],
        "pages": [],
        "threads": [{
            "name": "fuel",
            "isMainThread": true,
            "processName": profile.title,
            "processType": "default",
            "processStartupTime": 0,
            "processShutdownTime": null,
            "registerTime": 0,
            "unregisterTime": null,
            "pausedRanges": [],
            "pid": "0",
            "tid": "0",
            "samples": {
                "length": sample_count, "stack": samples, "time": times, "weight": weights, "weightType": "tracing-ms",
            },
            "stackTable": {
                "length": stack_count, "prefix": stacks.prefixes, "frame": stacks.frames,
                "category": vec![0; stack_count], "subcategory": vec![0; stack_count],
            },
            "frameTable": {
                "length": functions, "func": numbers, "address": none, "inlineDepth": zeros, "category": zeros, "subcategory": zeros,
                "nativeSymbol": nulls, "innerWindowID": nulls, "implementation": nulls, "line": nulls, "column": nulls,
            },
            "funcTable": {
                "length": functions, "name": numbers, "resource": none, "isJS": vec![false; functions], "relevantForJS": vec![false; functions],
                "fileName": nulls, "lineNumber": nulls, "columnNumber": nulls,
            },
            "stringArray": names.names,
            "resourceTable": { "length": 0, "lib": [], "name": [], "host": [], "type": [] },
            "nativeSymbols": { "length": 0, "address": [], "functionSize": [], "libIndex": [], "name": [] },
            "markers": { "length": 0, "category": [], "data": [], "endTime": [], "name": [], "phase": [], "startTime": [] },
        }],
    })
}

/// Whole milliseconds and thousandths of them.
fn milliseconds(fuel: u64) -> Value {
    let text = format!("{}.{:03}", fuel / FUEL_A_MS, fuel % FUEL_A_MS);
    text.parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::profile;

    #[test]
    fn stacks_are_written_once_and_tables_are_as_long_as_they_state() {
        let written = written(&profile());
        let thread = &written["threads"][0];
        assert_eq!(thread["stringArray"], json!(["refine", "sort", "write"]));
        assert_eq!(thread["stackTable"]["prefix"], json!([null, 0, 0]));
        assert_eq!(thread["stackTable"]["frame"], json!([0, 1, 2]));
        assert_eq!(thread["samples"]["stack"], json!([1, 2, 1]));
        assert_eq!(thread["samples"]["time"], json!([0.0, 0.033, 0.066]));
        assert_eq!(thread["samples"]["weight"], json!([0.033, 0.033, 0.034]));
        for table in ["samples", "stackTable", "frameTable", "funcTable"] {
            let table = thread[table].as_object().expect("a table");
            for column in table.values().filter_map(Value::as_array) {
                assert_eq!(json!(column.len()), table["length"]);
            }
        }
    }
}
