//! Pages: part of a list, never more than the budget of one call.

use super::{Budget, BudgetExceeded};

impl Budget {
    /// The items from `start` on, at most `count` and never more than fit one call. `bytes_of` is the size of an item.
    /// A single item that does not fit stops the guest: it could never be read.
    pub(crate) fn page<T, U>(
        &mut self,
        items: &[T],
        start: u32,
        count: u32,
        bytes_of: impl Fn(&T) -> usize,
        convert: impl Fn(usize, &T) -> U,
    ) -> Result<Vec<U>, BudgetExceeded> {
        let start = start as usize;
        let asked = items.get(start..).unwrap_or_default();
        let asked = &asked[..asked.len().min(count as usize)];
        let (fitting, bytes) = fitting(asked, self.call_bytes(), bytes_of);
        self.copy(bytes)?;
        Ok(asked[..fitting].iter().enumerate().map(|(position, item)| convert(start + position, item)).collect())
    }

    /// The bytes from `offset` on, at most `len` and never more than fit one call.
    pub(crate) fn bytes(&mut self, bytes: &[u8], offset: u64, len: u32) -> Result<Vec<u8>, BudgetExceeded> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let asked = bytes.get(start..).unwrap_or_default();
        let given = &asked[..asked.len().min(len as usize).min(self.call_bytes())];
        self.copy(given.len())?;
        Ok(given.to_vec())
    }
}

/// The number of items that fit, at least one when there is one, and their bytes.
fn fitting<T>(items: &[T], bytes_max: usize, bytes_of: impl Fn(&T) -> usize) -> (usize, usize) {
    let mut bytes = 0usize;
    for (position, item) in items.iter().enumerate() {
        let with_item = bytes.saturating_add(bytes_of(item));
        if with_item > bytes_max && position > 0 {
            return (position, bytes);
        }
        bytes = with_item;
    }
    (items.len(), bytes)
}
