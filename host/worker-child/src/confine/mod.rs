//! The confinement that a child applies to itself before it reads untrusted bytes.
//!
//! Three moments, each of which takes away what only the one before needed: [`Confined::begin`] while there is one thread
//! (files, network, identity, limits), [`Confined::lock`] once every thread is there (system calls), and
//! [`Confined::seal_code`] once the rule's code is in memory (no more of it). They are public for tests, which look at a confined process from inside.

mod descriptors;
mod files;
mod identity;
mod landlocked;
mod resources;
mod system_calls;

use std::io;

use refiner_worker::{Ceilings, Confinement, Measure, Outcome};

/// A child that cannot be confined this far does not serve. Every Linux that this program runs on can.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The environment is not empty: the parent did not clear it.
    #[error("the environment is not empty")]
    Environment,
    /// The supervisor is gone.
    #[error("the parent process is not the supervisor")]
    Orphan,
    /// The kernel refused what it grants everybody.
    #[error("{what}: {error}")]
    System {
        /// The step that was tried.
        what: &'static str,
        /// Its answer.
        #[source]
        error: io::Error,
    },
}

impl ConfineError {
    fn system(what: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |error| Self::System { what, error: error.into() }
    }
}

/// This process, as far as it has confined itself.
#[derive(Debug)]
pub struct Confined {
    report: Confinement,
}

impl Confined {
    /// Takes away files, network, identity and everything beyond `ceilings`. There must be one thread.
    pub fn begin(supervisor: u32, ceilings: &Ceilings) -> Result<Self, ConfineError> {
        let mut confinement = Confinement::default();
        if refiner_environment::variables().next().is_some() {
            return Err(ConfineError::Environment);
        }
        confinement.add(Measure::Environment, Outcome::applied("empty"));
        confinement.add(Measure::Descriptors, descriptors::close_all_but_standard());
        confinement.add(Measure::Network, identity::leave_network());
        confinement.add(Measure::Files, files::leave());
        resources::limit(ceilings)?;
        confinement.add(Measure::Resources, Outcome::applied(&ceilings.to_string()));
        confinement.add(Measure::User, identity::become_nobody());
        confinement.add(Measure::Capabilities, identity::drop_capabilities());
        identity::renounce(supervisor)?;
        confinement.add(Measure::Privileges, Outcome::applied("none to gain, not dumpable, dies with the supervisor"));
        confinement.add(Measure::Landlock, landlocked::deny_everything());
        Ok(Self { report: confinement })
    }

    /// Takes away every system call that running a rule does not need, from every thread, and new threads.
    pub fn lock(&mut self) -> Result<(), ConfineError> {
        resources::forbid_processes()?;
        self.report.add(Measure::SystemCalls, system_calls::lock());
        Ok(())
    }

    /// Takes away the making of executable memory: from here on the process runs what it holds.
    ///
    /// Fails only where [`Confined::lock`] did, and then there is nothing to add to its report.
    pub fn seal_code(&self) {
        if self.report.applied(Measure::SystemCalls) && system_calls::seal_code().is_err() {
            // The kernel took two filters and not the third. Not serving is the one safe answer.
            std::process::abort();
        }
    }

    /// What was taken away, and what could not be.
    pub const fn report(&self) -> &Confinement {
        &self.report
    }
}
