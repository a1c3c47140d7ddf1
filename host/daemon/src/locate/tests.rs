use alloy_primitives::Address;

use super::*;
use crate::testbed::{FixedIndex, Testbed, announcement, lock};

struct Located {
    bed: Testbed,
    index: Arc<FixedIndex>,
    prefetcher: LocationPrefetcher,
    items: Vec<Item>,
}

fn located(heights: std::ops::Range<u64>, operator: Option<Address>) -> Located {
    let (bed, index) = (Testbed::new(), Arc::new(FixedIndex::default()));
    let items = bed.announce(heights);
    let prefetcher = LocationPrefetcher::new(bed.journal.clone(), Arc::clone(&index) as _, operator);
    Located { bed, index, prefetcher, items }
}

#[tokio::test(start_paused = true)]
async fn specimens_that_are_due_next_are_asked_about_in_one_request() {
    let Located { index, prefetcher, items, .. } = located(1..21, None);
    for item in &items[..TOGETHER] {
        assert!(prefetcher.locate(item).await.unwrap().may_be_proved);
    }
    let hashes = |items: &[Item]| items.iter().map(|item| (item.specimen_hash, false)).collect::<Vec<_>>();
    assert_eq!(*lock(&index.asked), [hashes(&items[..TOGETHER])]);
    prefetcher.locate(&items[TOGETHER]).await.unwrap();
    assert_eq!(lock(&index.asked)[1], hashes(&items[TOGETHER..]));
}

#[tokio::test(start_paused = true)]
async fn answer_is_used_for_five_seconds() {
    let Located { index, prefetcher, items, .. } = located(1..4, None);
    prefetcher.locate(&items[0]).await.unwrap();
    tokio::time::sleep(GOOD_FOR - Duration::from_millis(1)).await;
    prefetcher.locate(&items[1]).await.unwrap();
    assert_eq!(lock(&index.asked).len(), 1);
    tokio::time::sleep(Duration::from_millis(1)).await;
    prefetcher.locate(&items[2]).await.unwrap();
    assert_eq!(lock(&index.asked).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn specimen_that_failed_before_is_asked_about_anew() {
    let Located { index, prefetcher, items, .. } = located(1..3, None);
    prefetcher.locate(&items[0]).await.unwrap();
    prefetcher.locate(&Item { attempts: 1, ..items[1].clone() }).await.unwrap();
    assert_eq!(lock(&index.asked).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn session_of_the_operator_decides_whether_a_result_may_be_proved() {
    let Located { index, prefetcher, items, .. } = located(1..2, Some(Address::with_last_byte(7)));
    lock(&index.closed).push(items[0].specimen_hash);
    assert!(!prefetcher.locate(&items[0]).await.unwrap().may_be_proved);
    let unproved = Item { proves: false, ..items[0].clone() };
    prefetcher.locate(&unproved).await.unwrap();
    let sessions: Vec<_> = lock(&index.asked).iter().map(|questions| questions[0].1).collect();
    assert_eq!(sessions, [true, false], "of a result that is not proved no session is asked");
}

#[tokio::test(start_paused = true)]
async fn specimen_that_a_node_left_out_is_asked_about_again_and_keeps_no_other_waiting() {
    let Located { bed, index, prefetcher, items } = located(1..4, None);
    lock(&index.left_out).extend([items[0].specimen_hash, items[1].specimen_hash]);
    assert!(matches!(prefetcher.locate(&items[0]).await, Err(StageError::Rpc(_))));
    prefetcher.locate(&items[2]).await.unwrap();
    assert_eq!(lock(&index.asked).len(), 1);
    lock(&index.left_out).clear();
    prefetcher.locate(&items[1]).await.unwrap();
    assert_eq!(lock(&index.asked).len(), 2);
    lock(&index.errors).push_back(RpcError::NoEndpoint);
    let late = bed.announce_one(announcement(9));
    assert!(matches!(prefetcher.locate(&late).await, Err(StageError::Rpc(_))));
}
