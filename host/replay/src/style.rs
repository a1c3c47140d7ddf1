//! Forms of a report.

/// The form in which runs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A line for each artifact, for people.
    Table,
    /// A JSON object for each run, one a line.
    Json,
    /// Only the closing lines.
    Summary,
}
