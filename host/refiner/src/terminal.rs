//! Standard output, standard error and the log, which escape what others wrote.
//!
//! Fields that stand on one line are escaped where they are printed ([`OneLine`]). What is forgotten there is caught here.

use std::{
    fmt::{self, Debug},
    io::{self, IsTerminal as _, StderrLock, StdoutLock},
};

use refiner_text::{EscapingWriter, OneLine, Style};
use tracing::field::Field;
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    fmt::format::{Writer, debug_fn},
};

/// Standard output for text, or for JSON.
pub fn out(json: bool) -> EscapingWriter<StdoutLock<'static>> {
    EscapingWriter::new(io::stdout().lock(), if json { Style::Json } else { Style::Text })
}

/// Standard error.
pub fn err() -> EscapingWriter<StderrLock<'static>> {
    EscapingWriter::new(io::stderr().lock(), Style::Text)
}

/// Text of several lines, with every line but the first indented: none can be taken for a line of the program's.
pub fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| OneLine(line).to_string()).collect();
    lines.join("\n      ")
}

/// Begins to log what passes `filter` to standard error.
pub fn log(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(debug_fn(field).delimited(" "))
        .with_writer(io::stderr)
        .with_ansi(ansi)
        .init();
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

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
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

    #[test]
    fn lines_after_the_first_are_indented() {
        assert_eq!(indented("TOML\n  | \u{1b}x\nerror: no"), "TOML\n        | \\u{1b}x\n      error: no");
        assert_eq!(indented(""), "");
    }
}
