//! Many settings of one scenario under the same luck, and which of them matter.

use super::compare::LeftOut;
use super::design::{grid, latin_hypercube};
use super::estimate::{Estimate, LEVEL};
use super::lab::{Case, Lab, StudyError};
use super::range::Range;
use super::replicate::{Plan, Replications, replicate_all};
use super::student::two_sided;
use super::variant::case_with;
use crate::scenario::expect::Quantity;
use crate::scenario::{Scenario, Span};
use serde::Serialize;
use toml::Value;

/// How the points of a sweep are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every combination, ranges in so many steps.
    Grid(usize),
    /// The first values together, the second ones together, and so on.
    List,
    /// So many points, spread evenly over all ranges at once.
    LatinHypercube(usize),
}

/// What a sweep asks of the results at its points.
pub trait Measured {
    /// The figures there are.
    fn known() -> Vec<(String, Quantity)>;
    /// A figure of each replication, in the order of the seeds.
    fn numbers(&self, key: &str) -> Vec<f64>;
    /// A figure with its interval.
    fn estimate(&self, key: &str) -> Estimate;
    /// Whether a figure is only a lower bound, or infinite.
    fn is_censored(&self, key: &str) -> bool;
    /// In how many replications more came than could be done.
    fn overloaded(&self) -> usize;
    /// How many replications.
    fn count(&self) -> usize;
    /// How many, under which seeds, and why no more, in words; of what ran together.
    fn header(results: &[Self]) -> String
    where
        Self: Sized;
    /// Every figure.
    fn to_json(&self) -> serde_json::Value;
}

/// A sweep that has run.
#[derive(Clone, Debug)]
pub struct Sweep<R = Replications> {
    /// What was varied.
    pub keys: Vec<String>,
    /// The points, each with a value for each key.
    pub points: Vec<Vec<Value>>,
    /// The results, one for each point.
    pub results: Vec<R>,
    /// Points that contradict themselves or the scenario.
    pub left_out: Vec<LeftOut>,
}

/// How much one key matters to a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Influence {
    /// The key.
    pub key: String,
    /// Share of the figure's variance over the points that this key alone explains (first-order index, by means
    /// over its values or fifths of its range; of points that are no full grid, less what chance alone would give).
    pub share: f64,
    /// Spearman's rank correlation: above 0 the figure grows with the key.
    pub correlation: f64,
    /// No two of its values (or fifths of its range) differ by more than the replications do: over the seeds, which all
    /// points share, the paired interval of every pair of means includes 0, as many pairs as there are counted
    /// (Bonferroni). Then share and correlation say nothing.
    pub is_within_noise: bool,
}

/// The points of a layout.
#[must_use]
pub fn points(ranges: &[Range], layout: Layout, seed: u64) -> Vec<Vec<Value>> {
    match layout {
        Layout::Grid(steps) => {
            let values: Vec<Vec<Value>> = ranges.iter().map(|range| range.steps(steps)).collect();
            let lengths: Vec<usize> = values.iter().map(Vec::len).collect();
            let point =
                |at: Vec<usize>| at.iter().zip(&values).map(|(i, values)| values[*i].clone()).collect();
            grid(&lengths).into_iter().map(point).collect()
        }
        Layout::List => {
            let values: Vec<Vec<Value>> = ranges.iter().map(|range| range.steps(usize::MAX >> 32)).collect();
            let rows = values.iter().map(Vec::len).min().unwrap_or(0);
            (0..rows).map(|row| values.iter().map(|column| column[row].clone()).collect()).collect()
        }
        Layout::LatinHypercube(n) => {
            let point =
                |places: Vec<f64>| ranges.iter().zip(places).map(|(range, place)| range.at(place)).collect();
            latin_hypercube(n, ranges.len(), seed).into_iter().map(point).collect()
        }
    }
}

/// Says why settings cannot be run; `None`: they can.
pub type Refusal<'a> = dyn Fn(&[(String, Value)]) -> Option<String> + 'a;

