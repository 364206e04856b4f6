//! `external`: nobody is called; the desired size is published for others, such as KEDA, to read.

use crate::error::ProviderError;
use crate::provider::{ComputeProvider, Target, VersionName};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
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

    /// Forgets the sizes of a controller that is gone.
    pub fn forget(&self, gone: &VersionName) {
        self.sizes.send_if_modified(|sizes| {
            let before = sizes.len();
            sizes.retain(|target, _| target.version_name() != *gone);
            sizes.len() != before
        });
    }

    /// The controllers whose sizes were published here.
    #[must_use]
    pub fn controllers(&self) -> BTreeSet<VersionName> {
        self.sizes.borrow().keys().map(Target::version_name).collect()
    }

    /// Hears of the changes of one group's size from now on.
    #[must_use]
    pub fn news(&self, target: Target) -> News {
        let mut sizes = self.sizes.subscribe();
        let known = sizes.borrow_and_update().get(&target).copied();
        News { sizes, target, known }
    }
}

/// Whether the size of one group was published anew.
pub struct News {
    sizes: watch::Receiver<BTreeMap<Target, u32>>,
    target: Target,
    known: Option<u32>,
}

impl News {
    /// Waits until the size is another than at the last time; false if it stays the same for so long.
    pub async fn come(&mut self, within: Duration) -> bool {
        let Self { sizes, target, known } = self;
        let is_new = |sizes: &BTreeMap<Target, u32>| sizes.get(target).copied() != *known;
        let came = timeout(within, sizes.wait_for(is_new)).await;
        match came.map(|came| came.map(|sizes| sizes.get(target).copied())) {
            Ok(Ok(size)) => {
                *known = size;
                true
            }
            // Nobody publishes any more: the process stops.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => false,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn target(build: &str, group: &str) -> Target {
        Target {
            deployment_name: "d".into(),
            build_id: build.into(),
            group: group.into(),
            ..Target::default()
        }
    }

    #[tokio::test]
    async fn only_a_groups_own_size_is_news_of_it() {
        let published = Published::default();
        published.set(&target("1", "a"), 3);
        let mut news = published.news(target("1", "a"));
        let short = Duration::from_millis(20);
        assert!(!news.come(short).await, "it was published before");
        published.set(&target("1", "b"), 4);
        published.set(&target("2", "a"), 5);
        published.set(&target("1", "a"), 3);
        assert!(!news.come(short).await, "others, and the same again");
        published.set(&target("1", "a"), 2);
        assert!(news.come(LONG).await);
        assert!(!news.come(short).await, "once");
        published.forget(&target("1", "a").version_name());
        assert!(news.come(LONG).await, "its end is news");
    }

    #[test]
    fn a_controller_that_is_gone_leaves_no_size() {
        let published = Published::default();
        for (build, group) in [("1", "a"), ("1", "b"), ("2", "a")] {
            published.set(&target(build, group), 3);
        }
        let gone = target("1", "a").version_name();
        published.forget(&gone);
        assert_eq!(
            [("1", "a"), ("1", "b"), ("2", "a")].map(|(b, g)| published.size(&target(b, g))),
            [None, None, Some(3)]
        );
        assert_eq!(published.controllers(), BTreeSet::from([target("2", "a").version_name()]));
    }
}
