//! A provider for tests and shadow runs: it records what it is asked and does nothing.

use crate::error::ProviderError;
use crate::provider::{CallId, ComputeProvider};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use wci_core::spec::LaunchStrategy;

/// What a provider was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// To check its configuration.
    Validate,
    /// To start one worker more.
    InvokeWorker,
    /// To set the size.
    SetWorkerSetSize(u32),
}

/// Records every call; fails with the failure it was given, if any.
#[derive(Clone, Debug)]
pub struct Recording {
    strategy: LaunchStrategy,
    calls: Arc<Mutex<Vec<Call>>>,
    failure: Option<ProviderError>,
}

impl Recording {
    /// A provider of this strategy on which every call succeeds.
    #[must_use]
    pub fn new(strategy: LaunchStrategy) -> Self {
        Self { strategy, calls: Arc::default(), failure: None }
    }

    /// The same, but every call fails.
    #[must_use]
    pub fn failing(self, failure: ProviderError) -> Self {
        Self { failure: Some(failure), ..self }
    }

    /// What it was asked so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, call: Call) -> Result<(), ProviderError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn only(&self, strategy: LaunchStrategy, call: Call) -> Result<(), ProviderError> {
        if self.strategy != strategy {
            return Err(ProviderError::rejected(format!(
                "this provider's launch strategy is {}",
                self.strategy
            )));
        }
        self.note(call)
    }
}

#[async_trait]
impl ComputeProvider for Recording {
    fn launch_strategy(&self) -> LaunchStrategy {
        self.strategy
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        self.note(Call::Validate)
    }

    async fn invoke_worker(&self, _id: &CallId) -> Result<(), ProviderError> {
        self.only(LaunchStrategy::Invoke, Call::InvokeWorker)
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        self.only(LaunchStrategy::WorkerSet, Call::SetWorkerSetSize(count))
    }
}
