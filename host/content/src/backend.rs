use futures_util::future::BoxFuture;

use crate::{Accept, Content, ContentId, FetchError, KeepError, Origin};

/// A backend that content can be fetched from.
pub trait FetchBackend: Send + Sync {
    /// Where that is, for messages.
    fn origin(&self) -> &Origin;

    /// Fetches what `id` names, checked. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`FetchError`]
    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>>;

    /// Fetches what `id` names and `accept` takes. A caller that checked the id before, when it kept the bytes, need not check it again.
    ///
    /// # Errors
    ///
    /// [`FetchError`], [`FetchError::NotAccepted`] among them.
    fn fetch_accepted<'a>(&'a self, id: &'a ContentId, accept: Accept) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(async move { self.fetch(id).await?.confirm(Some(accept), self.origin()).await })
    }
}

/// A source that also keeps content.
pub trait ContentStore: FetchBackend {
    /// Keeps content under the id of the network's UnixFS profile and returns that id. Keeping the same again is no error.
    ///
    /// # Errors
    ///
    /// [`KeepError`]
    fn keep<'a>(&'a self, content: &'a Content) -> BoxFuture<'a, Result<ContentId, KeepError>>;
}