/// A value with which no point can run, with what is wrong there: it does not contradict another value, it is wrong.
/// With `is_spread` the places of continuous ranges are everywhere others, and only values that stand at several points
/// are looked at.
#[must_use]
pub fn wrong_value(
    keys: &[String],
    points: &[Vec<Value>],
    is_spread: bool,
    why: &Refusal<'_>,
) -> Option<(String, Value, String)> {
    let settings = |point: &Vec<Value>| keys.iter().cloned().zip(point.iter().cloned()).collect::<Vec<_>>();
    let wrong: Vec<Option<String>> = points.iter().map(|point| why(&settings(point))).collect();
    let first = wrong.iter().position(Option::is_some)?;
    for (point, why) in points.iter().zip(&wrong).skip(first) {
        let Some(why) = why else { continue };
        for (i, key) in keys.iter().enumerate() {
            let own = || points.iter().zip(&wrong).filter(|(other, _)| other[i] == point[i]);
            if own().all(|(_, wrong)| wrong.is_some()) && (!is_spread || own().nth(1).is_some()) {
                return Some((key.clone(), point[i].clone(), why.clone()));
            }
        }
    }
    None
}

impl Sweep {
    /// Runs every point.
    ///
    /// # Errors
    /// The first run that failed.
    pub fn run(
        lab: &Lab<'_>,
        scenario: &Scenario,
        keys: &[String],
        points: Vec<Vec<Value>>,
        plan: &Plan,
    ) -> Result<Self, StudyError> {
        let mut sweep =
            Self { keys: keys.to_vec(), points: Vec::new(), results: Vec::new(), left_out: Vec::new() };
        let mut cases: Vec<Case> = Vec::new();
        for point in points {
            let settings: Vec<(String, Value)> = keys.iter().cloned().zip(point.iter().cloned()).collect();
            let name =
                settings.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
            match case_with(&name, scenario, &settings) {
                Ok(mut case) => {
                    case.keep.pools = false;
                    cases.push(case);
                    sweep.points.push(point);
                }
                Err(errors) => sweep.left_out.push(LeftOut { name, why: errors.to_string() }),
            }
        }
        sweep.results = replicate_all(lab, &cases.iter().collect::<Vec<_>>(), plan)?;
        Ok(sweep)
    }
}

impl<R: Measured> Sweep<R> {
    /// The mean of a figure at every point; infinite or unknown ones are no number.
    #[must_use]
    pub fn means(&self, figure: &str) -> Vec<f64> {
        self.results.iter().map(|result| result.estimate(figure).mean.unwrap_or(f64::NAN)).collect()
    }

    /// The values of a key as places on a line: numbers as they are, others by their first appearance.
    #[must_use]
    pub fn places(&self, key: usize) -> Vec<f64> {
        let mut names: Vec<&Value> = Vec::new();
        let mut place = |value| {
            number(value).unwrap_or_else(|| {
                let at = names.iter().position(|name| *name == value);
                at.unwrap_or_else(|| {
                    names.push(value);
                    names.len() - 1
                }) as f64
            })
        };
        self.points.iter().map(|point| place(&point[key])).collect()
    }

    /// Whether every combination of values is there once: then a key's share is no estimate, but the thing itself.
    fn is_grid(&self) -> bool {
        let distinct = |key: usize| {
            let mut places = self.places(key);
            places.sort_by(f64::total_cmp);
            places.dedup();
            places.len()
        };
        (0..self.keys.len()).map(distinct).try_fold(1_usize, usize::checked_mul) == Some(self.points.len())
    }

