//! From a rule to a component's exports.
//!
//! Natively the macros only check that the rule and its manifest are what they should be, so that a rule's crate builds
//! and tests like any other.

use crate::{Evm, Output, Rule, RuleError, RuleWithEvm, Specimen, Summary, host};

pub use crate::bindings::exports::refiner::rule::rule::Guest;
pub use crate::host::BlockSpecimen;

/// Exports a [`Rule`](crate::Rule) as a component of the world `transform`, described by the `rule.toml` beside the
/// crate's `Cargo.toml`.
#[macro_export]
macro_rules! export_transform {
    ($rule:ty) => {
        $crate::__export!($rule, "transform", refine);
    };
}

/// Exports a [`RuleWithEvm`](crate::RuleWithEvm) as a component of the world `transform-with-evm`, described by the
/// `rule.toml` beside the crate's `Cargo.toml`.
#[macro_export]
macro_rules! export_transform_with_evm {
    ($rule:ty) => {
        $crate::__export!($rule, "transform-with-evm", refine_with_evm);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($rule:ty, $world:literal, $refine:ident) => {
        const _: () = {
            fn describe() -> $crate::Description {
                $crate::__private::describe!($world)
            }

            fn refine(specimen: &$crate::__private::BlockSpecimen) -> Result<$crate::Summary, $crate::RuleError> {
                $crate::__private::$refine::<$rule>(specimen)
            }

            #[cfg(target_family = "wasm")]
            const _: () = {
                struct Component;

                impl $crate::__private::Guest for Component {
                    fn describe() -> $crate::Description {
                        describe()
                    }

                    fn refine(
                        specimen: &$crate::__private::BlockSpecimen,
                    ) -> Result<$crate::Summary, $crate::RuleError> {
                        refine(specimen)
                    }
                }

        $crate::__private::bindings::export_component!(Component with_types_in $crate::__private::bindings);
            };

            #[cfg(not(target_family = "wasm"))]
            const _: $crate::__private::Exports = (describe, refine);
        };
    };
}

/// The exports of a rule, as functions.
pub type Exports = (fn() -> crate::Description, fn(&BlockSpecimen) -> Result<Summary, RuleError>);

/// The export of a rule without the capability to execute.
///
/// # Errors
/// The rule's own.
pub fn refine<R: Rule>(host: &host::BlockSpecimen) -> Result<Summary, RuleError> {
    log_panics();
    R::refine(&Specimen { host }, &mut Output(()))
}

/// The export of a rule with the capability to execute.
///
/// # Errors
/// The rule's own.
pub fn refine_with_evm<R: RuleWithEvm>(host: &host::BlockSpecimen) -> Result<Summary, RuleError> {
    log_panics();
    R::refine(&Specimen { host }, &Evm(()), &mut Output(()))
}

/// Has the text and the place of a panic reach the log: all else that is left of it is a trap.
fn log_panics() {
    #[cfg(target_family = "wasm")]
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("a value that is no text");
        match panic.location() {
            Some(place) => crate::log::error(format_args!("panicked at {place}: {text}")),
            None => crate::log::error(format_args!("panicked: {text}")),
        }
    }));
}
