//! Errors as exceptions, by their exit codes.

use pyo3::{
    Bound, PyAny, PyErr, PyResult, Python,
    types::{PyAnyMethods as _, PyModule},
};
use refiner_config::{Row, table};
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

/// Flags of the program that are arguments of the package. Of the others, settings are variables of the environment.
const ARGUMENTS: [(&str, &str); 8] = [
    ("block-hashes", "block_hashes="),
    ("blocks", "blocks="),
    ("chain-config", "chain_configs="),
    ("isolate", "isolate="),
    ("param", "params="),
    ("rule", "rules="),
    ("threads", "threads="),
    ("u256", "wide_numbers="),
];

/// An error in a process that was forked after a replay.
pub const FORKED: &str = "this process was forked after a replay, and has none of the threads that it would wait for";

/// The exception for an error: its message with the causes, and its hint.
pub fn exception(py: Python<'_>, error: &dyn Diagnostic) -> PyErr {
    let message = ErrorChain(error).to_string();
    // Of a message only the flag that it is about: the rest may quote others.
    let message = if message.starts_with("--") { in_python(&message, 1) } else { message };
    let hint = error.hint().map(|hint| in_python(&hint, usize::MAX));
    of_class(py, class(error.exit_code()), &message, hint.as_deref())
}

/// Text with its first flags as they are called in Python.
fn in_python(text: &str, flags_max: usize) -> String {
    let mut parts = text.split("--");
    let mut done = parts.next().unwrap_or_default().to_owned();
    for (position, part) in parts.enumerate() {
        let end = part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').unwrap_or(part.len());
        let (flag, rest) = part.split_at(end);
        match in_python_flag(flag).filter(|_| position < flags_max) {
            Some(name) => done.push_str(&name),
            None => done.extend(["--", flag]),
        }
        done.push_str(rest);
    }
    done
}

fn in_python_flag(flag: &str) -> Option<String> {
    let argument = ARGUMENTS.iter().find(|(known, _)| *known == flag).map(|(_, argument)| (*argument).to_owned());
    let setting = || table::rows().find(|row| row.name == flag && !row.flagless).map(Row::variable);
    argument.or_else(setting)
}

/// The exception of a process that was forked after a replay.
pub fn forked(py: Python<'_>) -> PyErr {
    let hint = "use multiprocessing's method 'spawn' or 'forkserver', or replay in the forked processes alone";
    of_class(py, class(ExitCode::Host), FORKED, Some(hint))
}

/// The exception where children cannot be started, since the interpreter is inside of another program.
pub fn no_interpreter(py: Python<'_>, rule: &str) -> PyErr {
    let message = format!(
        "{rule:?}: a rule that is not built in is compiled in a child process, which is the interpreter, and sys.executable is none"
    );
    let hint = "set sys.executable to the path of python3, or put it on the PATH";
    of_class(py, class(ExitCode::Host), &message, Some(hint))
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
