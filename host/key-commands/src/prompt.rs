//! Questions on the terminal whose answers are not shown.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
};

use refiner_proofchain::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Most bytes of an answer; a terminal gives a line of at most 4 KiB.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// Prints the question on the terminal and reads a line that the terminal does not show.
///
/// # Errors
///
/// The system's, such as for a process without a terminal.
pub fn ask(question: &str) -> io::Result<Secret> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let silence = Silence::of(&terminal)?;
    write!(&terminal, "{question}: ")?;
    let mut answer = String::with_capacity(ANSWER_BYTES_MAX);
    let read = BufReader::new(&terminal).take(ANSWER_BYTES_MAX as u64).read_line(&mut answer);
    let answer = Secret::new(answer);
    drop(silence);
    read?;
    Ok(Secret::new(answer.expose().trim_end_matches(['\r', '\n']).to_owned()))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn of(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        // What was typed before the question is no answer to it.
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
