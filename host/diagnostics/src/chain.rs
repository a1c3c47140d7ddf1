//! The printer of error chains.

use std::{error::Error, fmt, iter};

use refiner_text::OneLine;

/// An error and its causes on one line, `error: cause: cause`, escaped. A cause that its error's message already ends with is left out.
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'e>(pub &'e (dyn Error + 'e));

/// The causes of an error, the nearest first.
pub fn causes<'e>(error: &'e (dyn Error + 'e)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(error.source(), |cause: &&'e (dyn Error + 'static)| (*cause).source())
}

/// The messages of an error's causes, without those that the message before already ends with.
pub(crate) fn further_messages<'e>(error: &'e (dyn Error + 'e)) -> impl Iterator<Item = String> {
    let mut before = error.to_string();
    causes(error).filter_map(move |cause| {
        let message = cause.to_string();
        let is_new = !before.ends_with(&message);
        before.clone_from(&message);
        is_new.then_some(message)
    })
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", OneLine(self.0))?;
        further_messages(self.0).try_for_each(|message| write!(f, ": {}", OneLine(message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Sample {
        #[error("cannot read {0}")]
        Outer(&'static str, #[source] Box<Sample>),
        #[error("{0}: {1}")]
        Quoting(&'static str, #[source] Box<Sample>),
        #[error("{0}")]
        Leaf(&'static str),
    }

    fn check(error: &Sample, expected: &str) {
        assert_eq!(ErrorChain(error).to_string(), expected);
    }

    #[test]
    fn causes_follow_each_once() {
        let leaf = |text| Box::new(Sample::Leaf(text));
        check(&leaf("no room"), "no room");
        check(&Sample::Outer("a", leaf("no room")), "cannot read a: no room");
        check(&Sample::Quoting("a", leaf("no room")), "a: no room");
        let quoting = Box::new(Sample::Quoting("b", leaf("no room")));
        check(&Sample::Outer("a", quoting), "cannot read a: b: no room");
    }

    #[test]
    fn hostile_text_is_escaped_in_every_link() {
        let hostile = Sample::Outer("a\u{1b}[2J", Box::new(Sample::Leaf("b\nerror: forged\u{202e}")));
        check(&hostile, "cannot read a\\u{1b}[2J: b\\u{a}error: forged\\u{202e}");
    }
}
