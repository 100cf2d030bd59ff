//! Reads that may block, on threads of their own, and no more of them than requests may be at work.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::problem::Problem;

/// How many reads may be at work or wait for a thread. One goes on to its end, whether its request still waits for the answer or not.
pub(crate) struct Reads(Arc<Semaphore>);

impl Reads {
    /// So many at most.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// Reads on a thread that may block, unless too many reads are under way, of which some may have outlived their requests.
    pub async fn run<T: Send + 'static>(&self, read: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
        let busy = |_| Problem::unavailable("busy", "too many requests are at work: see `console.max_concurrent_requests`");
        let permit = self.0.clone().try_acquire_owned().map_err(busy)?;
        let read = move || {
            let _until_its_end = permit;
            read()
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| Problem::internal(&error))?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_read_that_outlives_its_request_counts_until_its_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let reads = Reads::new(1);
            let (end, ended) = channel::<()>();
            let long = reads.run(move || Ok(ended.recv().is_ok()));
            assert!(tokio::time::timeout(Duration::from_millis(1), long).await.is_err(), "its request is given up");
            let refused = reads.run(|| Ok(())).await.expect_err("the thread is still at work");
            assert_eq!(refused.status, 503);
            end.send(()).unwrap();
            while reads.run(|| Ok(())).await.is_err() {
                tokio::task::yield_now().await;
            }
        });
    }
}