    /// Whether the replications alone could make what the values of a key seem to change.
    fn is_within_noise(&self, key: usize, figure: &str) -> bool {
        let known =
            self.places(key).into_iter().zip(self.results.iter().map(|result| result.numbers(figure)));
        let known = known.filter(|(_, numbers)| numbers.iter().all(|number| number.is_finite()));
        let (x, numbers): (Vec<f64>, Vec<Vec<f64>>) = known.unzip();
        let groups = group_of(&x);
        let count = groups.iter().max().map_or(0, |last| last + 1);
        let means: Vec<Vec<f64>> = (0..count).map(|group| by_seed(&numbers, &groups, group)).collect();
        let pairs = (count * count.saturating_sub(1) / 2).max(1) as f64;
        let differs = |one: &Vec<f64>, other: &Vec<f64>| {
            let degrees = (one.len().min(other.len()) as u64).saturating_sub(1);
            let wider = two_sided(1.0 - (1.0 - LEVEL) / pairs, degrees) / two_sided(LEVEL, degrees);
            let Estimate { mean: Some(mean), ci95: Some(half), .. } = Estimate::paired(one, other) else {
                return false;
            };
            // What differs by rounding alone does not vary.
            let rounding = one.iter().chain(other).fold(0.0_f64, |most, x| most.max(x.abs())) * 1e-12;
            mean.abs() > half * wider && mean.abs() > rounding
        };
        !means.iter().enumerate().any(|(i, one)| means[i + 1..].iter().any(|other| differs(one, other)))
    }

    /// Which keys matter to a figure, the most telling one first, what is within the noise last.
    #[must_use]
    pub fn influences(&self, figure: &str) -> Vec<Influence> {
        let means = self.means(figure);
        let is_grid = self.is_grid();
        let of = |(i, key): (usize, &String)| {
            let known = self.places(i).into_iter().zip(means.iter().copied()).filter(|(_, y)| y.is_finite());
            let (x, y): (Vec<f64>, Vec<f64>) = known.unzip();
            Influence {
                key: key.clone(),
                share: explained(&x, &y, is_grid),
                correlation: spearman(&x, &y),
                is_within_noise: self.is_within_noise(i, figure),
            }
        };
        let mut influences: Vec<Influence> = self.keys.iter().enumerate().map(of).collect();
        influences
            .sort_by(|a, b| a.is_within_noise.cmp(&b.is_within_noise).then(b.share.total_cmp(&a.share)));
        influences
    }
}

/// The mean over the points of a group, seed by seed.
fn by_seed(numbers: &[Vec<f64>], groups: &[usize], group: usize) -> Vec<f64> {
    let own: Vec<&Vec<f64>> =
        numbers.iter().zip(groups).filter(|(_, own)| **own == group).map(|(numbers, _)| numbers).collect();
    let seeds = own.iter().map(|numbers| numbers.len()).min().unwrap_or(0);
    (0..seeds).map(|seed| own.iter().map(|numbers| numbers[seed]).sum::<f64>() / own.len() as f64).collect()
}

/// A number, or the length of a duration: 90 s are more than 1.25 min.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Boolean(flag) => Some(f64::from(u8::from(*flag))),
        Value::String(text) => Span::parse(text).ok().map(|span| span.0 as f64),
        _ => None,
    }
}

/// Values that lie at more places than this are put into this many equal parts.
const PARTS: usize = 12;
const FIFTHS: usize = 5;

/// Variance of the group means over the whole variance. The means of `k` groups of `n` values differ by chance, too,
/// on average by `(k - 1) / (n - 1)` of the whole: what is beyond that counts, where the points are a sample (the
/// adjusted coefficient of determination).
fn explained(x: &[f64], y: &[f64], is_grid: bool) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let all = mean(y);
    let whole: f64 = y.iter().map(|value| (value - all) * (value - all)).sum();
    // What differs by rounding alone does not vary.
    let rounding = all.abs() * 1e-12;
    if whole <= rounding * rounding * y.len() as f64 || y.len() < 2 {
        return 0.0;
    }
    let groups = group_of(x);
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let between: f64 = (0..count)
        .map(|group| {
            let own: Vec<f64> = groups.iter().zip(y).filter(|(g, _)| **g == group).map(|(_, y)| *y).collect();
            own.len() as f64 * (mean(&own) - all) * (mean(&own) - all)
        })
        .filter(|square| square.is_finite())
        .sum();
    let share = between / whole;
    let free = y.len().saturating_sub(count) as f64;
    if is_grid || free < 1.0 {
        return share;
    }
    (1.0 - (1.0 - share) * (y.len() as f64 - 1.0) / free).max(0.0)
}

