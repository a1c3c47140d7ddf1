//! A soak: announcements through faults of all kinds at once, and in the end exactly one proof for each.
//!
//! The test is short; `cargo xtask soak --announcements 2000 --seed 1` runs a long one by the two variables below.

mod compare;
mod drill;
mod kinds;
mod plan;
mod play;
mod report;
mod spoil;

use std::env;

use self::{plan::Plan, play::Soak};

/// Announcements of the short soak.
const SHORT: usize = 60;
/// Its seed.
const SEED: u64 = 13;

fn number(variable: &str) -> Option<u64> {
    Some(env::var(variable).ok()?.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn soak_through_faults_of_all_kinds_proves_every_announcement_once() {
    let announcements = number("REFINER_SOAK_ANNOUNCEMENTS").map_or(SHORT, |count| count.try_into().unwrap());
    let plan = Plan::new(announcements, number("REFINER_SOAK_SEED").unwrap_or(SEED));
    let seed = plan.seed;
    let Some(soak) = Soak::new(plan, announcements).await else { return };
    let (report, differences) = soak.run().await;
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{report}");
    }
    assert!(differences.is_empty(), "soak with seed {seed} failed:\n  {}", differences.join("\n  "));
}
