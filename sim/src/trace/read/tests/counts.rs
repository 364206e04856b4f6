//! Traces that count.

use super::*;

const INVOCATIONS: &str =
    "HashOwner,HashApp,HashFunction,Trigger,481,480,483\no,a,f,http,3,2,0\no,b,f,timer,1,1,1\n";
const DURATIONS: &str = "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100
o,b,f,50,1080,50,50,50,50,50,50,50,50,50
o,a,f,10,1800,10,10,10,10,10,10,10,10,10
";

fn azure(options: &TraceOptions, invocations: &str, durations: &str) -> Result<TraceSource, TraceError> {
    let files =
        files(&[("t/invocations.csv", invocations.as_bytes()), ("t/durations.csv", durations.as_bytes())]);
    TraceSource::open(options, &files, draws(1))
}

#[test]
fn azure_2019_joins_by_app_and_function_in_any_order_of_columns() {
    let mut source = azure(&options(TraceFormat::AzureFunctions2019), INVOCATIONS, DURATIONS).unwrap();
    assert_eq!((source.span(), source.notes().len()), (Some(240_000_000_000), 0));
    let all = drain(&mut source).unwrap();
    let by_minute =
        |minute: u64| all.iter().filter(move |a| a.0 / 60_000_000_000 == minute).map(|a| a.1 / 1_000_000);
    let sorted = |minute| {
        let mut services: Vec<u64> = by_minute(minute).collect();
        services.sort_unstable();
        services
    };
    assert_eq!(sorted(0), [10, 10, 50]);
    assert_eq!(sorted(1), [10, 10, 10, 50]);
    assert_eq!((sorted(2), sorted(3)), (vec![], vec![50]));
    assert!(all.is_sorted_by_key(|a| a.0));
}

#[test]
fn azure_2019_understands_all_names_of_minutes() {
    for names in ["1_minute,2_minute,3_minute", "minute_1,minute_2,minute_3", "1,2,3"] {
        let invocations = format!("HashFunction,HashOwner,HashApp,{names}\nf,o,a,1,2,3\n");
        let mut source = azure(&options(TraceFormat::AzureFunctions2019), &invocations, DURATIONS).unwrap();
        assert_eq!((drain(&mut source).unwrap().len(), source.span()), (6, Some(180_000_000_000)));
    }
}

#[test]
fn azure_2019_pools_durations_where_the_pairing_cannot_be_true() {
    let unlike = DURATIONS.replace(",1080,", ",999999,").replace(",1800,", ",333333,");
    let mut source = azure(&options(TraceFormat::AzureFunctions2019), INVOCATIONS, &unlike).unwrap();
    assert!(source.notes()[0].contains("draws from the durations of all functions"), "{:?}", source.notes());
    assert_eq!(drain(&mut source).unwrap().len(), 8);
    let told = TraceOptions { pairing: Some(Pairing::Function), ..options(TraceFormat::AzureFunctions2019) };
    assert!(azure(&told, INVOCATIONS, &unlike).unwrap().notes().is_empty());
}

#[test]
fn azure_2019_scales_percentiles_to_the_average() {
    let invocations = "HashFunction,480\nf,100000\n";
    let durations = DURATIONS.replace(
        "o,a,f,10,1800,10,10,10,10,10,10,10,10,10",
        "o,a,f,700,144000000,0,90000,0,2,100,300,900,5000,90000",
    );
    let mut source =
        azure(&options(TraceFormat::AzureFunctions2019), invocations, &durations.replace("o,b,f,", "o,b,g,"))
            .unwrap();
    let stats = stats(&mut source).unwrap();
    assert!((stats.duration_seconds.mean / 0.7 - 1.0).abs() < 0.03, "{stats:?}");
    let ratio = stats.duration_seconds.p99 / stats.duration_seconds.p50;
    assert!((ratio / (5000.0 / 300.0) - 1.0).abs() < 0.05, "{stats:?}");
}

#[test]
fn azure_2019_takes_at_least_a_millisecond_before_scaling() {
    let durations =
        DURATIONS.replace("10,1800,10,10,10,10,10,10,10,10,10", "60,1800,0,100,0,0,0,0,100,100,100");
    let invocations = "HashFunction,480\nf,2000\n";
    let mut source =
        azure(&options(TraceFormat::AzureFunctions2019), invocations, &durations.replace("o,b,f,", "o,b,g,"))
            .unwrap();
    let services: Vec<u64> = drain(&mut source).unwrap().iter().map(|a| a.1).collect();
    let (min, max) = (services.iter().min().unwrap(), services.iter().max().unwrap());
    assert!((*max as f64 / *min as f64 - 100.0).abs() < 0.01, "{min} {max}");
}

