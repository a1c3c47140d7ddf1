//! The row of a setting: everything that is known of it before anything is read.

use std::{fmt, marker::PhantomData};

use crate::value::{Form, Measure, Read};

/// Makes the scopes once: the enum, the list of them all, and each as a type.
macro_rules! scopes {
    ($($(#[doc = $meaning:literal])+ $name:ident),* $(,)?) => {
        /// A command, or a part of one, with the settings that it takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Scope {
            $($(#[doc = $meaning])+ $name,)*
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }

        /// The scopes as types.
        pub mod scope {
            use super::{Scope, Scoped};

            $(
                #[doc = concat!("[`Scope::", stringify!($name), "`].")]
                #[derive(Clone, Copy, Debug)]
                pub struct $name;

                impl Scoped for $name {
                    const SCOPE: Scope = Scope::$name;
                }
            )*
        }
    };
}

scopes! {
    /// Every command.
    Program,
    /// The configuration file of [`Scope::Run`].
    File,
    /// `refiner run` and `refiner config show`.
    Run,
    /// `refiner replay`.
    Replay,
    /// `refiner specimen check`.
    SpecimenCheck,
    /// `refiner rule check`.
    RuleCheck,
    /// `refiner rule info`.
    RuleInfo,
    /// `refiner rule run`.
    RuleRun,
    /// `refiner rule lock`.
    RuleLock,
    /// `refiner rule push`.
    RulePush,
    /// `refiner rule verify`.
    RuleVerify,
    /// `refiner evm serve`.
    EvmServe,
    /// `refiner content get`.
    ContentGet,
    /// `refiner content put`.
    ContentPut,
    /// `refiner content serve`.
    ContentServe,
    /// `refiner key new`.
    KeyNew,
    /// `refiner key import`.
    KeyImport,
    /// `refiner key address`.
    KeyAddress,
    /// The daemon's directory, for commands that look into it.
    Data,
    /// `refiner session show`.
    Session,
    /// `refiner work`.
    Work,
    /// `refiner queue status`.
    Queue,
    /// The worker hosts of `refiner replay`.
    ReplayHosts,
}

/// A scope as a type, for the flags that it has.
pub trait Scoped: Clone + fmt::Debug + Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
}

/// One setting, whose values are of type `T`.
#[derive(Debug)]
pub struct Setting<T> {
    /// Its row in the table.
    pub row: Row,
    value: PhantomData<fn() -> T>,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The flag without its dashes, and the key in a file; `REFINER_` and this in capitals is the variable.
    pub name: &'static str,
    /// The placeholder of the value in help.
    pub value_name: &'static str,
    /// The section of help.
    pub heading: Option<&'static str>,
    /// One sentence or two.
    pub help: &'static str,
    /// The value that holds where none is given, as it would be written; `None` where help describes it or there is none.
    pub default: Option<&'static str>,
    /// The least and the greatest value, as they would be written.
    pub bounds: Option<(&'static str, &'static str)>,
    /// The scopes that it belongs to.
    pub scopes: &'static [Scope],
    /// The variable, where its name does not follow from the setting's.
    pub variable: Option<&'static str>,
    /// A variable without a flag.
    pub flagless: bool,
    /// Several values: repeated flags, commas in the environment, an array in a file.
    pub list: bool,
    /// Commas separate the entries of a list in flags too.
    pub commas: bool,
    /// The TOML type of a value. A flag of a switch needs none.
    pub form: Form,
    /// The value may carry a credential, and stands in no error.
    pub confidential: bool,
    /// The value is the path of a file with a secret. A key in its place is refused, and stands in no error.
    pub secret_file: bool,
    /// Names before the present one.
    pub former: &'static [Former],
    pub(crate) measure: fn(&str) -> Option<Measure>,
    /// The form of a value, for errors.
    pub(crate) expected: &'static str,
}

/// A name that a setting had, which still works.
#[derive(Clone, Copy, Debug)]
pub enum Former {
    /// A name of an earlier version of this program, as flag, variable and key. Values had no unit where one is named here.
    Name {
        /// The name.
        name: &'static str,
        /// The unit that its values were in.
        unit: Option<&'static str>,
    },
    /// A variable of the network's earlier refiner. It is not deprecated: operators share one environment with other programs.
    Variable(&'static str),
}

/// A former name whose values had no unit, and were in this one.
pub const fn in_unit(name: &'static str, unit: &'static str) -> Former {
    Former::Name { name, unit: Some(unit) }
}

/// A former name with values as they are now.
pub const fn named(name: &'static str) -> Former {
    Former::Name { name, unit: None }
}

impl<T: Read> Setting<T> {
    /// A setting without default, bounds and scopes.
    pub(crate) const fn new(name: &'static str, value_name: &'static str, help: &'static str) -> Self {
        let row = Row {
            name,
            value_name,
            heading: None,
            help,
            default: None,
            bounds: None,
            scopes: &[],
            variable: None,
            flagless: false,
            list: T::LIST,
            commas: false,
            form: T::FORM,
            confidential: false,
            secret_file: false,
            former: &[],
            measure: T::measure,
            expected: T::EXPECTED,
        };
        Self { row, value: PhantomData }
    }

    pub(crate) const fn default(mut self, text: &'static str) -> Self {
        self.row.default = Some(text);
        self
    }

    pub(crate) const fn within(mut self, least: &'static str, most: &'static str) -> Self {
        self.row.bounds = Some((least, most));
        self
    }

    pub(crate) const fn on(mut self, scopes: &'static [Scope]) -> Self {
        self.row.scopes = scopes;
        self
    }

    pub(crate) const fn flagless(mut self) -> Self {
        self.row.flagless = true;
        self
    }

    pub(crate) const fn variable(mut self, name: &'static str) -> Self {
        self.row.variable = Some(name);
        self
    }

    pub(crate) const fn under(mut self, heading: &'static str) -> Self {
        self.row.heading = Some(heading);
        self
    }

    pub(crate) const fn formerly(mut self, former: &'static [Former]) -> Self {
        self.row.former = former;
        self
    }

    /// Separates a flag's value at commas too.
    pub(crate) const fn with_commas(mut self) -> Self {
        self.row.commas = true;
        self
    }

    /// Keeps the value out of errors.
    pub(crate) const fn confidential(mut self) -> Self {
        self.row.confidential = true;
        self
    }

    /// Refuses a key in the place of the path.
    pub(crate) const fn of_secret(mut self) -> Self {
        self.row.secret_file = true;
        self
    }

    /// Replaces the form of a value in errors.
    pub(crate) const fn expecting(mut self, expected: &'static str) -> Self {
        self.row.expected = expected;
        self
    }
}

impl Row {
    /// The environment variable.
    pub fn variable(&self) -> String {
        self.variable.map_or_else(|| variable_of(self.name), str::to_owned)
    }

    /// Every environment variable that gives it, former ones included.
    pub(crate) fn variables(&self) -> impl Iterator<Item = String> {
        let former = self.former.iter().map(|former| match former {
            Former::Name { name, .. } => variable_of(name),
            Former::Variable(name) => (*name).to_owned(),
        });
        std::iter::once(self.variable()).chain(former)
    }

    /// True when it belongs to the scope.
    pub fn is_in(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// The variable of a setting's name.
pub(crate) fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// The beginning of this program's variables.
pub(crate) const PREFIX: &str = "REFINER_";