/// The group of each value: its place among few distinct ones, or its fifth.
pub(crate) fn group_of(x: &[f64]) -> Vec<usize> {
    let mut distinct = x.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() <= PARTS {
        let place = |value: &f64| distinct.iter().position(|other| other == value).unwrap_or(0);
        return x.iter().map(place).collect();
    }
    let ranks = ranks(x);
    ranks
        .iter()
        .map(|rank| ((rank - 0.5) / x.len() as f64 * FIFTHS as f64) as usize)
        .map(|g| g.min(FIFTHS - 1))
        .collect()
}

/// Ranks from 1, equal values at their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let equal = values.iter().filter(|other| *other == value).count() as f64;
        below + (equal + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// Pearson's correlation of the ranks; 0 when one of them does not vary.
fn spearman(x: &[f64], y: &[f64]) -> f64 {
    let (x, y) = (ranks(x), ranks(y));
    let middle = (x.len() as f64 + 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let whole = (sum(&x, &x) * sum(&y, &y)).sqrt();
    if whole > 0.0 { sum(&x, &y) / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::testing::scenario;

    #[test]
    fn layouts_have_their_points() {
        let ranges = [Range::parse("a=1,2").unwrap(), Range::parse("b=0..10").unwrap()];
        assert_eq!(points(&ranges, Layout::Grid(3), 1).len(), 6);
        let list = [Range::parse("a=1,2").unwrap(), Range::parse("b=x,y").unwrap()];
        assert_eq!(points(&list, Layout::List, 1), [vec![1.into(), "x".into()], vec![2.into(), "y".into()]]);
        assert_eq!(points(&ranges, Layout::LatinHypercube(7), 1).len(), 7);
    }

    #[test]
    fn a_value_that_is_wrong_wherever_it_stands_is_no_contradiction() {
        let keys = ["low", "high"].map(str::to_owned);
        let ranges = [Range::parse("low=1,5").unwrap(), Range::parse("high=3,9").unwrap()];
        let points = points(&ranges, Layout::Grid(2), 1);
        let number = |value: &Value| value.as_integer().unwrap_or_default();
        let crossed = |point: &[(String, Value)]| {
            (number(&point[0].1) > number(&point[1].1)).then(|| "low over high".to_owned())
        };
        assert_eq!(wrong_value(&keys, &points, false, &crossed), None);
        let nine = |point: &[(String, Value)]| (number(&point[1].1) == 9).then(|| "no nine".to_owned());
        let wrong = wrong_value(&keys, &points, false, &nine);
        assert_eq!(wrong, Some(("high".to_owned(), 9.into(), "no nine".to_owned())));
        let only = |point: &[(String, Value)]| (number(&point[0].1) == 5).then(|| "alone".to_owned());
        assert!(wrong_value(&keys, &points[1..3], false, &only).is_some());
        assert_eq!(wrong_value(&keys, &points[1..3], true, &only), None, "one place of a sample");
    }

    #[test]
    fn the_key_that_matters_comes_first() {
        let keys = ["workload.orders.arrival.rate".to_owned(), "drain_limit".to_owned()];
        let ranges = [Range::parse("r=1,4").unwrap(), Range::parse("d=50m,60m").unwrap()];
        let points = points(&ranges, Layout::Grid(2), 1);
        let sweep = Sweep::run(&Lab::without_files(), &scenario(&[]), &keys, points, &Plan::of(10)).unwrap();
        let influences = sweep.influences("tasks.arrived");
        assert_eq!(influences[0].key, keys[0]);
        assert!(influences[0].share > 0.99 && influences[0].correlation > 0.8, "{influences:?}");
        assert!(influences[1].share < 0.01, "{influences:?}");
        assert_eq!([0, 1].map(|i| influences[i].is_within_noise), [false, true], "{influences:?}");
    }

    /// Results of which only the replications are known.
    #[derive(Clone, Debug)]
    struct Numbers(Vec<f64>);

    impl Measured for Numbers {
        fn known() -> Vec<(String, Quantity)> {
            Vec::new()
        }
        fn numbers(&self, _key: &str) -> Vec<f64> {
            self.0.clone()
        }
        fn estimate(&self, _key: &str) -> Estimate {
            Estimate::of(&self.0)
        }
        fn is_censored(&self, _key: &str) -> bool {
            false
        }
        fn overloaded(&self) -> usize {
            0
        }
        fn count(&self) -> usize {
            self.0.len()
        }
        fn header(_results: &[Self]) -> String {
            String::new()
        }
        fn to_json(&self) -> serde_json::Value {
            serde_json::Value::Null
        }
    }

    /// The key explains all of the variance of the means, and yet its values differ by chance alone; shifted by as
    /// much under every seed they do not.
    #[test]
    fn what_differs_less_than_the_replications_do_is_within_the_noise() {
        let sweep = |high: [f64; 4]| Sweep {
            keys: vec!["key".into()],
            points: vec![vec![1.into()], vec![2.into()]],
            results: vec![Numbers(vec![1.0, 9.0, 3.0, 7.0]), Numbers(high.to_vec())],
            left_out: Vec::new(),
        };
        let noisy = sweep([9.0, 1.0, 7.5, 4.5]).influences("figure").remove(0);
        assert!(noisy.share > 0.99 && noisy.is_within_noise, "{noisy:?}");
        let shifted = sweep([1.5, 9.5, 3.4, 7.6]).influences("figure").remove(0);
        assert!(!shifted.is_within_noise, "{shifted:?}");
    }

    #[test]
    fn a_point_that_makes_no_sense_is_left_out_by_name() {
        let keys = ["workload.orders.arrival.rate".to_owned()];
        let points = vec![vec![2.into()], vec![Value::from("many")]];
        let sweep = Sweep::run(&Lab::without_files(), &scenario(&[]), &keys, points, &Plan::of(2)).unwrap();
        assert_eq!((sweep.results.len(), sweep.left_out.len()), (1, 1));
    }

    /// By hand: group means 1.5 and 3.5 around 2.5, whole sum of squares 5, between 4.
    #[test]
    fn the_explained_share_is_that_of_the_group_means() {
        assert!((explained(&[0.0, 0.0, 1.0, 1.0], &[1.0, 2.0, 3.0, 4.0], true) - 0.8).abs() < 1e-12);
        assert_eq!(explained(&[0.0, 1.0], &[3.0, 3.0], true), 0.0);
        assert_eq!(explained(&[0.0, 1.0], &[0.1 + 0.2, 0.3], true), 0.0, "rounding is no variance");
    }

    /// By hand: of the share 0.8 as above with 4 points in 2 groups remains 1 - 0.2 * 3 / 2.
    #[test]
    fn what_chance_alone_would_explain_does_not_count_for_a_sample() {
        assert!((explained(&[0.0, 0.0, 1.0, 1.0], &[1.0, 2.0, 3.0, 4.0], false) - 0.7).abs() < 1e-12);
        let mut stream = crate::rng::Stream::named(1, "no influence");
        let mut draw = || (0..60).map(|_| stream.uniform()).collect::<Vec<f64>>();
        let studies: Vec<(f64, f64)> = (0..400)
            .map(|_| (draw(), draw()))
            .map(|(x, y)| (explained(&x, &y, true), explained(&x, &y, false)))
            .collect();
        let mean = |of: fn(&(f64, f64)) -> f64| studies.iter().map(of).sum::<f64>() / studies.len() as f64;
        assert!((mean(|both| both.0) - 4.0 / 59.0).abs() < 0.006, "{}", mean(|both| both.0));
        assert!(mean(|both| both.1) < 0.025, "{}", mean(|both| both.1));
    }

    #[test]
    fn durations_lie_by_their_length_and_not_by_the_number_in_front() {
        let points = ["10m", "90s", "1h", "1h30m"].map(|text| vec![Value::String(text.into())]);
        let (keys, points) = (vec!["horizon".to_owned()], points.to_vec());
        let sweep: Sweep = Sweep { keys, points, results: Vec::new(), left_out: Vec::new() };
        assert_eq!(ranks(&sweep.places(0)), [2.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn rank_correlation_knows_the_direction() {
        assert!((spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]) - 1.0).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }
}
