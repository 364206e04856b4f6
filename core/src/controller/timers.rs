//! When the next poll and the next periodic validation are due.

use super::Settings;
use crate::time::{Millis, Timestamp};

/// The controller's two timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timers {
    /// Absent while a poll is under way that will set it.
    pub(super) next_poll_at: Option<Timestamp>,
    /// The wait that begins when the last action of the poll under way has ended.
    pub(super) poll_interval: Option<Millis>,
    /// Absent while periodic validation is off.
    pub(super) next_validation_at: Option<Timestamp>,
}

impl Timers {
    pub(super) fn is_poll_due(&self, now: Timestamp) -> bool {
        self.next_poll_at.is_some_and(|at| at <= now)
    }

    pub(super) fn is_validation_due(&self, now: Timestamp) -> bool {
        self.next_validation_at.is_some_and(|at| at <= now)
    }

    /// Takes the turn of a due validation: says whether it was due and sets the next one.
    pub(super) fn take_due_validation(&mut self, now: Timestamp, settings: &Settings) -> bool {
        let is_due = self.is_validation_due(now);
        if is_due {
            self.restart_validation(now, settings);
        }
        is_due
    }

    pub(super) fn restart_validation(&mut self, now: Timestamp, settings: &Settings) {
        let interval = settings.validation_interval;
        self.next_validation_at = (interval > Millis::ZERO).then(|| now.plus(interval));
    }

    /// The poll got its answer: the next one comes an interval from now, and when this poll causes actions, an
    /// interval from the end of the last one. An update may have asked for a poll in the meantime: that stays.
    pub(super) fn poll_answered(&mut self, now: Timestamp, interval: Millis, has_actions: bool) {
        if self.next_poll_at.is_none() {
            self.next_poll_at = Some(now.plus(interval));
            self.poll_interval = has_actions.then_some(interval);
        }
    }

    /// The last action of the poll has ended.
    pub(super) fn poll_ended(&mut self, now: Timestamp) {
        if let Some(interval) = self.poll_interval.take() {
            self.next_poll_at = Some(now.plus(interval));
        }
    }

    /// Asks for a poll as soon as nothing is under way.
    pub(super) fn poll_now(&mut self, now: Timestamp) {
        self.next_poll_at = Some(now);
        self.poll_interval = None;
    }

    /// Pulls in timers that lie further ahead than any timer is ever set: the clock was set back, a setting
    /// shrank, or the state is damaged. Without this a controller could sleep for years.
    pub(super) fn repair(&mut self, now: Timestamp, settings: &Settings) {
        let furthest = now.plus(settings.poll_ceiling().max(settings.first_poll_after));
        if self.next_poll_at.is_some_and(|at| at > furthest) {
            self.next_poll_at = Some(now.plus(settings.poll_ceiling()));
        }
        match self.next_validation_at {
            Some(at) if at > now.plus(settings.validation_interval) => self.restart_validation(now, settings),
            None => self.restart_validation(now, settings),
            Some(_) => {}
        }
    }

    /// When the host shall wake the controller: never now or earlier, because what is due and could not be done
    /// now is done when the answer arrives that it waits for.
    pub(super) fn wake_at(&self, now: Timestamp, settings: &Settings) -> Timestamp {
        let ahead = [self.next_poll_at, self.next_validation_at].into_iter().flatten().filter(|at| *at > now);
        ahead.min().unwrap_or_else(|| now.plus(settings.poll_ceiling()))
    }
}
