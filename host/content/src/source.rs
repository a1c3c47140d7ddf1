use futures_util::future::BoxFuture;

use crate::{Content, ContentId, FetchError, KeepError, Origin};

/// What content can be fetched from.
pub trait Source: Send + Sync {
    /// Where that is, for messages.
    fn origin(&self) -> &Origin;

    /// Fetches what `id` names, checked. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`FetchError`]
    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>>;
}

/// A source that also keeps content.
pub trait ContentStore: Source {
    /// Keeps content under the id of the network's recipe and returns that id. Keeping the same again is no error.
    ///
    /// # Errors
    ///
    /// [`KeepError`]
    fn keep<'a>(&'a self, content: &'a Content) -> BoxFuture<'a, Result<ContentId, KeepError>>;
}
