//! From a spec to groups at run time, and from one spec to the next.

use super::group::Group;
use super::signal::Cause;
use super::{Controller, Planned, Step};
use crate::algorithm::Algorithm;
use crate::decision::{GroupName, Launch, Registration};
use crate::metrics::{Observation, TaskQueueType};
use crate::spec::{ConfigMap, ScalingGroup, Spec, WireTaskType};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The state key under which every algorithm that counts workers remembers how many it wants.
const WORKER_COUNT: &str = "worker_count";

impl Controller {
    /// Makes the groups of the spec, taking out of the maps what belongs to them.
    pub(super) fn build_groups(
        &self,
        states: &mut BTreeMap<GroupName, ConfigMap>,
        observations: &mut BTreeMap<GroupName, Observation>,
        failed_sizes: &BTreeMap<GroupName, u32>,
    ) -> Vec<Group> {
        let Some(spec) = &self.spec else { return Vec::new() };
        spec.groups()
            .map(|(name, group)| {
                let state = states.remove(name);
                let algorithm = group.resume(&state.unwrap_or_default());
                let mut built =
                    Group::new(name.clone(), group.compute.provider_type.launch_strategy(), algorithm);
                built.observe(observations.remove(name).unwrap_or_default(), 0);
                built.failed_size = failed_sizes.get(name).copied();
                built
            })
            .collect()
    }

    /// Says for each group whether it belongs here and which types it serves here.
    pub(super) fn place_groups(&mut self) {
        let Some(spec) = &self.spec else {
            self.serving = [None; 3];
            return;
        };
        let region = self.settings.host_region.as_deref();
        for group in &mut self.groups {
            group.is_here = spec.group(&group.name).is_some_and(|group| is_here(group, region));
            group.serves = [false; 3];
        }
        for task_type in TaskQueueType::ALL {
            let name = spec.group_for(task_type, region);
            let index = name.and_then(|name| self.groups.iter().position(|group| group.name == *name));
            self.serving[task_type.index()] = index;
            if let Some(index) = index {
                self.groups[index].serves[task_type.index()] = true;
            }
        }
    }

    /// Takes over a new spec. The state of an algorithm survives for a group that keeps its kind; `launched` says
    /// what the registration has just started.
    pub(super) fn replace_spec(&mut self, spec: Spec, launched: &BTreeMap<GroupName, Launch>) {
        let former_spec = self.spec.replace(spec);
        let former = std::mem::take(&mut self.groups);
        let inherited = self.inherit(former_spec.as_ref(), former, launched);
        let Inherited { mut states, mut observations, failed_sizes, unchanged } = inherited;
        self.groups = self.build_groups(&mut states, &mut observations, &failed_sizes);
        for group in &mut self.groups {
            group.must_start = !unchanged.contains(&group.name);
            if let Some(Launch::InvokeWorker(count)) = launched.get(&group.name) {
                group.expect_workers(*count);
            }
        }
        self.place_groups();
        self.drop_actions_of_missing_groups();
        if let Some(carried) = &mut self.carried {
            carried.unreadable_spec = None;
            carried.scaling_state.clear();
        }
    }

    fn inherit(
        &self,
        former_spec: Option<&Spec>,
        former: Vec<Group>,
        launched: &BTreeMap<GroupName, Launch>,
    ) -> Inherited {
        let mut inherited = Inherited::default();
        for old in former {
            let before = former_spec.and_then(|spec| spec.group(&old.name));
            let Some(now) = self.spec.as_ref().and_then(|spec| spec.group(&old.name)) else { continue };
            if now.algorithm() == old.algorithm.kind() {
                inherited.states.insert(old.name.clone(), old.algorithm.state());
            }
            if now.compute.provider_type.launch_strategy() == old.strategy {
                inherited.observations.insert(old.name.clone(), old.observation);
            }
            let keeps_target = before.is_some_and(|before| before.compute == now.compute);
            if let Some(size) = old.failed_size.filter(|_| keeps_target && !launched.contains_key(&old.name))
            {
                inherited.failed_sizes.insert(old.name.clone(), size);
            }
            if before == Some(now) && !old.must_start {
                inherited.unchanged.push(old.name);
            }
        }
        for (name, launch) in launched {
            if let Launch::SetWorkerSetSize(count) = launch {
                let state = inherited.states.entry(name.clone()).or_default();
                state.insert(WORKER_COUNT.to_owned(), (*count).into());
            }
        }
        inherited
    }

    /// Drops waiting actions whose group is gone or launches workers in another way now.
    pub(super) fn drop_actions_of_missing_groups(&mut self) {
        let groups = &self.groups;
        self.lane.retain_waiting(|Planned { action, .. }| match action.kind.group() {
            Some(name) => groups.iter().any(|group| group.name == *name && group.can_do(&action.kind)),
            None => true,
        });
    }

    /// What to launch for the groups of this host, so that workers register their task queues.
    pub(super) fn registrations_of(&self, spec: &Spec) -> Vec<Registration> {
        let region = self.settings.host_region.as_deref();
        let here = spec.groups().filter(|(_, group)| is_here(group, region));
        here.filter_map(|(name, group)| {
            let task_types: Vec<_> = spec.effective_task_types(name, region).map(WireTaskType).collect();
            let strategy = group.compute.provider_type.launch_strategy();
            let launch = self.algorithm_after(name, group).registration(strategy);
            // A group that serves nothing here has nothing to register.
            (!task_types.is_empty()).then(|| Registration { group: name.clone(), task_types, launch })
        })
        .collect()
    }

    /// The group's algorithm as it would be if the change were stored now.
    fn algorithm_after(&self, name: &GroupName, group: &ScalingGroup) -> Algorithm {
        let former = self.groups.iter().find(|old| old.name == *name);
        match former.filter(|old| old.algorithm.kind() == group.algorithm()) {
            Some(old) => group.resume(&old.algorithm.state()),
            None => group.instantiate(),
        }
    }

    /// The next group here that is new or changed and has not been told that it starts.
    pub(super) fn group_to_start(&self) -> Option<usize> {
        let may_start = |group: &Group| group.must_start && group.is_here && self.settings.enabled;
        self.groups.iter().position(may_start)
    }

    pub(super) fn start_group(&mut self, now: Timestamp, index: usize, step: &mut Step) {
        self.groups[index].must_start = false;
        let verdict = self.groups[index].on_started(now);
        self.conclude(index, Cause::Start, verdict, step);
    }
}

#[derive(Default)]
struct Inherited {
    states: BTreeMap<GroupName, ConfigMap>,
    observations: BTreeMap<GroupName, Observation>,
    failed_sizes: BTreeMap<GroupName, u32>,
    unchanged: Vec<GroupName>,
}

/// Whether a group belongs to a host in this region.
fn is_here(group: &ScalingGroup, region: Option<&str>) -> bool {
    group.region_ids.is_empty() || region.is_some_and(|region| group.region_ids.iter().any(|id| id == region))
}
