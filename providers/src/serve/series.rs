//! Figures by their labels. A series ends with the controller that it is about: builds are new with each deployment, so
//! what stayed would grow for ever. Gauges also end when nobody writes them any more: another process serves that
//! controller now, or nobody.

use super::metrics::Labels;
use crate::provider::VersionName;
use prometheus_client::metrics::family::Family;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Twice the longest time between two polls: a controller that is served here has been written by then.
pub(super) const KEPT: Duration = Duration::from_secs(2 * 300);

/// A figure for each set of labels.
#[derive(Clone, Debug)]
pub struct Series<M> {
    pub(super) family: Family<Labels, M>,
    written: Arc<Mutex<BTreeMap<Labels, Instant>>>,
}

impl<M: Default> Default for Series<M> {
    fn default() -> Self {
        Self::made_by(M::default)
    }
}

impl<M> Series<M> {
    /// Series that begin with what this makes.
    pub(super) fn made_by(make: fn() -> M) -> Self {
        Self { family: Family::new_with_constructor(make), written: Arc::default() }
    }

    /// Changes the series of these labels; what `set` returns, the former value, is of no use.
    pub fn write<T>(&self, labels: &Labels, set: impl FnOnce(&M) -> T) {
        self.write_at(Instant::now(), labels, set);
    }

    fn write_at<T>(&self, now: Instant, labels: &Labels, set: impl FnOnce(&M) -> T) {
        // Held until the value stands, so that nobody drops the series in between.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(labels.clone(), now);
        drop(set(&*self.family.get_or_create(labels)));
    }

    /// Drops the series that were not written for too long.
    pub(super) fn drop_old(&self, now: Instant) {
        self.drop_where(|_, at| now.saturating_duration_since(at) > KEPT);
    }

    /// Drops the series of a controller that is gone.
    pub(super) fn drop_controller(&self, gone: &VersionName) {
        self.drop_where(|labels, _| {
            labels.worker_deployment_name == gone.0 && labels.worker_build_id == gone.1
        });
    }

    /// The controllers that there are series of.
    pub(super) fn controllers(&self) -> BTreeSet<VersionName> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let named = written.keys().filter(|labels| !labels.worker_deployment_name.is_empty());
        named.map(|labels| (labels.worker_deployment_name.clone(), labels.worker_build_id.clone())).collect()
    }

    fn drop_where(&self, is_over: impl Fn(&Labels, Instant) -> bool) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|labels, at| {
            let is_over = is_over(labels, *at);
            if is_over {
                self.family.remove(labels);
            }
            !is_over
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::gauge::Gauge;

    fn labels(build: &str, provider: &str) -> Labels {
        Labels {
            worker_deployment_name: "d".into(),
            worker_build_id: build.into(),
            compute_provider: provider.into(),
            ..Labels::default()
        }
    }

    #[test]
    fn a_series_that_nobody_writes_any_more_ends() {
        let (gauge, begun) = (Series::<Gauge>::default(), Instant::now());
        let write = |build, at| gauge.write_at(at, &labels(build, ""), |g| g.set(3));
        write("1", begun);
        write("2", begun);
        write("2", begun + KEPT);
        gauge.drop_old(begun + KEPT);
        assert!(gauge.family.get(&labels("1", "")).is_some(), "it is not over yet");
        gauge.drop_old(begun + KEPT + Duration::from_secs(1));
        assert!(gauge.family.get(&labels("1", "")).is_none());
        assert_eq!(gauge.family.get(&labels("2", "")).map(|g| g.get()), Some(3));
    }

    #[test]
    fn a_deleted_controller_takes_all_its_series_along() {
        let gauge = Series::<Gauge>::default();
        for (build, provider) in [("1", "k8s"), ("1", "aws-ecs"), ("2", "k8s")] {
            gauge.write(&labels(build, provider), |g| g.set(1));
        }
        let version = |build: &str| ("d".to_owned(), build.to_owned());
        assert_eq!(gauge.controllers(), BTreeSet::from([version("1"), version("2")]));
        gauge.drop_controller(&version("1"));
        assert_eq!(gauge.controllers(), BTreeSet::from([version("2")]));
        let has = |build, provider| gauge.family.get(&labels(build, provider)).is_some();
        assert_eq!([has("1", "k8s"), has("1", "aws-ecs"), has("2", "k8s")], [false, false, true]);
    }
}
