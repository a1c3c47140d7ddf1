//! The words of metrics for what became of work.

/// Outcome of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Retried,
    Waiting,
    Quarantined,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Done, Self::Retried, Self::Waiting, Self::Quarantined];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Waiting => "waiting",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Our result of one item beside those of other operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// No other operator proved a result of this specimen.
    Alone,
    /// None of the others' results was proved more often than ours.
    Agreed,
    /// Another result was.
    Differed,
}

impl Compared {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Alone, Self::Agreed, Self::Differed];

    /// The word for it in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Agreed => "agreed",
            Self::Differed => "differed",
        }
    }
}
