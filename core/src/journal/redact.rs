//! Inputs, steps and states without the providers' configurations.

use crate::controller::{Input, RefusalKind, Request, Response, State, Step, Update};
use crate::decision::{Action, ActionKind};
use crate::spec::{Spec, redact_group, redact_spec};
use serde_json::Value;
use std::borrow::Cow;

/// The state with its specs redacted, and without fields that nobody can say anything about.
pub(super) fn state(mut state: State) -> State {
    state.spec = state.spec.as_ref().and_then(spec);
    state.unreadable_spec = None;
    state.unknown.clear();
    state.wci.unknown.clear();
    state.wci.update = state.wci.update.and_then(|mut change| {
        change.spec = Box::new(spec(&change.spec)?);
        Some(change)
    });
    state
}

/// The input; a change of the spec is redacted.
///
/// A change that is invalid is not recorded at all: without its configurations it might be a valid one, and a
/// replay would go another way.
pub(super) fn input<'a>(input: &'a Input, step: &Step) -> Cow<'a, Input> {
    let Input::Requested { request_id, request } = input else { return Cow::Borrowed(input) };
    let redacted = match &**request {
        Request::Delete { .. } => return Cow::Borrowed(input),
        Request::Update(change) => Request::Update(update(change, is_invalid(request_id, step))),
        Request::Validate(change) => Request::Validate(update(change, is_invalid(request_id, step))),
    };
    Cow::Owned(Input::Requested { request_id: request_id.clone(), request: Box::new(redacted) })
}

fn is_invalid(request_id: &str, step: &Step) -> bool {
    step.actions.iter().any(|action| match &action.kind {
        ActionKind::Answer { request_id: answered, response } => match &**response {
            Response::Refused(refusal) => {
                answered == request_id && refusal.kind == RefusalKind::InvalidArgument
            }
            _ => false,
        },
        _ => false,
    })
}

fn update(change: &Update, is_invalid: bool) -> Update {
    let mut change = change.clone();
    if is_invalid {
        change.spec = Some(Value::from("not recorded"));
        change.upsert_scaling_groups.clear();
        change.remove_scaling_groups.clear();
        return change;
    }
    change.spec = change.spec.as_ref().map(redact_spec);
    change.upsert_scaling_groups.values_mut().for_each(|group| redact_group(&mut group.spec));
    change
}

/// The step; specs in it are redacted.
pub(super) fn step(step: &Step) -> Cow<'_, Step> {
    if !step.actions.iter().any(holds_spec) {
        return Cow::Borrowed(step);
    }
    let mut step = step.clone();
    step.actions.iter_mut().for_each(action);
    Cow::Owned(step)
}

const fn holds_spec(action: &Action) -> bool {
    matches!(action.kind, ActionKind::CheckSpec { .. } | ActionKind::Answer { .. })
}

fn action(action: &mut Action) {
    match &mut action.kind {
        ActionKind::CheckSpec { spec: checked } => {
            if let Some(redacted) = spec(checked) {
                **checked = redacted;
            }
        }
        ActionKind::Answer { response, .. } => {
            if let Response::Updated { spec: stored, .. } = &mut **response {
                *stored = stored.as_deref().and_then(spec).map(Box::new);
            }
        }
        _ => {}
    }
}

/// A redacted spec reads back; if one did not, nothing would be safer than the original.
fn spec(spec: &Spec) -> Option<Spec> {
    Spec::from_json(&spec.redacted()).ok()
}
