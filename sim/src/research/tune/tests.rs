use super::*;
use crate::research::range::of_algorithm;
use crate::research::replicate::Stop;
use crate::research::testing::scenario;
use wci_core::algorithm::AlgorithmKind;

fn tuned(subject_to: &str, effort: Effort) -> Tuned {
    let groups = ["activities"];
    let goal = Goal {
        minimize: "cost_usd.total".into(),
        constraints: vec![Expectation::parse(subject_to, &groups).unwrap()],
    };
    let written = [scenario(&[("horizon = \"5m\"", "horizon = \"2m\""), ("rate = 2.0", "rate = 8.0")])];
    let ranges = of_algorithm(&written[0], &groups.map(str::to_owned), AlgorithmKind::NoSync).unwrap();
    let space = Space { name: "no-sync".into(), scenarios: written.to_vec(), ranges };
    tune(&Lab::without_files(), &written, &[space], &goal, effort).unwrap()
}

const SMALL: Effort = Effort { trials: 24, replications: 10, until: None };

#[test]
fn finds_a_cheaper_setting_that_holds_on_fresh_seeds() {
    let tuned = tuned("schedule_to_start.p95 < 15s", SMALL);
    let best = tuned.best.expect("there is one");
    let high = best.results[0].estimate("schedule_to_start.p95").high().expect("an interval");
    assert!(high < 15_000.0, "{high}");
    let written = &best.rivals[0];
    assert!(written.difference.high().is_some_and(|high| high < 0.0), "{written:?}");
    let [search, choice, confirm] = tuned.seeds;
    assert!(search.1 < choice.0 && choice.1 < confirm.0, "{:?}", tuned.seeds);
    let seeds: Vec<u64> = best.results[0].runs.iter().map(|run| run.summary.seed).collect();
    assert_eq!((seeds[0], seeds[9]), confirm);
}

#[test]
fn an_infeasible_target_is_said_and_not_bent() {
    let tuned = tuned("schedule_to_start.max < 1ms", Effort { trials: 8, ..SMALL });
    assert!(tuned.best.is_none() && tuned.best_fixed.is_none());
    let nearest = tuned.nearest().expect("something was tried");
    assert!(!nearest.is_sure && nearest.shortfall > 0.0);
}

#[test]
fn the_proof_goes_on_until_the_intervals_are_narrow_enough() {
    let until = Until { share: 0.02, keys: vec!["cost_usd.total".into()] };
    let best =
        |until| tuned("schedule_to_start.p95 < 15s", Effort { trials: 8, until, ..SMALL }).best.unwrap();
    let (short, long) = (best(None), best(Some(until)));
    let width = |best: &Confirmed| best.results[0].estimate("cost_usd.total").relative_half_width().unwrap();
    assert!(width(&short) > 0.02 && width(&long) <= 0.02, "{} {}", width(&short), width(&long));
    assert_eq!((short.stop, long.stop), (Stop::Count, Stop::Precise));
    let fresh = long.seeds.1 - long.seeds.0 + 1;
    assert_eq!((fresh % 10, long.results[0].runs.len() as u64), (0, fresh));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let tuned = pool.install(|| tuned("schedule_to_start.p95 < 15s", Effort { trials: 8, ..SMALL }));
        serde_json::to_string(&tuned).unwrap()
    };
    assert_eq!(on(1), on(2));
}

#[test]
fn the_front_has_no_trial_that_another_beats_in_both() {
    let tuned = tuned("schedule_to_start.p95 < 15s", SMALL);
    let front: Vec<&Trial> = tuned.trials.iter().filter(|trial| trial.on_front).collect();
    assert!(!front.is_empty());
    for a in &front {
        let beaten = tuned
            .trials
            .iter()
            .filter(|b| b.seeds == 10)
            .any(|b| b.mean < a.mean && b.constrained.zip(a.constrained).is_some_and(|(b, a)| b < a));
        assert!(!beaten, "{a:?}");
    }
}
