//! The flags of a command, made from the table.

use std::{fmt, marker::PhantomData, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use crate::{
    environment::Environment,
    file,
    problem::{ConfigError, Problem},
    row::{Former, Row, Scope, Scoped},
    table,
    value::Form,
    values::{Given, Values},
};

/// The flags of one command, as they were given. Nothing of them is checked before [`Flags::read`].
#[derive(Clone)]
pub struct Flags<S> {
    given: Given,
    scope: PhantomData<S>,
}

impl<S: Scoped> Flags<S> {
    /// Reads these flags, then the environment of the process, and logs a warning for each former name.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong, not only the first.
    pub fn values(&self) -> Result<Values, ConfigError> {
        let mut problems = Vec::new();
        let values = self.read_from(&Environment::of_process(), None, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        values.warn();
        Ok(values)
    }

    /// Reads these flags, then this environment, then a file. Problems are collected, for more of the caller's own.
    pub fn read_from(&self, environment: &Environment, file: Option<&PathBuf>, problems: &mut Vec<Problem>) -> Values {
        // After these two every command reads settings of its own, whose mistakes are reported together with a misspelled variable.
        if !matches!(S::SCOPE, Scope::Program | Scope::File) {
            problems.extend(environment.misspelled());
        }
        let in_file = file.map(|path| (path, file::read(path, S::SCOPE, problems)));
        let in_file = in_file.as_ref().map(|(path, given)| (*path, given));
        Values::merge(S::SCOPE, &self.given, environment, in_file, problems)
    }
}

impl<S> Default for Flags<S> {
    /// No flags: the environment and a file alone give settings.
    fn default() -> Self {
        Self { given: Given::new(), scope: PhantomData }
    }
}

impl<S: Scoped> fmt::Debug for Flags<S> {
    /// Names only: a value may be a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

impl<S: Scoped> Args for Flags<S> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(arguments(S::SCOPE))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<S: Scoped> FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Given::new();
        for name in names(S::SCOPE) {
            if let Some(texts) = matches.get_many::<String>(name) {
                given.insert(name.to_owned(), texts.cloned().collect());
            }
        }
        Ok(Self { given, scope: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Every name of a scope's flags, former ones included.
fn names(scope: Scope) -> impl Iterator<Item = &'static str> {
    let rows = table::rows().filter(move |row| row.is_in(scope) && !row.flagless);
    rows.flat_map(|row| {
        let former = row.former.iter().filter_map(|former| match former {
            Former::Name { name, .. } => Some(*name),
            Former::Variable(_) => None,
        });
        std::iter::once(row.name).chain(former)
    })
}

fn arguments(scope: Scope) -> Vec<Arg> {
    let mut arguments = Vec::new();
    for row in table::rows().filter(|row| row.is_in(scope) && !row.flagless) {
        arguments.push(argument(row, row.name, scope).help(help(row)));
        for former in row.former {
            if let Former::Name { name, .. } = former {
                arguments.push(argument(row, name, scope).hide(true));
            }
        }
    }
    arguments
}

/// A flag under one of a row's names. Its value is checked with all others, so clap takes any text.
fn argument(row: &'static Row, name: &'static str, scope: Scope) -> Arg {
    let mut argument = Arg::new(name).long(name).value_name(row.value_name).global(scope == Scope::Program);
    argument = argument.action(if row.list { ArgAction::Append } else { ArgAction::Set });
    if let Some(heading) = row.heading {
        argument = argument.help_heading(heading);
    }
    if row.form == Form::Switch {
        // Only `run` has no other arguments, of which the next one could be taken for the value.
        argument = argument.num_args(0..=1).default_missing_value("true").require_equals(scope != Scope::Run);
    }
    argument
}

/// The sentence of a row, its variable and its default.
fn help(row: &Row) -> String {
    let default =
        row.default.filter(|_| row.form != Form::Switch).map(|text| format!(" [default: {text}]")).unwrap_or_default();
    format!("{} [env: {}]{default}", row.help.trim_start(), row.variable())
}
