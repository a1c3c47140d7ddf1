//! Lists and byte strings of the host, a piece at a time.

use std::iter;

/// Items asked for at once. A page of transactions, the widest items of fixed size, is then about 100 KiB, and calling
/// into the host for it costs well under one part in a hundred of reading it.
const PAGE_ITEMS: u32 = 512;

/// Bytes asked for at once: few enough to leave a guest's memory small, enough that the call is not what costs.
pub(crate) const CHUNK_BYTES: u32 = 64 * 1024;

/// Every item that `fetch(start, count)` gives, page by page, until a page is empty. The host may give fewer than asked.
pub(crate) fn items<T>(mut fetch: impl FnMut(u32, u32) -> Vec<T>) -> impl Iterator<Item = T> {
    let mut start = 0_u32;
    iter::from_fn(move || {
        let page = fetch(start, PAGE_ITEMS);
        start = start.saturating_add(u32::try_from(page.len()).unwrap_or(u32::MAX));
        (!page.is_empty()).then_some(page)
    })
    .flatten()
}

/// Every chunk that `fetch(offset, len)` gives, until one is empty. The host may give fewer bytes than asked.
pub(crate) fn chunks(mut fetch: impl FnMut(u64, u32) -> Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    let mut offset = 0_u64;
    iter::from_fn(move || {
        let chunk = fetch(offset, CHUNK_BYTES);
        offset = offset.saturating_add(chunk.len() as u64);
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host that owns `length` numbers and gives at most `budget` of them at once.
    fn host(length: u32, budget: u32) -> impl FnMut(u32, u32) -> Vec<u32> {
        move |start, count| (start..length).take(count.min(budget) as usize).collect()
    }

    #[test]
    fn every_item_comes_once_and_in_order_whatever_the_host_gives_at_a_time() {
        for length in [0, 1, PAGE_ITEMS - 1, PAGE_ITEMS, PAGE_ITEMS + 1, 3 * PAGE_ITEMS] {
            for budget in [1, 7, PAGE_ITEMS, u32::MAX] {
                assert!(items(host(length, budget)).eq(0..length), "{length} items, {budget} at a time");
            }
        }
    }

    #[test]
    fn iterator_asks_for_no_page_before_an_item_is_wanted() {
        let mut calls = 0;
        let mut list = items(|start, count| {
            calls += 1;
            host(PAGE_ITEMS + 1, u32::MAX)(start, count)
        });
        assert_eq!(list.next(), Some(0));
        drop(list);
        assert_eq!(calls, 1);
    }

    #[test]
    fn chunks_join_to_the_whole() {
        let bytes: Vec<u8> = (0..=250).cycle().take(2 * CHUNK_BYTES as usize + 3).collect();
        let fetch = |offset: u64, len: u32| {
            bytes.iter().skip(usize::try_from(offset).unwrap()).take(len as usize).copied().collect::<Vec<u8>>()
        };
        let lengths: Vec<usize> = chunks(fetch).map(|chunk| chunk.len()).collect();
        assert_eq!(lengths, [CHUNK_BYTES as usize, CHUNK_BYTES as usize, 3]);
        assert_eq!(chunks(fetch).flatten().collect::<Vec<u8>>(), bytes);
    }
}
