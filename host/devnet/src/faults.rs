//! Troubles in turn, each for a while, so that status, alerts and remedies can be seen.

use std::time::{Duration, Instant};

use alloy_primitives::U256;

use crate::{
    children::Children,
    contracts::OPERATOR,
    error::DevnetError,
    node::Node,
    relay::Relay,
    services::{CONTENT, Services},
};

/// The operator's balance at other times: ten thousand coins.
const BALANCE: u128 = 10_000_000_000_000_000_000_000;
/// Less than any proof costs.
const LOW_BALANCE: u128 = 1_000;

/// A trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    PinnerDown,
    NodeErrors,
    LowBalance,
    FrozenHead,
}

impl Fault {
    const ALL: [Self; 4] = [Self::PinnerDown, Self::NodeErrors, Self::LowBalance, Self::FrozenHead];

    /// The trouble, and the place where it is seen.
    const fn as_str(self) -> &'static str {
        match self {
            Self::PinnerDown => "the pinner is down: `pinner` in What it waits for",
            Self::NodeErrors => "the node answers 503: `scan` or `prove` in What it waits for",
            Self::LowBalance => "the operator has no money: proving is paused",
            Self::FrozenHead => "no block comes: `head` in What it waits for, once the newest is ten minutes old",
        }
    }
}

/// The beginning or the end of a trouble.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// Whether it begins.
    pub begins: bool,
    /// The trouble, and the place where it is seen.
    pub what: &'static str,
}

/// The troubles and the time.
pub struct Faults {
    length: Duration,
    since: Instant,
    /// Number of the current part: healthy times are even, troubles odd.
    part: usize,
}

impl Faults {
    /// Each trouble lasts `length`, and the time before it half of that.
    pub fn new(length: Duration) -> Self {
        Self { length, since: Instant::now(), part: 0 }
    }

    /// Begins or ends a trouble when it is time, and gives which.
    pub async fn play(
        &mut self,
        node: &Node,
        relay: &Relay,
        services: &Services,
        children: &mut Children,
    ) -> Result<Option<Trouble>, DevnetError> {
        let begins = self.part.is_multiple_of(2);
        let part = if begins { self.length / 2 } else { self.length };
        if self.since.elapsed() < part {
            return Ok(None);
        }
        let fault = Fault::ALL[self.part / 2 % Fault::ALL.len()];
        (self.part, self.since) = (self.part + 1, Instant::now());
        match fault {
            Fault::PinnerDown if begins => children.stop(CONTENT),
            Fault::PinnerDown => services.start_content(children)?,
            Fault::NodeErrors => relay.set_failing(begins),
            Fault::LowBalance => {
                let wei = if begins { LOW_BALANCE } else { BALANCE };
                node.set_balance(OPERATOR, U256::from(wei)).await?;
            }
            Fault::FrozenHead => node.set_seconds_between_blocks(u64::from(!begins)).await?,
        }
        Ok(Some(Trouble { begins, what: fault.as_str() }))
    }
}
