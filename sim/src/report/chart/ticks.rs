//! Where an axis has its ticks and what they say.

use super::Scale;
use crate::report::units::{duration_ms, number, padded_cents};

/// A place on an axis with its label.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub at: f64,
    pub label: String,
}

/// A vertical axis: its range and its ticks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<Tick>,
    scale: Scale,
}

impl Axis {
    /// The axis that holds these values.
    pub(crate) fn around(values: impl Iterator<Item = f64> + Clone, scale: Scale) -> Self {
        match scale {
            Scale::LogMillis => Self::log_millis(values),
            Scale::Linear | Scale::Count | Scale::Dollars | Scale::Percent => Self::from_zero(values, scale),
        }
    }

    /// 0 at the bottom, 1 at the top.
    pub(crate) fn height(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::LogMillis => {
                let log = |x: f64| libm::log10(x.max(self.low));
                (log(value) - log(self.low)) / (log(self.high) - log(self.low))
            }
            Scale::Linear | Scale::Count | Scale::Dollars | Scale::Percent => {
                (value - self.low) / (self.high - self.low)
            }
        };
        share.clamp(0.0, 1.0)
    }

    fn from_zero(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let top = values.filter(|x| x.is_finite()).fold(0.0, f64::max);
        let step = nice_step(if top > 0.0 { top } else { 1.0 } / 4.0);
        let step = if scale == Scale::Count { step.max(1.0) } else { step };
        let steps = (top / step).ceil().max(1.0);
        let label = |x: f64| match scale {
            Scale::Dollars => format!("${}", padded_cents(&at_step(x, step))),
            Scale::Percent => format!("{} %", at_step(x * 100.0, step * 100.0)),
            _ => at_step(x, step),
        };
        let ticks = (0..=steps as u32).map(|i| f64::from(i) * step).map(|at| Tick { at, label: label(at) });
        Self { low: 0.0, high: steps * step, ticks: ticks.collect(), scale }
    }

    /// Powers of ten up to 10 s, then 1 min, 10 min, 1 h, .. as people name them.
    fn log_millis(values: impl Iterator<Item = f64> + Clone) -> Self {
        const MARKS: [f64; 13] =
            [0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 6e4, 6e5, 3.6e6, 3.6e7, 8.64e7 * 7.0, 8.64e7 * 70.0];
        let positive = values.filter(|x| x.is_finite() && *x > 0.0);
        let least = positive.clone().reduce(f64::min).unwrap_or(1.0).max(1.0);
        let most = positive.fold(1.0, f64::max);
        let first = MARKS.iter().rposition(|mark| *mark <= least).unwrap_or(2).min(MARKS.len() - 2);
        let last = MARKS.iter().position(|mark| *mark >= most).unwrap_or(MARKS.len() - 1).max(first + 1);
        let mut ticks: Vec<Tick> = MARKS[first..=last].iter().map(|at| millis_tick(*at)).collect();
        if last - first <= 2 {
            ticks.extend(MARKS[first..last].iter().map(|at| millis_tick(at * 3.0)));
        }
        // What is shorter is drawn on the lowest line; a wait of zero has no logarithm.
        ticks[0].label.insert_str(0, "≤ ");
        Self { low: MARKS[first], high: MARKS[last], ticks, scale: Scale::LogMillis }
    }
}

fn millis_tick(at: f64) -> Tick {
    Tick { at, label: duration_ms(at) }
}

/// Distances between ticks that read well as seconds, minutes, hours or days.
const STEPS: [f64; 22] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1800.0,
    3600.0,
    7200.0,
    10_800.0,
    14_400.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    1_209_600.0,
];

/// The time axis: its ticks and its title.
pub(super) fn time(end_s: f64, room_for: usize, in_seconds: bool) -> (Vec<Tick>, String) {
    let smallest = end_s / room_for.max(1) as f64;
    let step = if smallest < 1.0 {
        nice_step(smallest.max(1e-6))
    } else {
        STEPS
            .into_iter()
            .find(|step| *step >= smallest)
            .unwrap_or_else(|| 86_400.0 * nice_step(smallest / 86_400.0))
    };
    let (unit, name) = match end_s {
        _ if in_seconds => (1.0, "seconds"),
        s if s > 4.0 * 86_400.0 => (86_400.0, "days"),
        s if s > 3.0 * 3600.0 => (3600.0, "hours"),
        s if s > 180.0 => (60.0, "minutes"),
        _ => (1.0, "seconds"),
    };
    let last = (end_s / step * (1.0 + 1e-9)).floor();
    let ticks = (0..=last as u32)
        .map(|i| f64::from(i) * step)
        .map(|at| Tick { at, label: at_step(at / unit, step / unit) })
        .collect();
    (ticks, format!("time since the start ({name})"))
}

