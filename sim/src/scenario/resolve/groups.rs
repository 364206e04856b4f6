//! Each group's workers, provider and price: the scenario's own words over the provider type's defaults.

use super::laws::times;
use super::{Problems, ROOT};
use crate::dist::Dist;
use crate::model::{
    Group, KeepAlive, Nanos, OnLimit, Price, ProviderMode, ProviderModel, Started, WorkerModel,
};
use crate::scenario::Span;
use crate::scenario::defaults;
use crate::scenario::error::Problem;
use crate::scenario::file::{self, ByType, File, KeepAliveLaw, Limit, Mode, PerType, Times};
use crate::scenario::key::KeyPath;
use wci_core::Spec;
use wci_core::algorithm::AlgorithmKind;
use wci_core::decision::Launch;
use wci_core::spec::{LaunchStrategy, ScalingGroup};

/// The groups in the order of the spec; one that cannot be resolved is left out, and a problem more.
pub(super) fn resolve(file: &File, spec: &Spec, started: Started, problems: &mut Problems) -> Vec<Group> {
    let path = ROOT.key("group");
    let names = || spec.groups().map(|(name, _)| &**name);
    for name in file.group.keys().filter(|name| spec.group(name).is_none()) {
        problems.push(Problem::unknown_key(&path.key(name), name, names()));
    }
    let empty = file::Group::default();
    let mut groups = Vec::new();
    for (name, scaling) in spec.groups() {
        let own = file.group.get(&**name).unwrap_or(&empty);
        let path = path.key(name);
        check_own(&path, own, scaling, problems);
        let provider_type = scaling.compute.provider_type;
        let complete = defaults::complete(provider_type, own);
        let complete = complete.map_err(|found| Problem::value(&path, found, "a group"));
        let Some(whole) = problems.keep(complete) else { continue };
        let worker = worker(
            &path.key("worker"),
            &own.worker,
            whole.worker.unwrap_or_default(),
            provider_type,
            problems,
        );
        let initial = initial_workers(scaling, started);
        let written = whole.provider.unwrap_or_default();
        let price = price(&whole.price.unwrap_or_default(), &written);
        let provider = provider(&path.key("provider"), &written, initial, problems);
        if let (Some(worker), Some(provider)) = (worker, provider) {
            groups.push(Group { name: name.clone(), worker, provider, price });
        }
    }
    refuse_mixed_modes(&path, &groups, problems);
    groups
}

/// A controller would scale the groups that the platform scales as well, so one spec has one mode.
fn refuse_mixed_modes(path: &KeyPath, groups: &[Group], problems: &mut Problems) {
    let is_controlled = |group: &&Group| matches!(group.provider.mode, ProviderMode::Controller);
    let controlled = groups.iter().filter(is_controlled).count();
    if controlled > 0 && controlled < groups.len() {
        let expected = "the same mode for every group of the spec";
        problems.push(Problem::value(path, "groups with mode \"controller\" and \"per-request\"", expected));
    }
}

/// What contradicts the provider type or the mode.
fn check_own(path: &KeyPath, own: &file::Group, scaling: &ScalingGroup, problems: &mut Problems) {
    let Some(provider) = &own.provider else { return };
    let path = path.key("provider");
    if provider.mode.unwrap_or_default() == Mode::Controller {
        let given = [
            ("keep_alive", provider.keep_alive.is_some()),
            ("binding", provider.binding.is_some()),
            ("cold_service", provider.cold_service.is_some()),
        ];
        for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
            let found = "a key of the per-request mode";
            problems.push(Problem::value(&path.key(key), found, "mode = \"per-request\" beside it"));
        }
    }
    let provider_type = scaling.compute.provider_type;
    if provider.initial_workers.is_some() && provider_type.launch_strategy() == LaunchStrategy::Invoke {
        let found = format!("a number for {}, whose workers end by themselves", provider_type.name());
        problems.push(Problem::value(
            &path.key("initial_workers"),
            found,
            "no such key, or a worker-set provider",
        ));
    }
}

fn worker(
    path: &KeyPath,
    own: &Option<file::Worker>,
    whole: file::Worker,
    provider: wci_core::spec::ProviderType,
    problems: &mut Problems,
) -> Option<WorkerModel> {
    let own = own.clone().unwrap_or_default();
    // A table by type leaves the other types at their defaults, which the overlay has hidden.
    let default = defaults::complete(provider, &file::Group::default()).ok()?.worker.unwrap_or_default();
    let mut law = |key: &str, written: &Option<Times>| -> Option<Option<Dist>> {
        written.as_ref().map_or(Some(None), |w| problems.keep(times(&path.key(key), w)).map(Some))
    };
    let cold_start = law("cold_start", &whole.cold_start)?;
    let idle_exit = law("idle_exit", &whole.idle_exit)?;
    Some(WorkerModel {
        slots: per_type(own.slots, default.slots),
        pollers: per_type(own.pollers, default.pollers),
        cold_start: cold_start?,
        lifetime: limit(whole.lifetime).map(|span| span.0),
        idle_exit,
        crash_rate: whole.crashes_per_hour.unwrap_or_default(),
        drain_timeout: nanos(whole.drain_timeout),
        poll_round_trip: nanos(whole.poll_round_trip),
    })
}

