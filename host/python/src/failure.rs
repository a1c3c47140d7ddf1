//! Errors as exceptions, by their exit codes.

use pyo3::{
    Bound, PyAny, PyErr, PyResult, Python,
    types::{PyAnyMethods as _, PyModule},
};
use refiner_diagnostics::{Diagnostic, ErrorChain, ExitCode};

/// The module of the exceptions.
const MODULE: &str = "refiner._errors";

/// The name of the exception of a class of errors.
const fn class(code: ExitCode) -> &'static str {
    match code {
        ExitCode::Usage => "UsageError",
        ExitCode::Input => "InputError",
        ExitCode::Refused => "RuleRefusedError",
        ExitCode::Host => "HostError",
        // Verdicts and interruptions are no errors of a library, which returns the one and raises the other by itself.
        ExitCode::Done | ExitCode::Internal | ExitCode::Verdict | ExitCode::Interrupted => "InternalError",
    }
}

/// The exception for an error: its message with the causes, and its hint.
pub fn exception(py: Python<'_>, error: &dyn Diagnostic) -> PyErr {
    let message = ErrorChain(error).to_string();
    of_class(py, class(error.exit_code()), &message, error.hint().as_deref())
}

/// A wrong argument.
pub fn usage(py: Python<'_>, message: &str) -> PyErr {
    of_class(py, class(ExitCode::Usage), message, None)
}

/// A fault of this program.
pub fn internal(py: Python<'_>, message: &str) -> PyErr {
    of_class(py, class(ExitCode::Internal), message, None)
}

fn of_class(py: Python<'_>, class: &str, message: &str, hint: Option<&str>) -> PyErr {
    let made = || -> PyResult<Bound<'_, PyAny>> {
        let class = PyModule::import(py, MODULE)?.getattr(class)?;
        class.call1((message, hint))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}
