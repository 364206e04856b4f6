//! Points of a series on a fixed width of paper: steps where windows are wide, peaks kept where they are narrow.

/// A point on the canvas.
pub(super) type Point = (f64, f64);

/// Windows at least this wide are drawn as steps, narrower ones as a line through their middles.
const STEP_FROM: f64 = 4.0;

/// The runs of neighbouring values between gaps, as points. `x` maps seconds, `y` maps values.
pub(super) fn runs(
    starts: &[f64],
    window_s: f64,
    values: &[Option<f64>],
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Vec<Vec<Point>> {
    let is_wide = x(window_s) - x(0.0) >= STEP_FROM;
    let mut runs = Vec::new();
    let mut windows: Vec<(f64, f64)> = Vec::new();
    for (start, value) in starts.iter().zip(values) {
        match value {
            Some(value) => windows.push((*start, *value)),
            None => runs.extend(run(&windows, window_s, is_wide, &x, &y)),
        }
        if value.is_none() {
            windows.clear();
        }
    }
    runs.extend(run(&windows, window_s, is_wide, &x, &y));
    runs
}

fn run(
    windows: &[(f64, f64)],
    window_s: f64,
    is_wide: bool,
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Option<Vec<Point>> {
    let (first, last) = (windows.first()?, windows.last()?);
    if is_wide || windows.len() == 1 {
        // A window alone would be a point that nobody sees: it is at least two pixels wide.
        let right =
            |start: f64| if is_wide { x(start + window_s) } else { x(start + window_s).max(x(start) + 2.0) };
        return Some(windows.iter().flat_map(|(t, v)| [(x(*t), y(*v)), (right(*t), y(*v))]).collect());
    }
    let middles = windows.iter().map(|(t, v)| (x(t + window_s / 2.0), y(*v)));
    let ends = [(x(first.0), y(first.1)), (x(last.0 + window_s), y(last.1))];
    let points = ends[..1].iter().copied().chain(middles).chain(ends[1..].iter().copied()).collect();
    Some(thinned(points))
}

/// At most two points for each pixel, the lowest and the highest in the order they came: no peak is lost.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    let by_height = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
    let mut out: Vec<Point> = Vec::with_capacity(points.len());
    for group in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        match (group.iter().min_by(by_height), group.iter().max_by(by_height)) {
            (Some(low), Some(high)) if group.len() > 2 => {
                out.extend(if low.0 <= high.0 { [*low, *high] } else { [*high, *low] });
            }
            _ => out.extend(group),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(n: usize, px_per_window: f64, value: impl Fn(usize) -> Option<f64>) -> Vec<Vec<Point>> {
        let starts: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let values: Vec<Option<f64>> = (0..n).map(value).collect();
        runs(&starts, 1.0, &values, |s| s * px_per_window, |v| v)
    }

    #[test]
    fn wide_windows_are_steps() {
        assert_eq!(all(2, 10.0, |i| Some(i as f64)), [[(0.0, 0.0), (10.0, 0.0), (10.0, 1.0), (20.0, 1.0)]]);
    }

    #[test]
    fn a_gap_parts_the_line_and_a_lone_window_stays_visible() {
        let runs = all(5, 0.5, |i| (i != 1 && i != 3).then_some(1.0));
        assert_eq!(runs.len(), 3);
        assert!(runs.iter().all(|run| run.len() == 2 && run[1].0 - run[0].0 >= 2.0));
    }

    #[test]
    fn a_peak_survives_thinning() {
        let runs = all(100_000, 0.01, |i| Some(if i == 54_321 { 99.0 } else { 1.0 }));
        assert!(runs[0].len() <= 2 * 1001);
        assert!(runs[0].iter().any(|point| point.1 == 99.0));
    }
}
