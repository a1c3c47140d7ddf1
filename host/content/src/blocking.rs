use std::panic::resume_unwind;

/// Runs work that hashes or touches files beside the asynchronous threads, and carries its panic back.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // Cancelled only when the runtime shuts down, and then no caller waits.
        Err(_) => std::future::pending().await,
    }
}
