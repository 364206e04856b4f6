//! The one suite that every provider passes, whatever it talks to.

use serde_json::Value;
use std::time::{Duration, Instant};
use wci_core::controller::FailureClass;
use wci_core::spec::{LaunchStrategy, Spec};
use wci_providers::guard::{Guarded, Limits};
use wci_providers::provider::{CallId, ComputeProvider, Target};
use wci_providers::{Host, Registry};

/// How the other side behaves from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Answers with this HTTP status.
    Failing(u16),
    /// Takes the call and never answers.
    Silent,
}

/// The other side of a provider, as a test sees it.
pub trait OtherSide {
    /// `compute` of a spec that leads to it; its secrets hold the word `hunter22`.
    fn compute(&self) -> Value;
    fn host(&self) -> Host;
    /// Workers started so far, or the size of the set.
    fn workers(&self) -> u32;
    /// False: it has no such mood.
    fn set_mood(&self, mood: Mood) -> bool;
}

pub fn provider(side: &impl OtherSide, registry: &Registry) -> Guarded {
    provider_within(Duration::from_secs(60), side, registry)
}

fn provider_within(limit: Duration, side: &impl OtherSide, registry: &Registry) -> Guarded {
    let spec = serde_json::json!({"scaling_group_specs": {"g": {"compute": side.compute()}}});
    let spec = Spec::from_json(&spec).unwrap();
    let target = Target {
        namespace: "n".into(),
        deployment_name: "d".into(),
        build_id: "b".into(),
        group: "g".into(),
    };
    let limits = Limits { validate: limit, act: limit };
    let host = Host { limits, ..side.host() };
    registry.provider(&host, &target, &spec.group("g").unwrap().compute).unwrap()
}

/// Runs the whole suite.
pub async fn conforms(side: &impl OtherSide) {
    let registry = Registry::default();
    let provider = provider(side, &registry);
    checks_without_changing_anything(side, &provider).await;
    match provider.launch_strategy() {
        LaunchStrategy::Invoke => starts_workers(side, &provider).await,
        LaunchStrategy::WorkerSet => sets_sizes(side, &provider).await,
    }
    tells_failures_apart(side, &provider).await;
    ends_in_time(side, &provider_within(Duration::from_secs(2), side, &registry)).await;
}

async fn checks_without_changing_anything(side: &impl OtherSide, provider: &Guarded) {
    let before = side.workers();
    provider.validate().await.unwrap();
    provider.validate().await.unwrap();
    assert_eq!(side.workers(), before, "a check changed something");
}

async fn starts_workers(side: &impl OtherSide, provider: &Guarded) {
    let before = side.workers();
    provider.invoke_worker(&CallId::default()).await.unwrap();
    provider.invoke_worker(&CallId::default()).await.unwrap();
    let begun = Instant::now();
    while side.workers() != before + 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} workers instead of two more", side.workers());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let wrong = provider.set_worker_set_size(3).await.unwrap_err();
    assert_eq!(wrong.class, FailureClass::Rejected);
}

async fn sets_sizes(side: &impl OtherSide, provider: &Guarded) {
    for size in [3, 3, 0, 1] {
        provider.set_worker_set_size(size).await.unwrap();
        assert_eq!(side.workers(), size);
    }
    let wrong = provider.invoke_worker(&CallId::default()).await.unwrap_err();
    assert_eq!(wrong.class, FailureClass::Rejected);
}

async fn act(provider: &Guarded) -> Result<(), wci_providers::ProviderError> {
    match provider.launch_strategy() {
        LaunchStrategy::Invoke => provider.invoke_worker(&CallId::default()).await,
        LaunchStrategy::WorkerSet => provider.set_worker_set_size(2).await,
    }
}

async fn tells_failures_apart(side: &impl OtherSide, provider: &Guarded) {
    let before = side.workers();
    for (status, class) in [
        (429, FailureClass::Throttled),
        (503, FailureClass::Unavailable),
        (403, FailureClass::Denied),
        (404, FailureClass::NotFound),
        (400, FailureClass::Rejected),
    ] {
        if !side.set_mood(Mood::Failing(status)) {
            return;
        }
        let error = act(provider).await.unwrap_err();
        assert_eq!(error.class, class, "{status}: {error}");
        assert!(!error.message.contains("hunter22"), "{error}");
        assert!(error.message.len() > 10, "too few words: {error}");
    }
    assert_eq!(side.workers(), before, "a failed call changed something");
    side.set_mood(Mood::Well);
    act(provider).await.unwrap();
}

async fn ends_in_time(side: &impl OtherSide, provider: &Guarded) {
    if !side.set_mood(Mood::Silent) {
        return;
    }
    let begun = Instant::now();
    let error = act(provider).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Unavailable, "{error}");
    // The limit is two seconds, and the clients' own ones are longer than this.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    side.set_mood(Mood::Well);
}
