//! The objects below a prefix of a store, one after the other, with an end whatever the store answers.

use std::time::Duration;

use futures_util::{TryStreamExt as _, stream::BoxStream};
use object_store::{ObjectMeta, ObjectStore, path::Path};
use refiner_text::UntrustedText;
use tokio::time::timeout;

use crate::{
    error::{ReadFault, RemoteError},
    kind::StoreKind,
    limits::OBJECTS_MAX,
};

/// The objects below a prefix, in the order of the store, which is not always that of their keys.
pub(crate) struct Objects<'a> {
    listed: BoxStream<'static, object_store::Result<ObjectMeta>>,
    /// The URL that is listed, for errors.
    name: &'a str,
    kind: StoreKind,
    /// The longest time without a further object.
    wait: Duration,
    seen: usize,
    /// The last object whose number is a power of two.
    mark: Option<Path>,
}

impl<'a> Objects<'a> {
    pub fn below(store: &dyn ObjectStore, prefix: &Path, name: &'a str, kind: StoreKind, wait: Duration) -> Self {
        Self { listed: store.list(Some(prefix)), name, kind, wait, seen: 0, mark: None }
    }

    /// The number of objects so far.
    pub const fn seen(&self) -> usize {
        self.seen
    }

    /// The next object, or none at the end.
    pub async fn next(&mut self) -> Result<Option<ObjectMeta>, RemoteError> {
        // The client asks for the next page as long as the store names one, also after pages without objects.
        let Ok(next) = timeout(self.wait, self.listed.try_next()).await else {
            return Err(self.fault(ReadFault::ListingStuck { seconds: self.wait.as_secs() }));
        };
        let Some(object) = next.map_err(|error| self.fault(ReadFault::of(&error)))? else { return Ok(None) };
        // Pages that come again and again bring the marked object again, however many they are: the distance between two marks grows
        // until they fit in. No set of all keys is needed.
        if self.mark.as_ref() == Some(&object.location) {
            let key = UntrustedText::new(object.location.as_ref());
            return Err(self.fault(ReadFault::ListingRepeats { key }));
        }
        self.seen += 1;
        if self.seen > OBJECTS_MAX {
            return Err(RemoteError::TooMany { name: self.name.to_owned() });
        }
        if self.seen.is_power_of_two() {
            self.mark = Some(object.location.clone());
        }
        Ok(Some(object))
    }

    fn fault(&self, fault: ReadFault) -> RemoteError {
        RemoteError::Store { name: self.name.to_owned(), kind: Some(self.kind), fault }
    }
}
