//! Room in memory that requests share.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::RequestError;

/// The unit in which bytes are counted: a semaphore counts to 2³², and a budget can be larger than that many bytes.
const UNIT_BYTES: usize = 1 << 10;

/// A number of bytes to reserve from.
#[derive(Clone)]
pub(super) struct Budget {
    units: Arc<Semaphore>,
    total_bytes: usize,
    wait: Duration,
}

/// Bytes that a request holds, until it is dropped.
#[derive(Default)]
pub(super) struct Reserved {
    units: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(total_bytes: usize, wait: Duration) -> Self {
        let units = (total_bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self { units: Arc::new(Semaphore::new(units)), total_bytes, wait }
    }

    /// Reserves bytes, for which it may wait.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Reserved, RequestError> {
        let mut reserved = Reserved::default();
        self.grow(&mut reserved, bytes).await?;
        Ok(reserved)
    }

    /// Reserves more bytes for the same request, for which it may wait.
    pub(super) async fn grow(&self, reserved: &mut Reserved, more_bytes: usize) -> Result<(), RequestError> {
        let bytes = reserved.bytes.saturating_add(more_bytes);
        if bytes > self.total_bytes {
            return Err(RequestError::TooLarge { limit_bytes: self.total_bytes });
        }
        let held = reserved.units.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = u32::try_from(bytes.div_ceil(UNIT_BYTES).saturating_sub(held)).map_err(|_| RequestError::Busy)?;
        match timeout(self.wait, Arc::clone(&self.units).acquire_many_owned(needed)).await {
            Ok(Ok(units)) => match &mut reserved.units {
                Some(held) => held.merge(units),
                none => *none = Some(units),
            },
            Ok(Err(_)) | Err(_) => return Err(RequestError::Busy),
        }
        reserved.bytes = bytes;
        Ok(())
    }
}
