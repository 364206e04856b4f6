//! Retries, the controller and its host.

use super::{Problems, ROOT};
use crate::model::{ControllerModel, MILLI, Nanos, Retry, SECOND};
use crate::scenario::Span;
use crate::scenario::error::Problem;
use crate::scenario::file::{self, Limit};
use wci_core::spec::ProviderType;
use wci_core::{Millis, Settings};

pub(super) fn retry(retry: Option<&file::Retry>) -> Retry {
    let own = retry.copied().unwrap_or_default();
    Retry {
        initial_interval: own.initial_interval.map_or(SECOND, |span| span.0),
        backoff_coefficient: own.backoff_coefficient.unwrap_or(2.0),
        maximum_interval: own.maximum_interval.map_or(100 * SECOND, |span| span.0),
        maximum_attempts: match own.maximum_attempts {
            Some(Limit::At(attempts)) => Some(attempts.max(1)),
            Some(Limit::None(_)) | None => None,
        },
    }
}

pub(super) fn controller(controller: Option<&file::Controller>, problems: &mut Problems) -> ControllerModel {
    let own = controller.cloned().unwrap_or_default();
    let span = |span: Option<Span>, default: Nanos| span.map_or(default, |span| span.0);
    ControllerModel {
        settings: settings(&own, problems),
        started: own.started.unwrap_or_default(),
        statistics_cache: span(own.statistics_cache, 5 * SECOND),
        metric_delay: span(own.metric_delay, 0),
        signal_latency: span(own.signal_latency, 10 * MILLI),
    }
}

fn settings(own: &file::Controller, problems: &mut Problems) -> Settings {
    let path = ROOT.key("controller");
    let mut settings = if own.like_go == Some(true) { Settings::like_go() } else { Settings::default() };
    let mut millis = |slot: &mut Millis, key: &str, span: Option<Span>| {
        let Some(span) = span else { return };
        let path = key.split('.').fold(path.clone(), |path, key| path.key(key));
        match whole_millis(span) {
            Some(millis) => *slot = millis,
            None => problems.push(Problem::value(
                &path,
                span.to_string(),
                "at least \"1ms\", in whole milliseconds",
            )),
        }
    };
    let batching = own.batching.unwrap_or_default();
    let intervals = &mut settings.batching;
    millis(
        &mut intervals.min_signal_interval_no_sync_match,
        "batching.no_sync_match",
        batching.no_sync_match,
    );
    millis(&mut intervals.min_signal_interval_sync_match, "batching.sync_match", batching.sync_match);
    millis(&mut settings.shortest_poll, "shortest_poll", own.shortest_poll);
    millis(&mut settings.longest_poll, "longest_poll", own.longest_poll);
    millis(&mut settings.first_poll_after, "first_poll_after", own.first_poll_after);
    if let Some(flush) = batching.flush {
        let mut interval = Millis::ZERO;
        millis(&mut interval, "batching.flush", Some(flush));
        settings.flush_interval = Some(interval);
    }
    if settings.longest_poll < settings.shortest_poll {
        let expected = format!("at least the shortest poll interval, {}", settings.shortest_poll);
        problems.push(Problem::value(&path.key("longest_poll"), settings.longest_poll.to_string(), expected));
    }
    max_age(own, &mut settings, problems);
    switches(own, &mut settings);
    settings
}

fn max_age(own: &file::Controller, settings: &mut Settings, problems: &mut Problems) {
    let Some(span) = own.deferred_metrics_max_age else { return };
    match if span.0 == 0 { Some(Millis::ZERO) } else { whole_millis(span) } {
        Some(millis) => settings.deferred_metrics_max_age = millis,
        None => problems.push(Problem::value(
            &ROOT.key("controller").key("deferred_metrics_max_age"),
            span.to_string(),
            "\"0s\" or more, in whole milliseconds",
        )),
    }
}

fn switches(own: &file::Controller, settings: &mut Settings) {
    let set = |slot: &mut bool, switch: Option<bool>| *slot = switch.unwrap_or(*slot);
    set(&mut settings.keep_next_poll, own.keep_next_poll);
    set(&mut settings.poll_after_update, own.poll_after_update);
    set(&mut settings.reissue_failed_size, own.reissue_failed_size);
    if let Some(most) = own.max_waiting_signals {
        settings.max_waiting_signals = most as usize;
    }
    if let Some(count) = own.signals_before_timer {
        settings.signals_before_timer = count;
    }
    settings.host_region = own.host_region.clone();
    // Nothing is really started here, so local processes need no allowance.
    settings.allowed_providers = Some(ProviderType::ALL.iter().map(|p| p.name().to_owned()).collect());
}

fn whole_millis(span: Span) -> Option<Millis> {
    let is_whole = span.0 > 0 && span.0.is_multiple_of(MILLI);
    i64::try_from(span.0 / MILLI).ok().filter(|_| is_whole).map(Millis::new)
}
