//! Requests of users: check, register, store, answer; and the periodic validation of the spec.

use super::{
    Controller, Failure, FailureClass, Refusal, RefusalKind, Request, Response, Step, Update, ValidationState,
};
use crate::decision::{ActionId, ActionKind, GroupName, Registration};
use crate::gather;
use crate::spec::{Spec, SpecError};
use crate::time::Timestamp;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An update under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Repeated in the answer.
    pub request_id: String,
    /// Who asked.
    #[serde(default)]
    pub identity: String,
    /// The token that came with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_token: Option<String>,
    /// The spec to be stored.
    pub spec: Box<Spec>,
    /// When the check began.
    pub begun_at: Timestamp,
    /// The check or the registration under way.
    pub action_id: ActionId,
    /// What the registration may launch; absent while the spec is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrations: Option<Vec<Registration>>,
}

/// A request for validation under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationRequest {
    /// Repeated in the answer.
    pub request_id: String,
    /// The check under way.
    pub action_id: ActionId,
}

/// A periodic validation under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodicCheck {
    /// The check under way.
    pub action_id: ActionId,
    /// When it began.
    pub begun_at: Timestamp,
}

/// What an admitted request amounts to.
pub(super) enum Plan {
    /// Store this spec; none: the change left no group, so the controller goes.
    Change(Option<Spec>),
    /// Check this spec and store nothing.
    Validate(Option<Spec>),
    /// Go.
    Delete,
}

impl Controller {
    /// Everything that can be said about a request without asking the providers.
    pub(super) fn plan(&self, request: &Request) -> Result<Plan, Refusal> {
        if self.is_deleted {
            return match request {
                Request::Delete { .. } => Ok(Plan::Delete),
                _ => Err(Refusal::new(RefusalKind::Deleted, "worker deployment deleted")),
            };
        }
        if self.is_continue_wanted {
            return Err(long_history());
        }
        match request {
            // The original's deletion knows no token.
            Request::Delete { conflict_token, .. } if self.settings.rotate_conflict_token => {
                self.check_token(conflict_token.as_deref()).map(|()| Plan::Delete)
            }
            Request::Delete { .. } => Ok(Plan::Delete),
            Request::Update(update) if self.update.is_some() => {
                self.changed_spec(update)?;
                Err(precondition("another update is under way: try again when it has ended"))
            }
            Request::Update(update) => Ok(Plan::Change(self.changed_spec(update)?)),
            Request::Validate(update) => Ok(Plan::Validate(self.changed_spec(update)?)),
        }
    }

    fn changed_spec(&self, update: &Update) -> Result<Option<Spec>, Refusal> {
        if !self.settings.enabled {
            return Err(precondition("the worker controller is disabled for this namespace"));
        }
        self.check_token(update.conflict_token.as_deref())?;
        let spec = apply(self.spec.as_ref(), update)?;
        if let Some(spec) = &spec {
            spec.check_host(&self.settings).map_err(invalid)?;
        }
        Ok(spec)
    }

