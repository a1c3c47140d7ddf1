//! Specimens of the tasks in hand and of the last ones before: each is fetched once for all rules, however many slots ask at a time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::B256;
use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_diagnostics::ErrorChain;
use refiner_specimen::{sha256, specimen_hash};
use tokio::sync::OnceCell;

use crate::{
    limits::{SPECIMENS_KEPT, SPECIMENS_KEPT_BYTES},
    message::Task,
    origins::Origins,
};

/// A specimen that is there, or on its way.
type Coming = Arc<OnceCell<Bytes>>;

/// The specimens that a host has in memory, by the hash that was announced.
#[derive(Default)]
pub(super) struct Specimens {
    // A lock because slots ask side by side; held for a look into the list.
    shelf: Mutex<VecDeque<(B256, Coming)>>,
    /// Memory that is used again from one to the next.
    buffers: Buffers,
}

impl Specimens {
    /// The bytes of the task's specimen, which have the announced hash. Kept for other tasks only where more than one rule is served.
    pub async fn get(&self, task: &Task, origins: &Origins, rules: usize) -> Result<Bytes, String> {
        let place = self.place(task.specimen.hash);
        let bytes = place.get_or_try_init(|| self.fetched(task, origins)).await.cloned();
        let (count, bytes_max) = if rules > 1 { (SPECIMENS_KEPT, SPECIMENS_KEPT_BYTES) } else { (0, 0) };
        trim(&mut self.shelf(), count, bytes_max);
        bytes
    }

    fn place(&self, hash: B256) -> Coming {
        let mut shelf = self.shelf();
        if let Some((_, place)) = shelf.iter().find(|(other, _)| *other == hash) {
            return Arc::clone(place);
        }
        let place = Coming::default();
        shelf.push_back((hash, Arc::clone(&place)));
        place
    }

    async fn fetched(&self, task: &Task, origins: &Origins) -> Result<Bytes, String> {
        let name = task.specimen_name().map_err(|error| error.to_string())?;
        // The named ones first; all of them are ours.
        let mut from = origins.select(&task.from);
        from.extend(origins.bases());
        from.dedup();
        let announced = task.specimen.hash;
        let length = usize::try_from(task.specimen.bytes).unwrap_or(usize::MAX);
        let accept = Arc::new(move |bytes: &[u8]| specimen_hash(bytes) == announced || sha256(bytes) == announced);
        let fetched = origins.fetch_known(&from, &name, length, accept, &self.buffers).await;
        fetched.map_err(|error| format!("specimen not fetched: {}", ErrorChain(&error)))
    }

    /// The list is whole after each statement.
    fn shelf(&self) -> MutexGuard<'_, VecDeque<(B256, Coming)>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the first specimens until the rest is within both bounds. A task that uses one of them keeps its bytes.
fn trim(shelf: &mut VecDeque<(B256, Coming)>, count: usize, bytes_max: usize) {
    let length = |place: &Coming| place.get().map_or(0, Bytes::len);
    let mut bytes: usize = shelf.iter().map(|(_, place)| length(place)).sum();
    while shelf.len() > count || bytes > bytes_max {
        let Some((_, dropped)) = shelf.pop_front() else { break };
        bytes -= length(&dropped).min(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::SocketAddr,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use futures_util::future::join_all;
    use refiner_content::serve::{ContentName, ContentSource, ServeLimits, serve_source};
    use refiner_http_client::Egress;
    use refiner_listener::{Access, bind};
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// Serves three specimens, and counts what is fetched.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    fn specimen(number: u8) -> Vec<u8> {
        vec![number; 100_000]
    }

    impl ContentSource for Counted {
        fn length(&self, _: &ContentName) -> Option<usize> {
            Some(100_000)
        }

        fn in_memory(&self, _: &ContentName) -> Option<Bytes> {
            None
        }

        fn read(&self, name: &ContentName) -> Option<Bytes> {
            std::thread::sleep(Duration::from_millis(20));
            self.0.fetch_add(1, Ordering::Relaxed);
            let asked = |number: &u8| *name == ContentName::Announced(specimen_hash(&specimen(*number)).0);
            // One that is not known is answered with other bytes.
            Some((1..4).find(asked).map_or_else(|| vec![9; 100_000], specimen).into())
        }
    }

    fn task(hash: B256, rule: u8) -> Task {
        Task::new(1, 1, B256::ZERO, hash, None, 100_000, B256::repeat_byte(rule), 1_000, None)
    }

    #[tokio::test]
    async fn specimen_is_fetched_once_for_every_rule_and_kept_within_bounds() {
        let (source, stop) = (Arc::new(Counted::default()), CancellationToken::new());
        let _stopped = stop.clone().drop_guard();
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (serving, limits) = (Arc::clone(&source) as _, ServeLimits::default());
        tokio::spawn(serve_source(listener, serving, limits, Access::default(), stop));
        let patience = Duration::from_secs(30);
        let origins = Origins::new(&[base], Egress::default(), patience, patience).unwrap();
        let specimens = Specimens::default();
        let fetches = || source.0.load(Ordering::Relaxed);
        let hash = |number| specimen_hash(&specimen(number));
        let all = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (1, 4)].map(|(number, rule)| {
            let (task, specimens, origins) = (task(hash(number), rule), &specimens, &origins);
            async move { specimens.get(&task, origins, 4).await.map(|bytes| bytes == specimen(number)) }
        });
        assert!(join_all(all).await.into_iter().all(|is_same| is_same == Ok(true)));
        assert_eq!(fetches(), 3);
        // What is not what was announced is not kept, and is asked for again.
        for fetched in [4, 5] {
            let refused = specimens.get(&task(B256::repeat_byte(7), 1), &origins, 4).await.unwrap_err();
            assert!(refused.contains("whose hash is not the announced one"), "{refused}");
            assert_eq!(fetches(), fetched);
        }
        // With one rule, no other task needs it.
        for fetched in [5, 6] {
            assert!(specimens.get(&task(hash(2), 1), &origins, 1).await.is_ok());
            assert_eq!((fetches(), specimens.shelf().len()), (fetched, 0));
        }
    }

    #[test]
    fn first_specimens_are_dropped_when_there_is_no_room() {
        let place = |length: usize| Arc::new(OnceCell::from(Bytes::from(vec![0; length])));
        let shelf: VecDeque<_> = (1..=4)
            .map(|number| (B256::repeat_byte(number), place(100)))
            .chain([(B256::ZERO, Coming::default())])
            .collect();
        for (count, bytes_max, left) in [(5, 400, 5), (3, 400, 3), (5, 399, 4), (5, 100, 2), (0, 0, 0)] {
            let mut shelf = shelf.clone();
            trim(&mut shelf, count, bytes_max);
            assert_eq!(shelf.len(), left, "{count} {bytes_max}");
        }
    }
}
