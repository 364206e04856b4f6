//! What every provider gets around it: a time limit for each call, and errors freed of secrets.

use crate::error::ProviderError;
use crate::provider::{CallId, ComputeProvider};
use crate::secrets::scrub;
use async_trait::async_trait;
use std::future::Future;
use std::time::Duration;
use wci_core::spec::LaunchStrategy;

/// Longest time for each kind of call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For `validate`.
    pub validate: Duration,
    /// For one `invoke_worker` or `set_worker_set_size`.
    pub act: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { validate: Duration::from_secs(15), act: Duration::from_secs(60) }
    }
}

/// A provider whose calls end in time and whose errors hold no secret.
pub struct Guarded {
    inner: Box<dyn ComputeProvider>,
    secrets: Vec<String>,
    limits: Limits,
}

impl Guarded {
    /// Puts the guard around a provider.
    #[must_use]
    pub fn new(inner: Box<dyn ComputeProvider>, secrets: Vec<String>, limits: Limits) -> Self {
        Self { inner, secrets, limits }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        let ended = tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            Err(ProviderError::unavailable(format!("no answer within {} s", limit.as_secs_f64())))
        });
        ended.map_err(|e| ProviderError { message: scrub(&e.message, &self.secrets), ..e })
    }
}

#[async_trait]
impl ComputeProvider for Guarded {
    fn launch_strategy(&self) -> LaunchStrategy {
        self.inner.launch_strategy()
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        self.within(self.limits.validate, self.inner.validate()).await
    }

    async fn advise(&self) -> Result<Vec<String>, ProviderError> {
        self.within(self.limits.validate, self.inner.advise()).await
    }

    async fn invoke_worker(&self, id: &CallId) -> Result<(), ProviderError> {
        self.within(self.limits.act, self.inner.invoke_worker(id)).await
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        self.within(self.limits.act, self.inner.set_worker_set_size(count)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wci_core::controller::FailureClass;

    struct Slow;

    #[async_trait]
    impl ComputeProvider for Slow {
        fn launch_strategy(&self) -> LaunchStrategy {
            LaunchStrategy::Invoke
        }
        async fn validate(&self) -> Result<(), ProviderError> {
            Err(ProviderError::denied("id hunter22 is wrong"))
        }
        async fn invoke_worker(&self, _id: &CallId) -> Result<(), ProviderError> {
            std::future::pending().await
        }
    }

    fn guarded() -> Guarded {
        let limits = Limits { validate: Duration::from_secs(1), act: Duration::from_millis(10) };
        Guarded::new(Box::new(Slow), vec!["hunter22".into()], limits)
    }

    #[tokio::test]
    async fn a_call_without_an_answer_ends_as_unavailable() {
        let error = guarded().invoke_worker(&CallId::default()).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Unavailable);
        assert_eq!(error.message, "no answer within 0.01 s");
    }

    #[tokio::test]
    async fn errors_hold_no_secret() {
        assert_eq!(guarded().validate().await.unwrap_err().message, "id [secret] is wrong");
    }
}
