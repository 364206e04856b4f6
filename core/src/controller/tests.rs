use super::*;
use crate::metrics::MetricsSnapshot;

#[test]
fn polls_five_minutes_after_the_start() {
    let spec =
        r#"{"scaling_group_specs": {"all": {"compute": {"provider_type": "aws-lambda"}}}}"#.parse().unwrap();
    let at = Timestamp::from_millis;
    let (mut controller, step) =
        Controller::start(Default::default(), Settings::default(), State::new(Some(spec), at(0)), at(0));
    println!("{step:?}");
    let step = controller.handle(at(1), Input::WokeUp);
    assert_eq!(step.wake_at, Some(at(300_000)));
    let step = controller.handle(at(300_000), Input::WokeUp);
    let id = step.actions[0].id;
    let step = controller.handle(at(300_010), Input::Metrics { id, result: Ok(MetricsSnapshot::default()) });
    assert_eq!(step.wake_at, Some(at(360_010)));
}
