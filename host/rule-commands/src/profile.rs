//! Fuel by function: the same run again and again, stopped at one place of its fuel after the other.
//!
//! A run is the same every time, so that stacks at equal distances in its fuel are those of one run, and the same on every machine. The rule's
//! own code and its calls to the host are counted apart, and so each has samples of its own; the order of all of them is that of the run.

mod firefox;
mod form;
mod speedscope;

pub use form::ProfileForm;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use refiner_rule_model::{FuelParts, FuelSample, Function};

/// Samples that are taken where no number is wanted. Each costs as much time as the part of the run before its place.
pub const SAMPLES: u32 = 200;
/// Most samples of a profile.
pub const SAMPLES_MAX: u32 = 10_000;
/// Least fuel between samples: a run is stopped at its next loop or call, which is up to a few hundred units later.
pub const DISTANCE_MIN: u64 = 1_000;

/// Prefix of the name of a function of the host.
const HOST: &str = "host: ";
/// The place of fuel that is used after the last loop and call of the rule.
const END: &str = "[end of the run]";
/// The outermost functions of a stack that was too deep.
const CUT: &str = "[outer functions left out]";
/// A run that takes any fuel there is.
const TO_THE_END: FuelParts = FuelParts { code: u64::MAX, calls: u64::MAX };

/// Fuel by stacks of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The rule and the block.
    title: String,
    /// Fuel of the whole run.
    parts: FuelParts,
    /// In the order of the run.
    samples: Vec<Sample>,
    /// A function has a name.
    has_names: bool,
    /// There are fewer samples than were wanted.
    is_short: bool,
}

/// A stack, with the fuel that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    /// The outermost function first.
    stack: Vec<String>,
    fuel: u64,
}

/// A function's part of the fuel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionFuel<'p> {
    /// Its name, or its number.
    pub name: &'p str,
    /// Fuel in the function itself.
    pub own: u64,
    /// Fuel in it and in what it called.
    pub total: u64,
}

impl Profile {
    /// Takes a profile of a run that `sample` makes again, to the end or to a place. `None` where the run uses no fuel.
    pub fn take<E>(
        title: String,
        wanted: u32,
        sample: impl Fn(FuelParts) -> Result<FuelSample, E>,
    ) -> Result<Option<Self>, E> {
        let parts = sample(TO_THE_END)?.used;
        if parts.sum() == 0 {
            return Ok(None);
        }
        let mut has_names = false;
        let mut samples = Vec::new();
        for (stop, fuel) in places(parts, wanted) {
            let taken = sample(stop)?;
            has_names |= taken.functions.iter().any(|function| matches!(function, Function::Named(_)));
            samples.push((taken.used.sum(), Sample { stack: stack_of(&taken), fuel }));
        }
        // Both parts only grow on the way through a run.
        samples.sort_by_key(|(used, _)| *used);
        let samples = samples.into_iter().map(|(_, sample)| sample).collect();
        Ok(Some(Self { title, parts, samples, has_names, is_short: parts.sum() / DISTANCE_MIN < u64::from(wanted) }))
    }

    /// Fuel of the run.
    pub const fn fuel(&self) -> FuelParts {
        self.parts
    }

    /// The number of samples.
    pub const fn samples(&self) -> usize {
        self.samples.len()
    }

    /// True where the component names functions.
    pub const fn has_names(&self) -> bool {
        self.has_names
    }

    /// True where there are fewer samples than were wanted, because they would be too close.
    pub const fn is_short(&self) -> bool {
        self.is_short
    }