    fn check_token(&self, given: Option<&str>) -> Result<(), Refusal> {
        match given.filter(|token| !token.is_empty()) {
            Some(token) if !is_same_token(token, &self.conflict_token) => Err(precondition(
                "conflict token mismatch: the spec has changed since it was read, read it again",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn on_requested(
        &mut self,
        now: Timestamp,
        request_id: String,
        request: &Request,
        step: &mut Step,
    ) {
        match self.plan(request) {
            Err(refusal) => self.answer(request_id, Response::Refused(refusal), step),
            Ok(Plan::Delete) => self.delete(request_id, Response::Deleted, step),
            Ok(Plan::Change(Some(spec))) => self.begin_change(now, request_id, request, spec, step),
            Ok(Plan::Change(None)) => {
                let conflict_token = self.conflict_token.clone();
                self.delete(request_id, Response::Updated { spec: None, conflict_token }, step);
            }
            Ok(Plan::Validate(Some(spec))) => {
                let action_id = self.check_spec(Box::new(spec), step);
                self.validations.push(ValidationRequest { request_id, action_id });
            }
            Ok(Plan::Validate(None)) => self.answer(request_id, Response::Valid, step),
        }
    }

    fn begin_change(
        &mut self,
        now: Timestamp,
        request_id: String,
        request: &Request,
        spec: Spec,
        step: &mut Step,
    ) {
        let (identity, conflict_token) = match request {
            Request::Update(update) => (update.identity.clone(), update.conflict_token.clone()),
            _ => Default::default(),
        };
        let spec = Box::new(spec);
        let action_id = self.check_spec(spec.clone(), step);
        let begun_at = now;
        self.update = Some(Change {
            request_id,
            identity,
            conflict_token,
            spec,
            begun_at,
            action_id,
            registrations: None,
        });
    }

    fn check_spec(&mut self, spec: Box<Spec>, step: &mut Step) -> ActionId {
        self.act(ActionKind::CheckSpec { spec }, step)
    }

    pub(super) fn on_spec_checked(
        &mut self,
        now: Timestamp,
        id: ActionId,
        result: Result<(), Failure>,
        step: &mut Step,
    ) {
        if let Some(change) = self.update.take_if(|c| c.action_id == id && c.registrations.is_none()) {
            match result {
                Ok(()) => self.register(now, change, step),
                Err(failure) => self.refuse(change.request_id, refusal_of_check(failure), step),
            }
        } else if let Some(index) = self.validations.iter().position(|v| v.action_id == id) {
            let request = self.validations.remove(index);
            match result {
                Ok(()) => self.answer(request.request_id, Response::Valid, step),
                Err(failure) => self.refuse(request.request_id, refusal_of_check(failure), step),
            }
        } else if let Some(check) = self.periodic_check.take_if(|check| check.action_id == id) {
            self.note_validation(check.begun_at, result);
        }
    }

    /// What may pass by itself says nothing about the spec.
    fn note_validation(&mut self, at: Timestamp, result: Result<(), Failure>) {
        match result {
            Ok(()) => self.validation_state = Some(ValidationState::success(at)),
            Err(failure) if failure.class.is_transient() => {}
            Err(failure) => self.validation_state = Some(ValidationState::failed(at, failure.message)),
        }
    }

    fn register(&mut self, now: Timestamp, mut change: Change, step: &mut Step) {
        if self.is_continue_wanted {
            return self.refuse(change.request_id, long_history(), step);
        }
        let groups = self.registrations_of(&change.spec);
        if groups.is_empty() {
            return self.store(now, change, &[], step);
        }
        change.registrations = Some(groups.clone());
        change.action_id = self.act(ActionKind::RegisterTaskQueues { groups }, step);
        self.update = Some(change);
    }

    pub(super) fn on_registered(
        &mut self,
        now: Timestamp,
        id: ActionId,
        result: Result<Vec<GroupName>, Failure>,
        step: &mut Step,
    ) {
        let Some(change) = self.update.take_if(|c| c.action_id == id && c.registrations.is_some()) else {
            return;
        };
        match result {
            Ok(launched) => self.store(now, change, &launched, step),
            Err(failure) => self.refuse(change.request_id, refusal_of_registration(failure), step),
        }
    }

    fn store(&mut self, now: Timestamp, change: Change, launched: &[GroupName], step: &mut Step) {
        let registrations = change.registrations.unwrap_or_default();
        let launched =
            registrations.into_iter().filter(|registration| launched.contains(&registration.group));
        let sizes: BTreeMap<_, _> =
            gather(launched.map(|registration| (registration.group, registration.launch)));
        self.replace_spec(*change.spec, &sizes);
        self.conflict_token = self.next_token(now, change.conflict_token);
        self.last_modifier_identity = change.identity;
        self.validation_state = Some(ValidationState::success(change.begun_at));
        self.periodic_check = None;
        self.timers.restart_validation(now, &self.settings);
        if self.settings.poll_after_update {
            self.timers.poll_now(now);
        }
        let response = Response::Updated {
            spec: self.spec.clone().map(Box::new),
            conflict_token: self.conflict_token.clone(),
        };
        self.answer(change.request_id, response, step);
    }

    fn next_token(&self, now: Timestamp, given: Option<String>) -> String {
        if self.settings.rotate_conflict_token {
            return self.fresh_token(now);
        }
        given.filter(|token| !token.is_empty()).unwrap_or_else(|| self.conflict_token.clone())
    }

    /// The number of the next action makes two tokens of the same millisecond differ.
    pub(super) fn fresh_token(&self, now: Timestamp) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&now.as_millis().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next_action_id.to_be_bytes());
        BASE64_STANDARD.encode(bytes)
    }

    /// Checks the stored spec against its providers. A check that never got an answer is forgotten.
    pub(super) fn validate_when_due(&mut self, now: Timestamp, step: &mut Step) {
        if !self.timers.take_due_validation(now, &self.settings) {
            return;
        }
        if let Some(spec) = self.spec.clone() {
            let action_id = self.check_spec(Box::new(spec), step);
            self.periodic_check = Some(PeriodicCheck { action_id, begun_at: now });
        }
    }

    fn delete(&mut self, request_id: String, response: Response, step: &mut Step) {
        self.refuse_requests_under_way(
            &Refusal::new(RefusalKind::Deleted, "worker deployment deleted"),
            step,
        );
        self.answer(request_id, response, step);
        if self.is_deleted {
            return;
        }
        self.act(ActionKind::Finish, step);
        self.is_deleted = true;
        self.lane.clear();
        self.signals.clear();
        self.periodic_check = None;
    }

    /// Answers everybody who still waits for an answer.
    pub(super) fn refuse_requests_under_way(&mut self, refusal: &Refusal, step: &mut Step) {
        let update = self.update.take().map(|change| change.request_id);
        let validations = std::mem::take(&mut self.validations);
        for request_id in update.into_iter().chain(validations.into_iter().map(|v| v.request_id)) {
            self.refuse(request_id, refusal.clone(), step);
        }
    }

    fn refuse(&mut self, request_id: String, refusal: Refusal, step: &mut Step) {
        self.answer(request_id, Response::Refused(refusal), step);
    }

    fn answer(&mut self, request_id: String, response: Response, step: &mut Step) {
        self.act(ActionKind::Answer { request_id, response: Box::new(response) }, step);
    }
}

/// The changed spec; none when no group is left. A whole spec comes first, changes by group are applied to it.
fn apply(current: Option<&Spec>, update: &Update) -> Result<Option<Spec>, Refusal> {
    let by_group = !update.upsert_scaling_groups.is_empty() || !update.remove_scaling_groups.is_empty();
    let whole = update.spec.as_ref().map(Spec::from_json).transpose().map_err(invalid)?;
    if whole.is_none() && !by_group {
        return Err(precondition("no change found: give a spec, or groups to insert, change or remove"));
    }
    if !by_group {
        return Ok(whole);
    }
    let base = whole.as_ref().or(current);
    Spec::apply(base, &update.upsert_scaling_groups, &update.remove_scaling_groups).map_err(invalid)
}

fn invalid(error: SpecError) -> Refusal {
    Refusal::new(RefusalKind::InvalidArgument, error.to_string())
}

fn is_same_token(given: &str, current: &str) -> bool {
    match (BASE64_STANDARD.decode(given), BASE64_STANDARD.decode(current)) {
        (Ok(given), Ok(current)) => given == current,
        _ => given == current,
    }
}

fn precondition(message: &str) -> Refusal {
    Refusal::new(RefusalKind::FailedPrecondition, message)
}

fn long_history() -> Refusal {
    Refusal::new(RefusalKind::LongHistory, "errLongHistory")
}

/// A refusal for requests whose check or registration was lost.
pub(super) fn lost() -> Refusal {
    precondition("the controller was restarted before this request ended: try again")
}

fn refusal_of_check(failure: Failure) -> Refusal {
    let kind = match failure.class {
        FailureClass::Denied | FailureClass::NotFound | FailureClass::Rejected => {
            RefusalKind::InvalidArgument
        }
        FailureClass::Throttled => RefusalKind::ResourceExhausted,
        FailureClass::Unavailable => RefusalKind::FailedPrecondition,
    };
    Refusal::new(kind, failure.message)
}

fn refusal_of_registration(failure: Failure) -> Refusal {
    let kind = match failure.class {
        FailureClass::Throttled => RefusalKind::ResourceExhausted,
        _ => RefusalKind::FailedPrecondition,
    };
    Refusal::new(kind, failure.message)
}