/// The next larger of 1, 2, 5 times a power of ten.
fn nice_step(at_least: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(at_least)));
    let digit = at_least / power;
    let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| digit <= nice * (1.0 + 1e-9)).unwrap_or(10.0);
    nice * power
}

/// A value with as many digits as the distance between ticks asks for; large ones in thousands or millions.
fn at_step(x: f64, step: f64) -> String {
    let (unit, suffix) = match x.abs().max(step) {
        size if size >= 1e9 && step >= 1e8 => (1e9, "G"),
        size if size >= 1e6 && step >= 1e5 => (1e6, "M"),
        size if size >= 1e4 && step >= 1e2 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if x == 0.0 {
        return "0".into();
    }
    let digits = (-libm::floor(libm::log10(step / unit) + 1e-9)).clamp(0.0, 9.0) as usize;
    let text = if digits == 0 { number((x / unit).round()) } else { format!("{:.digits$}", x / unit) };
    format!(
        "{}{suffix}",
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn time_is_labelled_in_the_unit_of_its_span() {
        let (ticks, title) = time(86_400.0, 12, false);
        assert_eq!(labels(&ticks), ["0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20", "22", "24"]);
        assert_eq!(title, "time since the start (hours)");
        let (ticks, title) = time(7200.0, 9, false);
        assert_eq!(labels(&ticks), ["0", "15", "30", "45", "60", "75", "90", "105", "120"]);
        assert_eq!(title, "time since the start (minutes)");
        let (ticks, title) = time(720.0, 6, true);
        assert_eq!((labels(&ticks)[6], title.as_str()), ("720", "time since the start (seconds)"));
        assert_eq!(labels(&time(0.5, 5, false).0), ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
    }

    #[test]
    fn time_has_no_more_ticks_than_there_is_room_for() {
        for end in [0.001, 0.9, 1.0, 59.0, 61.0, 3599.0, 86_400.0, 3e6, 3e7, 5e8] {
            let (ticks, _) = time(end, 8, false);
            assert!((1..=9).contains(&ticks.len()), "{end}: {:?}", labels(&ticks));
        }
    }

    #[test]
    fn a_linear_axis_starts_at_zero_and_holds_the_largest() {
        let axis = Axis::around([3.0, 871.0].into_iter(), Scale::Linear);
        assert_eq!(labels(&axis.ticks), ["0", "500", "1,000"]);
        assert_eq!((axis.low, axis.high), (0.0, 1000.0));
        assert_eq!(axis.height(500.0), 0.5);
    }

    #[test]
    fn counts_have_no_halves() {
        assert_eq!(labels(&Axis::around([2.0].into_iter(), Scale::Count).ticks), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::around([].into_iter(), Scale::Count).ticks), ["0", "1"]);
    }

    #[test]
    fn money_and_thousands_are_short() {
        assert_eq!(
            labels(&Axis::around([0.0031].into_iter(), Scale::Dollars).ticks),
            ["$0", "$0.001", "$0.002", "$0.003", "$0.004"]
        );
        assert_eq!(
            labels(&Axis::around([41_000.0].into_iter(), Scale::Linear).ticks),
            ["0", "20k", "40k", "60k"]
        );
    }

    #[test]
    fn shares_are_percentages() {
        let ticks = |most: f64| labels(&Axis::around([most].into_iter(), Scale::Percent).ticks).join(" | ");
        assert_eq!(ticks(0.014), "0 % | 0.5 % | 1 % | 1.5 %");
        assert_eq!(ticks(1.0), "0 % | 50 % | 100 %");
    }

    #[test]
    fn waits_are_labelled_as_people_name_them() {
        let axis = Axis::around([4.0, 95_000.0].into_iter(), Scale::LogMillis);
        assert_eq!(labels(&axis.ticks), ["≤ 1 ms", "10 ms", "100 ms", "1 s", "10 s", "1 min", "10 min"]);
        assert_eq!(axis.height(0.0), 0.0);
        assert_eq!(axis.height(600_000.0), 1.0);
    }

    #[test]
    fn nothing_to_show_still_makes_an_axis() {
        for scale in [Scale::Linear, Scale::Count, Scale::Dollars, Scale::Percent, Scale::LogMillis] {
            let axis = Axis::around([].into_iter(), scale);
            assert!(axis.high > axis.low && axis.ticks.len() >= 2);
        }
        for value in [f64::INFINITY, f64::NAN, 1e300, 1e-300, -5.0] {
            let axis = Axis::around([value].into_iter(), Scale::Linear);
            assert!(axis.height(value.min(1e300)).is_finite() || value.is_nan(), "{value}");
        }
    }
}
