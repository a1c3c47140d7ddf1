//! Steps: what is being done, and how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Steps one after another, numbered.
pub struct Steps {
    total: usize,
    taken: usize,
    began: Instant,
}

impl Steps {
    /// Announces so many steps.
    pub fn of(total: usize) -> Self {
        Self { total, taken: 0, began: Instant::now() }
    }

    /// Does one step. When it fails the error names it and `cargo xtask <again>`, which repeats it alone.
    pub fn take<T>(&mut self, what: &str, again: Option<&str>, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.taken += 1;
        let position = format!("[{}/{}]", self.taken, self.total);
        println!("{position} {what}");
        let began = Instant::now();
        let outcome = work();
        match &outcome {
            Ok(_) => println!("{position} {what}: done in {}", seconds(began.elapsed())),
            Err(_) => println!("{position} {what}: does not pass, after {}", seconds(began.elapsed())),
        }
        outcome.with_context(|| match again {
            Some(again) => format!("step {position} {what}; repeat it alone with `{again}`"),
            None => format!("step {position} {what}"),
        })
    }

    /// Time since the first step.
    pub fn elapsed(&self) -> String {
        seconds(self.began.elapsed())
    }
}

fn seconds(duration: Duration) -> String {
    if duration < Duration::from_mins(1) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_is_read_at_a_glance() {
        assert_eq!(seconds(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(seconds(Duration::from_mins(1)), "1 min 0 s");
        assert_eq!(seconds(Duration::from_secs(3_725)), "62 min 5 s");
    }

    #[test]
    fn failing_step_is_named_with_the_command_that_repeats_it() {
        let mut steps = Steps::of(2);
        steps.take("look", None, || Ok(())).expect("the first step passes");
        let error = steps.take("leap", Some("cargo leap"), || anyhow::bail!("too high") as Result<()>);
        let message = format!("{:#}", error.expect_err("the second step does not pass"));
        assert_eq!(message, "step [2/2] leap; repeat it alone with `cargo leap`: too high");
    }
}
