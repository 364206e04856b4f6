//! `external`: nobody is called; the desired size is published for others, such as KEDA, to read.

use crate::error::ProviderError;
use crate::provider::{ComputeProvider, Target};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use wci_core::spec::LaunchStrategy;

/// The sizes that this process has published, and a way to hear of changes.
#[derive(Clone, Debug)]
pub struct Published {
    sizes: Arc<watch::Sender<BTreeMap<Target, u32>>>,
}

impl Default for Published {
    fn default() -> Self {
        Self { sizes: Arc::new(watch::Sender::new(BTreeMap::new())) }
    }
}

impl Published {
    /// Publishes a size.
    pub fn set(&self, target: &Target, count: u32) {
        self.sizes.send_if_modified(|sizes| sizes.insert(target.clone(), count) != Some(count));
    }

    /// The size last published here.
    #[must_use]
    pub fn size(&self, target: &Target) -> Option<u32> {
        self.sizes.borrow().get(target).copied()
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BTreeMap<Target, u32>> {
        self.sizes.subscribe()
    }
}

pub(crate) struct External {
    pub(crate) target: Target,
    pub(crate) published: Published,
}

#[async_trait]
impl ComputeProvider for External {
    fn launch_strategy(&self) -> LaunchStrategy {
        LaunchStrategy::WorkerSet
    }

    async fn validate(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn set_worker_set_size(&self, count: u32) -> Result<(), ProviderError> {
        self.published.set(&self.target, count);
        Ok(())
    }
}
