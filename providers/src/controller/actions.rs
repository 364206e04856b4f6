//! From the core's actions to activities, and from their ends to inputs.

use super::activities::{Activities, Order, SpecOrder};
use super::failure::provider_error;
use super::statistics::{self, Read, Statistics};
use super::workflow::InstanceWorkflow;
use crate::error::ProviderError;
use crate::provider::Target;
use futures::future::{LocalBoxFuture, MaybeDone, maybe_done};
use futures::stream::FusedStream;
use futures::{FutureExt, Stream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use temporalio_client::RetryPolicy;
use temporalio_sdk::{ActivityCloseTimeouts, ActivityOptions, WorkflowContext};
use wci_core::controller::{Failure, Input};
use wci_core::decision::{Action, ActionId, ActionKind, GroupName, Registration};
use wci_core::{Spec, State};

const CHECK_SECS: u64 = 15;
const POLL_SECS: u64 = 60;
const ACT_SECS: u64 = 120;
const REGISTER_SECS: u64 = 30;
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// A read takes milliseconds, and everything else waits for it: one that went down with its process is soon made again.
const READ_HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// What ends as an input. Where there is nothing to be called, that input is there at once.
type Activity = LocalBoxFuture<'static, Input>;

/// The activities under way. Each ends as one input.
///
/// They are looked at in the order in which they were begun: replay sees them in the same one.
pub(super) struct UnderWay {
    ctx: WorkflowContext<InstanceWorkflow>,
    target: Target,
    activities: Vec<MaybeDone<Activity>>,
}

impl UnderWay {
    pub(super) fn new(ctx: WorkflowContext<InstanceWorkflow>, target: Target) -> Self {
        Self { ctx, target, activities: Vec::new() }
    }

    /// Begins what an action asks for, given the state after the step that asked for it; whether an activity is
    /// ordered for it.
    pub(super) fn begin(&mut self, action: Action, state: &State) -> bool {
        let id = action.id;
        let begun = match action.kind {
            ActionKind::FetchMetrics { .. } => Ok(self.fetch(id)),
            ActionKind::InvokeWorker { group, count } => {
                self.act(id, Operation::Invoke, &group, count, state.spec.as_ref())
            }
            ActionKind::SetWorkerSetSize { group, count } => {
                self.act(id, Operation::SetSize, &group, count, state.spec.as_ref())
            }
            ActionKind::CheckSpec { spec } => Ok(self.check(id, *spec, state.spec.is_none())),
            ActionKind::RegisterTaskQueues { groups } => {
                let spec = state.wci.update.as_ref().map(|update| (*update.spec).clone());
                self.register(id, groups, spec)
            }
            // The workflow itself does these.
            ActionKind::Answer { .. } | ActionKind::Finish => return false,
        };
        let is_ordered = begun.is_ok();
        let activity = begun.unwrap_or_else(|failed| futures::future::ready(failed).boxed_local());
        self.activities.push(maybe_done(activity));
        is_ordered
    }

    /// Orders what was begun, also when something else has ended that will be looked at first.
    pub(super) fn order(&mut self, cx: &mut Context<'_>) {
        for activity in &mut self.activities {
            let _ = activity.poll_unpin(cx);
        }
    }

    fn fetch(&self, id: ActionId) -> Activity {
        let version = wci_core::controller::WorkerDeploymentVersion {
            deployment_name: self.target.deployment_name.clone(),
            build_id: self.target.build_id.clone(),
        };
        let mut options = options(POLL_SECS, 2, READ_HEARTBEAT_TIMEOUT);
        options.task_queue = Some(statistics::task_queue(self.ctx.task_queue()));
        let ctx = self.ctx.clone();
        let fetch = async move {
            let fetched = ctx.execute_activity(Statistics::fetch, Read { version }, options).await;
            Input::Metrics { id, result: fetched.map_err(|e| provider_error(&e).class) }
        };
        fetch.boxed_local()
    }

    fn act(
        &self,
        id: ActionId,
        operation: Operation,
        group: &GroupName,
        count: u32,
        spec: Option<&Spec>,
    ) -> Result<Activity, Input> {
        let Some(spec) = spec.and_then(|spec| only(spec, group)) else {
            let missing = ProviderError::not_found("the scaling group is not in the spec any more");
            return Err(Input::ActionFinished { id, result: Err(missing.class) });
        };
        let target = Target { group: group.to_string(), ..self.target.clone() };
        let order = Order { target, spec, count };
        let options = options(ACT_SECS, 2, HEARTBEAT_TIMEOUT);
        let ctx = self.ctx.clone();
        let act = async move {
            let acted = match operation {
                Operation::Invoke => ctx.execute_activity(Activities::invoke_worker, order, options).await,
                Operation::SetSize => {
                    ctx.execute_activity(Activities::set_worker_set_size, order, options).await
                }
            };
            Input::ActionFinished { id, result: acted.map_err(|e| provider_error(&e).class) }
        };
        Ok(act.boxed_local())
    }

    fn check(&self, id: ActionId, spec: Spec, is_new: bool) -> Activity {
        let order = SpecOrder { target: self.target.clone(), spec, registrations: Vec::new(), is_new };
        let ctx = self.ctx.clone();
        let check = async move {
            let options = options(CHECK_SECS, 1, HEARTBEAT_TIMEOUT);
            let checked = ctx.execute_activity(Activities::check_spec, order, options).await;
            Input::SpecChecked { id, result: checked.map_err(|e| Failure::from(provider_error(&e))) }
        };
        check.boxed_local()
    }

    fn register(
        &self,
        id: ActionId,
        registrations: Vec<Registration>,
        spec: Option<Spec>,
    ) -> Result<Activity, Input> {
        let Some(spec) = spec else {
            let gone = Failure::from(ProviderError::unavailable("the update is gone"));
            return Err(Input::Registered { id, result: Err(gone) });
        };
        let order = SpecOrder { target: self.target.clone(), spec, registrations, is_new: false };
        let ctx = self.ctx.clone();
        let register = async move {
            let options = options(REGISTER_SECS, 1, HEARTBEAT_TIMEOUT);
            let registered = ctx.execute_activity(Activities::register_task_queues, order, options).await;
            Input::Registered { id, result: registered.map_err(|e| Failure::from(provider_error(&e))) }
        };
        Ok(register.boxed_local())
    }
}

/// The inputs that ended activities have become, in the order in which they were begun.
impl Stream for UnderWay {
    type Item = Input;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Input>> {
        let this = self.get_mut();
        for index in 0..this.activities.len() {
            if this.activities[index].poll_unpin(cx).is_ready() {
                return Poll::Ready(Pin::new(&mut this.activities.remove(index)).take_output());
            }
        }
        Poll::Pending
    }
}

/// It never ends: an action may be begun at any time.
impl FusedStream for UnderWay {
    fn is_terminated(&self) -> bool {
        false
    }
}

enum Operation {
    Invoke,
    SetSize,
}

/// The spec of one group alone: an order carries no other group's configuration.
fn only(spec: &Spec, group: &GroupName) -> Option<Spec> {
    let value =
        serde_json::json!({"scaling_group_specs": {(group.to_string()): spec.group(group)?.to_json()}});
    Spec::from_json(&value).ok()
}

fn options(secs: u64, attempts: u32, heartbeat: Duration) -> ActivityOptions {
    let timeouts = ActivityCloseTimeouts::StartToClose(Duration::from_secs(secs));
    ActivityOptions::with_close_timeouts(timeouts)
        .heartbeat_timeout(heartbeat)
        .retry_policy(RetryPolicy::builder().maximum_attempts(attempts).build())
        .build()
}