#[test]
fn expand_says_where_arrivals_lie() {
    let at_start = TraceOptions { expand: Some(Expand::Start), ..options(TraceFormat::AzureFunctions2019) };
    let all = drain(&mut azure(&at_start, INVOCATIONS, DURATIONS).unwrap()).unwrap();
    assert!(all.iter().all(|a| a.0 % 60_000_000_000 == 0));
    let even = TraceOptions { expand: Some(Expand::Even), ..options(TraceFormat::AzureFunctions2019) };
    let all = drain(&mut azure(&even, INVOCATIONS, DURATIONS).unwrap()).unwrap();
    let timer: Vec<u64> = all.iter().filter(|a| a.1 == 50_000_000).map(|a| a.0).collect();
    assert_eq!((timer[1] - timer[0], timer[2] - timer[1]), (60_000_000_000, 120_000_000_000));
}

#[test]
fn nab_repeats_the_count_before_a_gap_and_says_so() {
    let text = "timestamp,value\n2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,56.0\n2014-04-10 00:24:00,1\n";
    let mut source = open(&options(TraceFormat::Nab), text.as_bytes()).unwrap();
    assert_eq!(source.notes()[..1], ["2 missing intervals repeat the one before (112 arrivals)"]);
    assert_eq!(source.span(), Some(1_500_000_000_000));
    let all = drain(&mut source).unwrap();
    let per_interval = |i: u64| all.iter().filter(|a| a.0 / 300_000_000_000 == i).count();
    assert_eq!([0, 1, 2, 3, 4].map(per_interval), [94, 56, 56, 56, 1]);
    let stepped = TraceOptions { step: Span::parse("60s").ok(), ..options(TraceFormat::Nab) };
    assert_eq!(arrivals(&stepped, b"timestamp,value\n0,3\n").unwrap().len(), 3);
}

#[test]
fn servegen_draws_as_many_arrivals_as_the_rates_say() {
    let clients = files(&[
        ("t/chunk-0-trace.csv", b"0,0.05,2.0,Gamma,0.25,80\r\n600,0,0,,0,0\r\n1200,0.1,1,Weibull,1.0,10\r\n"),
        ("t/chunk-1-trace.csv", b"0,0.01,1.0,Gamma,1.0,100\r\n"),
    ]);
    let mut source = TraceSource::open(&options(TraceFormat::Servegen), &clients, draws(1)).unwrap();
    assert_eq!(source.span(), Some(1_800_000_000_000));
    let all = drain(&mut source).unwrap();
    let per_window = |i: u64| all.iter().filter(|a| a.0 / 600_000_000_000 == i).count();
    assert_eq!([0, 1, 2].map(per_window), [36, 0, 60]);
    assert!(all.is_sorted_by_key(|a| a.0));
}

const RANGE: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[
 {"metric":{"q":"a"},"values":[[1700000060,"0.5"],[1700000120,"NaN"],[1700000180,"1"]]},
 {"metric":{"q":"b"},"values":[[1700000000,"0.25"],[1700000180,"0"]]}]}}"#;

#[test]
fn prometheus_values_tell_of_the_step_before() {
    let with_service =
        |format| TraceDraws { service: Some(crate::dist::Dist::constant(1.0).unwrap()), ..format };
    let count = |options: &TraceOptions, text: &str| {
        let mut source =
            TraceSource::open(options, &files(&[("t", text.as_bytes())]), with_service(draws(1))).unwrap();
        let all = drain(&mut source).unwrap();
        let counts = [0, 1, 2, 3].map(|i: u64| all.iter().filter(|a| a.0 / 60_000_000_000 == i).count());
        (counts, source.notes())
    };
    let rate = options(TraceFormat::Prometheus);
    let note = vec!["1 values that are no number count as no arrivals".to_owned()];
    assert_eq!(count(&rate, RANGE), ([15, 30, 0, 60], note.clone()));
    let series = &RANGE[RANGE.find("\"result\":").unwrap() + 9..RANGE.len() - 2];
    assert_eq!(count(&rate, series), ([15, 30, 0, 60], note));
    let counts = TraceOptions { values: Values::Count, ..rate };
    let whole = RANGE.replace("0.5", "5").replace("0.25", "2").replace("NaN", "4");
    assert_eq!(count(&counts, &whole), ([2, 5, 4, 1], vec![]));
    assert_eq!(
        arrivals(&options(TraceFormat::Prometheus), RANGE.as_bytes()).unwrap_err().found,
        "no service times"
    );
}

#[test]
fn the_seed_decides_and_rows_keep_their_luck() {
    let trace = options(TraceFormat::AzureFunctions2019);
    let files = files(&[("t/inv.csv", INVOCATIONS.as_bytes()), ("t/dur.csv", DURATIONS.as_bytes())]);
    let with = |seed| drain(&mut TraceSource::open(&trace, &files, draws(seed)).unwrap()).unwrap();
    assert_eq!(with(5), with(5));
    assert_ne!(with(5), with(6));
}