    /// Fuel of each function, the one with the most of its own first.
    pub fn by_function(&self) -> Vec<FunctionFuel<'_>> {
        let mut sums = BTreeMap::<&str, (u64, u64)>::new();
        for Sample { stack, fuel } in &self.samples {
            // A function that calls itself is counted once.
            for name in stack.iter().map(String::as_str).collect::<BTreeSet<_>>() {
                sums.entry(name).or_default().1 += fuel;
            }
            if let Some(innermost) = stack.last() {
                sums.entry(innermost).or_default().0 += fuel;
            }
        }
        let mut functions: Vec<_> =
            sums.into_iter().map(|(name, (own, total))| FunctionFuel { name, own, total }).collect();
        functions.sort_by_key(|function| std::cmp::Reverse((function.own, function.total)));
        functions
    }

    /// Writes the file, whole or not at all; a link stays one, and a device or pipe is written to.
    pub fn write(&self, path: &Path, form: ProfileForm) -> std::io::Result<()> {
        let content = match form {
            ProfileForm::Speedscope => speedscope::written(self),
            ProfileForm::Firefox => firefox::written(self),
        };
        refiner_atomic_file::write_through(path, content.to_string().as_bytes(), &refiner_atomic_file::Terms::ORDINARY)
    }
}

/// The places of samples, each in the middle of the fuel that it stands for, with that fuel.
fn places(parts: FuelParts, wanted: u32) -> Vec<(FuelParts, u64)> {
    let FuelParts { code, calls } = parts;
    let count = u64::from(wanted).min(parts.sum() / DISTANCE_MIN).max(1);
    let of_calls = share(count, calls, parts.sum()).max(u64::from(calls > 0));
    let of_code = count.saturating_sub(of_calls).max(u64::from(code > 0));
    let code = middles(code, of_code).map(|(code, fuel)| (FuelParts { code, ..TO_THE_END }, fuel));
    let calls = middles(calls, of_calls).map(|(calls, fuel)| (FuelParts { calls, ..TO_THE_END }, fuel));
    code.chain(calls).collect()
}

/// The middles of so many equal parts of the fuel, with the size of each part. The sum of the sizes is the fuel.
fn middles(fuel: u64, count: u64) -> impl Iterator<Item = (u64, u64)> {
    let start = move |part| share(fuel, part, count);
    (0..count).map(move |part| (share(fuel, 2 * part + 1, 2 * count), start(part + 1) - start(part)))
}

/// `fuel * part / of`, which 64 bits do not always hold on the way.
fn share(fuel: u64, part: u64, of: u64) -> u64 {
    let share = u128::from(fuel) * u128::from(part) / u128::from(of.max(1));
    u64::try_from(share).unwrap_or(fuel)
}

/// The functions in which a run was stopped, the outermost first.
fn stack_of(FuelSample { functions, is_cut, call, .. }: &FuelSample) -> Vec<String> {
    let name = |function: &Function| match function {
        Function::Named(name) => name.as_str().to_owned(),
        Function::Numbered(number) => format!("wasm-function[{number}]"),
    };
    let mut stack: Vec<_> = is_cut.then(|| CUT.to_owned()).into_iter().collect();
    stack.extend(functions.iter().rev().map(name));
    stack.extend(call.as_ref().map(|function| format!("{HOST}{function}")));
    if stack.is_empty() {
        stack.push(END.to_owned());
    }
    stack
}

/// Names by the order in which they came, each once.
#[derive(Default)]
struct Names<'p> {
    names: Vec<&'p str>,
    numbers: BTreeMap<&'p str, usize>,
}

impl<'p> Names<'p> {
    fn number(&mut self, name: &'p str) -> usize {
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, convert::Infallible};

    use refiner_rule_model::UntrustedText;

    use super::*;

    /// A profile of two functions under a third.
    pub(super) fn profile() -> Profile {
        let sample = |names: [&str; 2], fuel| Sample { stack: names.map(str::to_owned).into(), fuel };
        let samples =
            vec![sample(["refine", "sort"], 33), sample(["refine", "write"], 33), sample(["refine", "sort"], 34)];
        Profile {
            title: "a 1-2".to_owned(),
            parts: FuelParts { code: 70, calls: 30 },
            samples,
            has_names: true,
            is_short: true,
        }
    }