fn provider(
    path: &KeyPath,
    whole: &file::Provider,
    initial_workers: u32,
    problems: &mut Problems,
) -> Option<ProviderModel> {
    let latency = whole.invocation_latency.clone().unwrap_or(Times::Constant(Span(0)));
    let latency = problems.keep(times(&path.key("invocation_latency"), &latency));
    let start_rate = limit(whole.start_rate);
    if let Some(rate) = start_rate.filter(|rate| *rate <= 0.0) {
        problems.push(Problem::value(
            &path.key("start_rate"),
            rate.to_string(),
            "a number above 0, or \"unlimited\"",
        ));
    }
    if limit(whole.concurrency) == Some(0) {
        problems.push(Problem::value(&path.key("concurrency"), "0", "at least 1, or \"unlimited\""));
    }
    Some(ProviderModel {
        mode: mode(path, whole, problems)?,
        invocation_latency: latency?,
        failure_probability: whole.failure_probability.unwrap_or_default(),
        concurrency: limit(whole.concurrency),
        on_limit: whole.on_limit.unwrap_or(OnLimit::Queue),
        start_rate,
        queue_limit: nanos(whole.queue_limit),
        initial_workers: whole.initial_workers.unwrap_or(initial_workers),
    })
}

fn mode(path: &KeyPath, whole: &file::Provider, problems: &mut Problems) -> Option<ProviderMode> {
    if whole.mode.unwrap_or_default() == Mode::Controller {
        return Some(ProviderMode::Controller);
    }
    let keep_alive = match whole.keep_alive {
        Some(file::KeepAlive::Fixed(window) | file::KeepAlive::Law(KeepAliveLaw::Fixed { window })) => {
            KeepAlive::Fixed(window.0)
        }
        Some(file::KeepAlive::Law(KeepAliveLaw::Exponential { mean })) => {
            KeepAlive::Exponential(mean.0 as f64)
        }
        Some(file::KeepAlive::Law(KeepAliveLaw::HybridHistogram { range })) => {
            KeepAlive::HybridHistogram(range.0)
        }
        None => KeepAlive::Fixed(0),
    };
    let cold_service = match &whole.cold_service {
        Some(written) => Some(problems.keep(times(&path.key("cold_service"), written))?),
        None => None,
    };
    Some(ProviderMode::PerRequest { keep_alive, binding: whole.binding.unwrap_or_default(), cold_service })
}

fn price(price: &file::Price, provider: &file::Provider) -> Price {
    Price {
        per_request: price.per_request.unwrap_or_default(),
        per_gb_second: price.per_gb_second.unwrap_or_default(),
        per_vcpu_hour: price.per_vcpu_hour.unwrap_or_default(),
        per_gb_hour: price.per_gb_hour.unwrap_or_default(),
        per_node_hour: price.per_node_hour.unwrap_or_default(),
        minimum: nanos(price.minimum),
        rounding: nanos(price.rounding),
        memory_mb: provider.memory_mb.unwrap_or_default(),
        vcpu: provider.vcpu.unwrap_or_default(),
        workers_per_node: provider.workers_per_node.unwrap_or(1.0),
        billed_from: price.billed_from.unwrap_or_default(),
    }
}

/// A controller that has run for long has at least the workers its algorithm starts from.
fn initial_workers(scaling: &ScalingGroup, started: Started) -> u32 {
    let is_set = scaling.compute.provider_type.launch_strategy() == LaunchStrategy::WorkerSet;
    if !is_set || started == Started::Cold {
        return 0;
    }
    let mut algorithm = scaling.instantiate();
    let planned = algorithm.planned().unwrap_or_default();
    let Launch::SetWorkerSetSize(least) = algorithm.registration(LaunchStrategy::WorkerSet) else {
        return planned;
    };
    // A registration wants at least one worker; a fixed count and a larger minimum are what has long been there.
    let is_fixed = scaling.algorithm() == AlgorithmKind::Fixed;
    if is_fixed || least > 1 { least.max(planned) } else { planned }
}

fn per_type(own: Option<PerType>, default: Option<PerType>) -> [u32; 3] {
    let (own, default) = (by_type(own), by_type(default));
    std::array::from_fn(|index| own[index].or(default[index]).unwrap_or_default())
}

fn by_type(count: Option<PerType>) -> [Option<u32>; 3] {
    match count {
        Some(PerType::All(count)) => [Some(count); 3],
        Some(PerType::ByType(ByType { workflow, activity, nexus })) => [workflow, activity, nexus],
        None => [None; 3],
    }
}

fn limit<T>(limit: Option<Limit<T>>) -> Option<T> {
    match limit {
        Some(Limit::At(limit)) => Some(limit),
        Some(Limit::None(_)) | None => None,
    }
}

fn nanos(span: Option<Span>) -> Nanos {
    span.map_or(0, |span| span.0)
}
