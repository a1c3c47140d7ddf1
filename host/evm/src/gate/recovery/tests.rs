use std::cell::Cell;

use super::*;
use crate::interrupt::Uninterrupted;

/// EIP-155's own example, signed by this address.
const SIGNER: Address = alloy_primitives::address!("0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");

fn signed() -> Transaction {
    Transaction {
        nonce: 9,
        gas_price: 20_000_000_000,
        gas: 21_000,
        to: Some(Address::repeat_byte(0x35)),
        value: U256::from(10_u64.pow(18)),
        v: Some(U256::from(37)),
        r: Some(uint!(0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276_U256)),
        s: Some(uint!(0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83_U256)),
        ..Transaction::default()
    }
}

fn recovery<'a>(transactions: &'a [Transaction], senders: &'a [Address]) -> Recovery<'a> {
    Recovery::new(transactions, senders, Layout::V0_38, true)
}

#[test]
fn example_of_eip_155_has_its_signer() {
    assert_eq!(recover(&signed(), true), Some(SIGNER));
}

#[test]
fn first_wrong_sender_is_found_on_any_number_of_threads() {
    let transactions = vec![signed(); 60];
    let other = Address::repeat_byte(1);
    for wrong in [vec![], vec![0], vec![59], vec![31, 7, 30, 59], (20..60).collect::<Vec<_>>()] {
        let mut senders = vec![SIGNER; 60];
        wrong.iter().for_each(|index: &usize| senders[*index] = other);
        let first = wrong.iter().min().map(|index| WrongSender { index: *index, recovered: Some(SIGNER) });
        for helpers in [0, 1, 3] {
            let found = recovery(&transactions, &senders).on_threads(helpers, &Uninterrupted);
            assert_eq!(found, Ok(first), "{wrong:?} on {helpers} threads more");
        }
        assert_eq!(recovery(&transactions, &senders).first_wrong(&Uninterrupted), Ok(first), "{wrong:?}");
    }
}

#[test]
fn transactions_with_a_dropped_part_are_left_out() {
    let blob = Transaction { tx_type: 3, ..signed() };
    let transactions = [blob, signed()];
    let recovery = Recovery::new(&transactions, &[Address::ZERO, SIGNER], Layout::V0_36, true);
    assert_eq!(recovery.first_wrong(&Uninterrupted), Ok(None));
}

/// Ends a recovery after some checks.
struct After(Cell<u32>);

impl Interrupt for After {
    fn check(&self) -> Result<(), Interrupted> {
        self.0.set(self.0.get().checked_sub(1).ok_or(Interrupted { seconds: 0 })?);
        Ok(())
    }
}

#[test]
fn interruption_ends_a_recovery_on_every_thread() {
    let transactions = vec![signed(); 10_000];
    let senders = vec![SIGNER; 10_000];
    for helpers in [0, 1] {
        let recovery = recovery(&transactions, &senders);
        assert_eq!(recovery.on_threads(helpers, &After(Cell::new(5))), Err(Interrupted { seconds: 0 }));
        assert!(recovery.next.load(Ordering::Relaxed) < 10_000, "{helpers}");
    }
}

#[test]
fn block_takes_a_core_for_every_twelve_transactions_and_gives_them_back() {
    let busy = AtomicUsize::new(0);
    for (transactions, helpers) in [(0, 0), (11, 0), (12, 0), (23, 0), (24, 1), (59, 3), (60, 4), (10_000, 7)] {
        let cores = Cores::take(&busy, 8, transactions);
        assert_eq!(cores.helpers(), helpers, "{transactions}");
        assert_eq!(busy.load(Ordering::Relaxed), 1 + helpers);
    }
    assert_eq!(busy.load(Ordering::Relaxed), 0);
}

#[test]
fn cores_of_another_block_are_left_to_it() {
    let busy = AtomicUsize::new(0);
    let [first, second, third] = [60, 60, 60].map(|transactions| Cores::take(&busy, 8, transactions));
    assert_eq!([first.helpers(), second.helpers(), third.helpers()], [4, 2, 0]);
}

#[test]
fn every_core_of_the_process_is_available() {
    assert_eq!(available(), thread::available_parallelism().unwrap().get());
}
