//! The interface `log`: messages for people.

use refiner_rule_model::LogLevel;

use super::HostState;
use crate::bindings::refiner::rule::log;

impl log::Host for HostState {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.budget.call("log.write")?;
        self.budget.copy(message.len())?;
        self.log.keep(level.into(), &message, &mut self.budget);
        Ok(())
    }
}

impl From<log::Level> for LogLevel {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
            log::Level::Error => Self::Error,
        }
    }
}
