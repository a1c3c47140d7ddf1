//! Work beside the steps: programs that run at the lowest priority while a longer step builds or waits. What they print is shown when
//! their own turn comes, as a step of its own.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{command, step::Steps, tree};

/// Lets a program wait for everything else that wants a processor.
const PATIENT: [&str; 3] = ["nice", "-n", "19"];

/// A program that was started and whose turn has not come.
pub struct Beside {
    what: &'static str,
    again: String,
    /// As it was started, for the error.
    command: Command,
    child: Child,
    /// Everything that it prints.
    output: PathBuf,
}

impl Beside {
    /// Starts `command`, which `again` repeats alone.
    pub fn start(what: &'static str, again: &str, command: &Command) -> Result<Self> {
        let directory = tree::root().join("target/xtask");
        fs::create_dir_all(&directory)?;
        let output = directory.join(what.to_lowercase().replace(' ', "-")).with_extension("log");
        let written = File::create(&output).with_context(|| output.display().to_string())?;
        let mut patient = patient(command);
        patient.stdin(Stdio::null()).stderr(written.try_clone()?).stdout(written);
        let child = patient.spawn().with_context(|| format!("{} does not start", PATIENT[0]))?;
        Ok(Self { what, again: again.to_owned(), command: patient, child, output })
    }

    /// Waits for its end, as a step; shows what it printed.
    pub fn join(mut self, steps: &mut Steps) -> Result<()> {
        let (what, again) = (self.what, self.again.clone());
        steps.take(what, Some(&again), || {
            let status = self.child.wait()?;
            print!("{}", String::from_utf8_lossy(&fs::read(&self.output)?));
            Ok(command::succeeded(&self.command, status)?)
        })
    }
}

/// A step before it failed: nothing goes on behind the error.
impl Drop for Beside {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The same command, at the lowest priority.
fn patient(command: &Command) -> Command {
    let mut patient = Command::new(PATIENT[0]);
    patient.args(&PATIENT[1..]).arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        patient.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => patient.env(name, value),
            None => patient.env_remove(name),
        };
    }
    patient
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(what: &'static str, script: &str) -> Beside {
        let mut command = command::program("sh");
        command.args(["-c", script]).env("WORD", "heard");
        Beside::start(what, "cargo again", &command).expect("sh starts")
    }

    #[test]
    fn work_beside_the_steps_keeps_its_surroundings_and_what_it_prints() {
        let work = started("A test of work beside", "nice; echo $WORD; echo low >&2");
        let output = work.output.clone();
        work.join(&mut Steps::of(1)).expect("it succeeds");
        assert_eq!(fs::read_to_string(output).expect("its output"), "19\nheard\nlow\n");
    }

    #[test]
    fn work_beside_that_fails_is_a_step_that_fails() {
        let error = started("A test of failing work", "exit 7").join(&mut Steps::of(1)).expect_err("it fails");
        let message = format!("{error:#}");
        assert!(message.contains("A test of failing work; repeat it alone with `cargo again`"), "{message}");
        assert!(message.contains("exit status: 7"), "{message}");
    }

    #[test]
    fn work_beside_ends_with_the_steps_that_fail() {
        let work = started("A test of work without end", "exec sleep 600");
        let process = PathBuf::from(format!("/proc/{}", work.child.id()));
        assert!(!cfg!(target_os = "linux") || process.exists());
        drop(work);
        assert!(!process.exists());
    }
}
