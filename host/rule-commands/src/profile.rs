//! Fuel by function: the same run again and again, stopped at one place of its fuel after the other.
//!
//! A run that is granted less fuel than it needs ends at the next loop or call of the rule, and the engine names the functions in which it
//! does. Engine, code and specimen are those of every run, so that the samples are the same on every machine.

mod firefox;
mod form;
mod speedscope;

pub use form::ProfileForm;

use std::{collections::BTreeMap, path::Path};

use refiner_rule_model::{Limit, Limits, Run, Verdict};

/// Runs that are stopped. Each costs as much time as the part of the run before its place.
pub const SAMPLES: u64 = 200;

/// What the log of a run that was stopped names functions after, and what stands between them, the innermost first.
const PLACE: &str = "trapped in ";
const BETWEEN: &str = " < ";
/// The function of a sample that is in none of the rule's.
const HOST: &str = "[calls to the host]";

/// Fuel by stacks of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The rule and the block.
    title: String,
    /// Fuel of the whole run.
    fuel: u64,
    /// Stacks at equal distances in the fuel, the outermost function first.
    stacks: Vec<Vec<String>>,
}

impl Profile {
    /// Takes the samples of a run that used so much fuel. `run` is the same run within other limits.
    pub fn take<E>(
        title: String,
        fuel: u64,
        limits: &Limits,
        run: impl Fn(Limits) -> Result<Run, E>,
    ) -> Result<Self, E> {
        let stack = |sample| Ok(stack_of(&run(stopped_at(place(fuel, sample), limits))?));
        let stacks = (0..SAMPLES).map(stack).collect::<Result<_, E>>()?;
        Ok(Self { title, fuel, stacks })
    }

    /// Samples with the fuel that each stands for. The sum is the fuel of the run.
    fn weighted(&self) -> impl Iterator<Item = (&[String], u64)> {
        let count = self.stacks.len() as u64;
        let start = move |sample: u64| part(self.fuel, sample, count);
        self.stacks.iter().zip(0..).map(move |(stack, sample)| (stack.as_slice(), start(sample + 1) - start(sample)))
    }

    /// Fuel in each function itself, without those that it called, the most first.
    pub fn by_function(&self) -> Vec<(&str, u64)> {
        let mut sums = BTreeMap::<&str, u64>::new();
        for (stack, fuel) in self.weighted() {
            *sums.entry(stack.last().map_or(HOST, String::as_str)).or_default() += fuel;
        }
        let mut functions: Vec<_> = sums.into_iter().collect();
        functions.sort_by_key(|(_, fuel)| std::cmp::Reverse(*fuel));
        functions
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.stacks.len()
    }

    /// The content of a file.
    pub fn written(&self, form: ProfileForm) -> String {
        match form {
            ProfileForm::Speedscope => speedscope::written(self),
            ProfileForm::Firefox => firefox::written(self),
        }
        .to_string()
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, path: &Path, form: ProfileForm) -> std::io::Result<()> {
        refiner_atomic_file::write(path, self.written(form).as_bytes(), &refiner_atomic_file::Terms::ORDINARY)
    }
}

/// The place of a sample: the middle of its part of the fuel.
fn place(fuel: u64, sample: u64) -> u64 {
    part(fuel, 2 * sample + 1, 2 * SAMPLES).max(1)
}

/// `fuel * number / of`, which 64 bits do not always hold on the way.
fn part(fuel: u64, number: u64, of: u64) -> u64 {
    let part = u128::from(fuel) * u128::from(number) / u128::from(of.max(1));
    u64::try_from(part).unwrap_or(fuel)
}

/// The limits with less fuel, and with all the room that a log can have, so that the place is in it.
fn stopped_at(fuel: u64, limits: &Limits) -> Limits {
    let more_log = [Limit::LogLines, Limit::LogBytes].map(|limit| (limit, limit.spec().cap));
    let changed = more_log.into_iter().chain([(Limit::Fuel, fuel)]);
    // Below its cap each of them is a limit.
    changed.fold(*limits, |limits, (limit, value)| limits.with(limit, value).unwrap_or(limits))
}

/// The functions in which a run was stopped, the outermost first.
fn stack_of(run: &Run) -> Vec<String> {
    let place = run.log.last().and_then(|line| line.message.as_str().strip_prefix(PLACE));
    match place {
        Some(names) if matches!(run.verdict, Verdict::OutOfFuel { .. }) => {
            names.rsplit(BETWEEN).map(str::to_owned).collect()
        }
        _ => vec![HOST.to_owned()],
    }
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
    use super::*;

    /// A profile of two functions under a third.
    pub(super) fn profile() -> Profile {
        let stack = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let stacks = vec![stack(&["refine", "sort"]), stack(&["refine", "write"]), stack(&["refine", "sort"])];
        Profile { title: "a 1-2".to_owned(), fuel: 100, stacks }
    }

    #[test]
    fn fuel_of_samples_adds_up_to_that_of_the_run() {
        let profile = profile();
        let fuel: Vec<_> = profile.weighted().map(|(_, fuel)| fuel).collect();
        assert_eq!(fuel, [33, 33, 34]);
        assert_eq!(profile.by_function(), [("sort", 67), ("write", 33)]);
        assert_eq!(part(u64::MAX, 3, 4), u64::MAX / 4 * 3 + 2);
        assert_eq!((place(4_000, 0), place(4_000, SAMPLES - 1), place(0, 0)), (10, 3_990, 1));
    }
}
