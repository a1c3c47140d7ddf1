//! Items in quarantine: the remedy for each, and the command that tries it again.

use std::path::Path;

use refiner_journal::{Item, State};
use refiner_status_page::Quarantined;

/// Remedies by the stage that a reason begins with.
const BY_STAGE: [(&str, &str); 3] = [
    (
        "fetch: ",
        "the specimen is not what its announcement names, or no source has its bytes unchanged; try again once another producer or gateway has it, else leave it or skip it",
    ),
    (
        "refine: ",
        "workers were lost or no rule takes it; try again when the machine has memory to spare, and where it comes back report it with `refiner doctor --bundle`",
    ),
    ("pin: ", "the pinner refused the result for good; compare its log and its limits, then try again"),
];
/// Remedy for proofs whose transactions failed one after the other.
const TRANSACTIONS: &str = "the contract refused each transaction; `refiner session show HEIGHT` tells where its session stands, then try again";
const OTHER: &str = "the log around that time has more; try again once its cause is gone, or skip it";

pub fn item(item: Item, data: &Path) -> Quarantined {
    let reason = item.reason.unwrap_or_default();
    Quarantined {
        command: format!("refiner journal retry --data {} {}", quoted(data), item.id),
        item: item.id.to_string(),
        height: item.height,
        rule: item.rule_name,
        remedy: remedy(&reason).to_owned(),
        reason,
        since_ms: item.state_ms,
    }
}

pub fn list_command(data: &Path) -> String {
    format!("refiner journal list --data {} --state {}", quoted(data), State::Quarantined)
}

fn remedy(reason: &str) -> &'static str {
    if reason.ends_with("transactions failed") {
        return TRANSACTIONS;
    }
    BY_STAGE.iter().find(|(stage, _)| reason.starts_with(stage)).map_or(OTHER, |(_, remedy)| remedy)
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedy_follows_from_the_stage_that_failed() {
        assert_eq!(remedy("fetch: no specimen: 3 bytes left over"), BY_STAGE[0].1);
        assert_eq!(remedy("refine: given up after 2 of 2 tries"), BY_STAGE[1].1);
        assert_eq!(remedy("3 transactions failed"), TRANSACTIONS);
        assert_eq!(remedy(""), OTHER);
    }

    #[test]
    fn path_in_a_command_is_one_word_of_a_shell() {
        assert_eq!(quoted(Path::new("/var/lib/refiner")), "/var/lib/refiner");
        assert_eq!(quoted(Path::new("/a b/it's; rm")), r"'/a b/it'\''s; rm'");
    }
}
