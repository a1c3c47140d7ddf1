//! The bound of a day's spending, `max-spend-per-day`, over everything that was signed.

use refiner_journal::{Expense, Journal, JournalError};
use refiner_proofchain::Signed;

use super::{ProofSubmitter, TickError};
use crate::engine::clock::now_ms;

/// The time over which spending is bounded. It slides: at no moment do the last 24 hours cost more.
const DAY_MS: u64 = 24 * 3_600_000;
/// Wei of one coin.
const COIN: u128 = 1_000_000_000_000_000_000;

impl ProofSubmitter {
    /// The number of these transactions, in their order, that the day's bound leaves room for; proving pauses at none. Each is a
    /// nonce and the most wei that it can cost, and takes the place of earlier ones with its nonce.
    pub(super) fn affordable(&self, costs: &[(u64, u128)]) -> Result<usize, TickError> {
        let Some(bound) = self.terms.max_spend_wei else { return Ok(costs.len()) };
        let since = now_ms().saturating_sub(DAY_MS);
        let expenses = self.journal.with(|journal| journal.expenses(since))?;
        let mut spent = spent(&expenses, costs);
        let mut count = 0;
        for (_, cost) in costs {
            if spent.saturating_add(*cost) > bound {
                break;
            }
            spent = spent.saturating_add(*cost);
            count += 1;
        }
        if let (0, Some((_, needed))) = (count, costs.first()) {
            let (left, needed, bound) = (coins(bound.saturating_sub(spent)), coins(*needed), coins(bound));
            let reason =
                format!("max-spend-per-day is {bound}, {left} of it is left, and a transaction may cost {needed}");
            self.pause_for_money(reason, "wait until older transactions are a day old, or raise max-spend-per-day");
        }
        Ok(count)
    }
}

/// The cost of all transactions of the last 24 hours, in coins.
pub fn spent_in_a_day(journal: &Journal) -> Result<String, JournalError> {
    let expenses = journal.expenses(now_ms().saturating_sub(DAY_MS))?;
    Ok(coins(spent(&expenses, &[])))
}

/// The cost of what was signed, without the nonces of `replaced`.
fn spent(expenses: &[Expense], replaced: &[(u64, u128)]) -> u128 {
    let groups = expenses.chunk_by(|one, other| one.nonce == other.nonce);
    let counted =
        groups.filter(|group| replaced.iter().all(|(nonce, _)| Some(*nonce) != group.first().map(|e| e.nonce)));
    counted.map(cost).fold(0, u128::saturating_add)
}

/// Of transactions with one nonce one is mined at most: what it cost, or the most that any can cost.
fn cost(of_one_nonce: &[Expense]) -> u128 {
    if let Some(paid) = of_one_nonce.iter().find_map(|expense| expense.paid) {
        return paid;
    }
    if !of_one_nonce.iter().any(|expense| expense.open || expense.mined) {
        // Another's transaction took the nonce.
        return 0;
    }
    let most = |expense: &Expense| Signed::read(&expense.raw).map_or(0, |signed| signed.most_wei());
    of_one_nonce.iter().map(most).max().unwrap_or(0)
}

/// Wei as a person writes an amount: coins with as many decimals as it needs, at most nine.
pub fn coins(wei: u128) -> String {
    let fraction = format!("{:09}", wei % COIN / 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", wei / COIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expense(nonce: u64, open: bool, mined: bool, paid: Option<u128>) -> Expense {
        Expense { nonce, raw: TRANSACTION.parse().unwrap(), open, mined, paid }
    }

    /// 21,000 gas at 20 gwei at most: the example of EIP-155.
    const TRANSACTION: &str = "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    const MOST: u128 = 21_000 * 20_000_000_000;

    #[test]
    fn what_was_paid_counts_and_else_the_most_that_a_nonce_can_cost() {
        let expenses = [
            expense(0, false, true, Some(7)),
            expense(0, false, false, None),
            expense(1, false, true, None),
            expense(2, true, false, None),
            expense(2, true, false, None),
            expense(3, false, false, None),
        ];
        assert_eq!(spent(&expenses, &[]), 7 + MOST + MOST);
        assert_eq!(spent(&expenses, &[(2, 1)]), 7 + MOST, "what is replaced costs nothing");
    }

    #[test]
    fn amounts_are_written_in_coins() {
        for (wei, text) in [(0, "0"), (COIN, "1"), (COIN * 5 / 2, "2.5"), (1_000_000_000, "0.000000001"), (1, "0")] {
            assert_eq!(coins(wei), text);
        }
    }
}