    #[test]
    fn fuel_of_functions_is_their_own_and_that_of_what_they_called() {
        let function = |name, own, total| FunctionFuel { name, own, total };
        let profile = profile();
        assert_eq!(
            profile.by_function(),
            [function("sort", 67, 67), function("write", 33, 33), function("refine", 0, 100)]
        );
        let recursive = Sample { stack: ["refine", "sort", "sort"].map(str::to_owned).into(), fuel: 9 };
        let profile = Profile { samples: vec![recursive], ..profile };
        assert_eq!(profile.by_function(), [function("sort", 9, 9), function("refine", 0, 9)]);
    }

    #[test]
    fn samples_of_both_parts_stand_for_all_fuel_and_are_in_the_order_of_the_run() {
        // Code, then a call that takes a quarter, then code again.
        let whole = FuelParts { code: 60_000, calls: 20_000 };
        let stops = RefCell::new(Vec::new());
        let run = |stop: FuelParts| {
            stops.borrow_mut().push(stop);
            let function = |name| vec![Function::Named(UntrustedText::new(name))];
            let (used, functions, call) = if stop.calls < whole.calls {
                (FuelParts { code: 30_000, calls: 0 }, function("calls"), Some(UntrustedText::new("log.write")))
            } else if stop.code < 30_000 {
                (FuelParts { code: stop.code, calls: 0 }, function("first"), None)
            } else if stop.code < whole.code {
                (FuelParts { code: stop.code, ..whole }, function("last"), None)
            } else {
                (whole, Vec::new(), None)
            };
            Ok::<_, Infallible>(FuelSample { used, functions, is_cut: false, call })
        };
        let Ok(profile) = Profile::take("a 1-2".to_owned(), 8, run);
        let profile = profile.unwrap();
        assert_eq!(stops.borrow()[..2], [TO_THE_END, FuelParts { code: 5_000, calls: u64::MAX }]);
        assert_eq!((profile.samples(), profile.fuel()), (8, whole));
        assert!(profile.has_names() && !profile.is_short());
        let innermost: Vec<_> = profile.samples.iter().map(|sample| sample.stack.last().unwrap().as_str()).collect();
        let call = "host: log.write";
        assert_eq!(innermost, ["first", "first", "first", call, call, "last", "last", "last"]);
        assert_eq!(profile.samples.iter().map(|sample| sample.fuel).sum::<u64>(), whole.sum());
    }

    #[test]
    fn short_run_has_fewer_samples_and_one_without_fuel_has_none() {
        let ended = |used| move |_| Ok::<_, Infallible>(FuelSample { used, ..FuelSample::default() });
        let Ok(none) = Profile::take(String::new(), SAMPLES, ended(FuelParts::default()));
        assert_eq!(none, None);
        let Ok(short) =
            Profile::take(String::new(), SAMPLES, ended(FuelParts { code: 3 * DISTANCE_MIN + 1, calls: 0 }));
        let short = short.unwrap();
        assert_eq!(short.samples.iter().map(|sample| sample.fuel).collect::<Vec<_>>(), [1_000, 1_000, 1_001]);
        assert_eq!(short.samples[0].stack, [END]);
        assert!(short.is_short() && !short.has_names());
    }

    #[test]
    fn places_hold_for_any_fuel_and_both_parts_have_one() {
        let check = |code, calls, wanted, expected| {
            let parts = FuelParts { code, calls };
            let places = places(parts, wanted);
            assert_eq!(places.len(), expected, "{parts:?}");
            assert_eq!(places.iter().map(|(_, fuel)| fuel).sum::<u64>(), parts.sum(), "{parts:?}");
            assert!(places.iter().all(|(stop, _)| stop.code < code || stop.calls < calls), "{places:?}");
        };
        check(u64::MAX / 2, u64::MAX / 2, SAMPLES_MAX, 10_000);
        check(1, 0, SAMPLES, 1);
        check(0, 1, SAMPLES, 1);
        check(1, 1, SAMPLES, 2);
        check(1_000_000, 1, 50, 50);
        check(1, 1_000_000, 50, 50);
    }
}
