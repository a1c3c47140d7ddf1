//! Standard output, standard error and the log, which escape what others wrote.
//!
//! * **Inputs**: texts, values and bytes to show.
//! * **Outputs**: standard output and standard error, and the log as text or JSON.
//! * **Invariants**: no text from outside moves the cursor or adds a line.
//!
//! Fields that stand on one line are escaped where they are printed ([`OneLine`]). What is forgotten there is caught here.
//!
//! ```
//! use refiner_terminal::out;
//!
//! // The second line is escaped, and stands on the same line.
//! writeln!(out(false), "{}", refiner_text::OneLine("name\nof a file"))?;
//! # Ok::<_, refiner_terminal::PrintError>(())
//! ```

pub mod failure;

use std::{
    fmt::{self, Debug},
    io::{self, BufWriter, IsTerminal as _, StderrLock, StdoutLock, Write},
};

use refiner_config::LogFormat;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_text::{EscapingWriter, OneLine, Style};
use serde::Serialize;
use tracing::field::Field;
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    filter,
    fmt::format::{Writer, debug_fn},
};

/// Standard output. Unlike those of [`Write`], its methods fail with a [`PrintError`], which a command can end with.
pub struct Stdout<W>(W);

/// Standard output that escapes.
pub type EscapingStdout = Stdout<EscapingWriter<StdoutLock<'static>>>;

/// Text that cannot be printed.
#[derive(Debug, thiserror::Error)]
#[error("cannot print the result: {0}")]
pub struct PrintError(#[from] io::Error);

/// The words for one, or those for any other number.
///
/// ```
/// use refiner_terminal::by_number;
///
/// assert_eq!(by_number(1, "item", "items"), "item");
/// assert_eq!(by_number(0, "item", "items"), "items");
/// ```
pub const fn by_number(count: u64, one: &'static str, other: &'static str) -> &'static str {
    if count == 1 { one } else { other }
}

impl From<serde_json::Error> for PrintError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.into())
    }
}

impl Diagnostic for PrintError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::of_unwritten_output(&self.0)
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// Standard output for text, or for JSON.
pub fn out(json: bool) -> EscapingStdout {
    Stdout(EscapingWriter::new(io::stdout().lock(), if json { Style::Json } else { Style::Text }))
}

/// Standard output for many lines; [`Stdout::finish`] prints the last of them.
pub fn buffered_out(json: bool) -> Stdout<BufWriter<EscapingWriter<StdoutLock<'static>>>> {
    Stdout(BufWriter::new(out(json).0))
}

/// Standard output for bytes that are no text.
pub fn raw_out() -> Stdout<StdoutLock<'static>> {
    Stdout(io::stdout().lock())
}

impl<W: Write> Stdout<W> {
    /// Prints what `write!` and `writeln!` format.
    pub fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<(), PrintError> {
        Ok(self.0.write_fmt(text)?)
    }

    /// Prints bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        Ok(self.0.write_all(bytes)?)
    }

    /// Prints a value as one line of JSON.
    pub fn json_line(&mut self, value: &impl Serialize) -> Result<(), PrintError> {
        serde_json::to_writer(&mut self.0, value)?;
        writeln!(self)
    }

    /// Prints a value as indented JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), PrintError> {
        serde_json::to_writer_pretty(&mut self.0, value)?;
        writeln!(self)
    }

    /// Prints what is still in a buffer.
    pub fn finish(&mut self) -> Result<(), PrintError> {
        Ok(self.0.flush()?)
    }
}

impl<W: Write> Write for Stdout<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Standard error.
pub fn err() -> EscapingWriter<StderrLock<'static>> {
    EscapingWriter::new(io::stderr().lock(), Style::Text)
}

/// A value of `--log` that is no filter.
#[derive(Debug, thiserror::Error)]
#[error("malformed log filter {filter:?}: {source}")]
pub struct LogFilterError {
    filter: String,
    source: filter::ParseError,
}

impl Diagnostic for LogFilterError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        Some("a filter looks like `info` or `warn,refiner=debug`".into())
    }
}

/// Directive for the client of NATS: it has a line or two for each try to connect, and the queue's own lines tell the same once a minute.
const QUIET: &str = "async_nats=off";

/// The filter, without what only repeats others, unless the text names it.
fn directives(text: &str) -> Result<EnvFilter, filter::ParseError> {
    let filter = EnvFilter::try_new(text)?;
    Ok(if text.contains("async_nats") { filter } else { filter.add_directive(QUIET.parse()?) })
}

/// Begins to log what passes `filter` to standard error.
pub fn log(filter: &str, format: LogFormat) -> Result<(), LogFilterError> {
    let filter = directives(filter).map_err(|source| LogFilterError { filter: filter.to_owned(), source })?;
    // The library would print to the same standard error that it cannot write to, and panic.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    match format {
        LogFormat::Text => {
            let ansi = io::stderr().is_terminal();
            builder.fmt_fields(debug_fn(field).delimited(" ")).with_writer(io::stderr).with_ansi(ansi).init();
        }
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(|| EscapingWriter::new(io::stderr(), Style::Json))
            .init(),
    }
    Ok(())
}

/// One field of an event, on its line.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    let value = OneLine(format_args!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{value}"),
        name => write!(writer, "{name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn client_of_nats_is_silent_unless_the_filter_names_it() {
        let logged = |filter: &str| {
            let kept = Kept::default();
            let writer = kept.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(directives(filter).unwrap())
                .with_writer(move || writer.clone())
                .with_ansi(false)
                .finish();
            tracing::subscriber::with_default(subscriber, || {
                tracing::error!(target: "async_nats::connector", "theirs");
                tracing::info!(target: "async_nats", "theirs");
                tracing::info!(target: "refiner_queue", "ours");
            });
            let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            [log.matches("theirs").count(), log.matches("ours").count()]
        };
        for (filter, expected) in [
            ("info", [0, 1]),
            ("debug", [0, 1]),
            ("warn", [0, 0]),
            ("warn,refiner_queue=info", [0, 1]),
            ("info,async_nats=info", [2, 1]),
            ("off,async_nats::connector=error", [1, 0]),
            ("", [0, 0]),
        ] {
            assert_eq!(logged(filter), expected, "{filter:?}");
        }
    }

    #[test]
    fn fields_of_the_log_are_escaped() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(debug_fn(field).delimited(" "))
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        let hostile = "\u{1b}[2J\nERROR all is lost\u{202e}";
        tracing::subscriber::with_default(subscriber, || {
            let _span = tracing::info_span!("run", rule = hostile).entered();
            tracing::info!(error = %hostile, text = hostile, "It said {hostile}.");
        });
        let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(!log.contains(['\u{1b}', '\u{202e}']), "{log}");
        assert!(log.contains("error=\\u{1b}[2J\\u{a}ERROR all is lost\\u{202e}"), "{log}");
        assert!(log.contains("It said \\u{1b}[2J"), "{log}");
    }
}
