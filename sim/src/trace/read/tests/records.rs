//! Formats with one record a line.

use super::*;
use crate::dist::Dist;

#[test]
fn plain_csv_comes_in_all_its_forms() {
    let expected = [(0, 250), (500, 0), (500, 1000)];
    for text in [
        "timestamp,duration\n10,0.25\n10.5,0\n10.5,1\n",
        "10,0.25\r\n10.5,0\r\n10.5,1",
        "\u{feff}duration,who,timestamp\n0.25,a,10\n0,\"b,c\",10.5\n1,,10.5",
        "2024-01-31 23:59:50,0.25\n2024-01-31T23:59:50.5Z,0\n2024-02-01T00:59:50.5+01:00,1\n",
        "1700000000.000000000,0.25\n\n1700000000.5,0.0\n1700000000.50,1.0",
    ] {
        assert_eq!(millis(&options(TraceFormat::Csv), text), expected, "{text}");
    }
    let in_millis = TraceOptions { unit: Unit::Milliseconds, ..options(TraceFormat::Csv) };
    assert_eq!(millis(&in_millis, "10000,250\n10500,0\n10500,1000"), expected);
}

#[test]
fn plain_csv_keeps_nanoseconds_at_todays_epoch() {
    let all =
        arrivals(&options(TraceFormat::Csv), b"1767225600.000000001,0.000000001\n1767225600.000000004,2")
            .unwrap();
    assert_eq!(all, [(0, 1), (3, 2_000_000_000)]);
}

#[test]
fn columns_are_mapped_by_formula_pattern_and_filter() {
    let text = "start|end|kind\n".replace('|', ",") + "1000,1500,a\n2000,2100,b\n3000,4000,a\n";
    let by_columns = TraceOptions {
        unit: Unit::Milliseconds,
        filter: Some("kind == 'a' and end > 0".into()),
        ..mapped("start", "end - start")
    };
    assert_eq!(millis(&by_columns, &text), [(0, 500), (2000, 1000)]);
    let mut tsv = mapped("$1", "2 * $2");
    let mapping = tsv.mapping.get_or_insert_default();
    mapping.layout = FileLayout::Tsv;
    mapping.time_format = Some("%d/%b/%Y:%H:%M:%S".into());
    mapping.columns = Some(Vec::new());
    mapping.comment = Some('#');
    tsv.service_unit = Some(Unit::Milliseconds);
    let text = "# log\n10/Oct/2000:13:55:36\t7\n10/Oct/2000:13:55:38\t8\n";
    assert_eq!(millis(&tsv, text), [(0, 14), (2000, 16)]);
    let mut json = mapped("time", "[took ms]");
    json.mapping.get_or_insert_default().layout = FileLayout::JsonLines;
    json.service_unit = Some(Unit::Milliseconds);
    let text = "{\"time\": \"2024-01-01T00:00:00Z\", \"took ms\": 12.0}\n{\"took ms\": 13, \"x\": {}, \"time\": \"2024-01-01T00:00:01Z\"}\n";
    assert_eq!(millis(&json, text), [(0, 12), (1000, 13)]);
}

#[test]
fn known_formats_find_their_columns() {
    let llm = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,1000,10\r\n2023-11-16 18:15:47.6805900,0,100";
    assert_eq!(millis(&options(TraceFormat::AzureLlm), llm), [(0, 700), (1000, 3200)]);
    let azure = "app,func,end_timestamp,duration\na,f,5.0,4.5\na,f,3.0,0.25\na,f,2.0,2\n";
    assert_eq!(
        millis(&options(TraceFormat::AzureFunctions2021), azure),
        [(0, 2000), (500, 4500), (2750, 250)]
    );
    let swim = "job0\t49\t49\t1000000000\t500000000\t500000000\njob1\t50\t1\t0\t0\t0\n";
    assert_eq!(millis(&options(TraceFormat::Swim), swim), [(0, 12_000), (1000, 10_000)]);
    let burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,500,10,510,API log\n";
    assert_eq!(millis(&options(TraceFormat::Burstgpt), burst), [(0, 600)]);
    let timed = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n19440110.0,x,43,GPT-4,906,446,1352,Conversation log\n";
    assert_eq!(millis(&options(TraceFormat::Burstgpt), timed), [(0, 43_000)]);
    let swf = "; head\n 1 100 5 60 1 -1\n 2 130 0 -1 1 -1\n 3 160 0 0.5 1\n";
    let mut source = open(&options(TraceFormat::Swf), swf.as_bytes()).unwrap();
    assert_eq!(drain(&mut source).unwrap(), [(0, 60_000_000_000), (60_000_000_000, 500_000_000)]);
    assert_eq!(source.notes(), ["1 records that do not pass the filter were left out"]);
}

const MOONCAKE: &str =
    "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}
{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 10}
{\"timestamp\": 2999, \"input_length\": 1, \"output_length\": 20}
{\"timestamp\": 6000, \"input_length\": 1, \"output_length\": 30}
";

#[test]
fn mooncake_spreads_batches_unless_told_not_to() {
    let as_recorded = TraceOptions { expand: Some(Expand::Start), ..options(TraceFormat::Mooncake) };
    assert_eq!(millis(&as_recorded, MOONCAKE), [(0, 15_200), (0, 500), (2999, 800), (6000, 1100)]);
    let spread = millis(&options(TraceFormat::Mooncake), MOONCAKE);
    let services: Vec<u64> = spread.iter().map(|a| a.1).collect();
    assert_eq!(services, [15_200, 500, 800, 1100]);
    assert_eq!(spread[0].0, 0);
    assert!(spread.is_sorted_by_key(|a| a.0) && spread[1].0 > 0 && spread[1].0 < 2999);
}

#[test]
fn services_can_be_replaced() {
    let by_formula = TraceOptions {
        service: Some("GeneratedTokens".into()),
        service_unit: Some(Unit::Milliseconds),
        ..options(TraceFormat::AzureLlm)
    };
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1000,10\n";
    assert_eq!(millis(&by_formula, text), [(0, 10)]);
    let own = TraceDraws { service: Some(Dist::constant(7e6).unwrap()), ..draws(1) };
    let files = files(&[("t", text.as_bytes())]);
    let mut source = TraceSource::open(&options(TraceFormat::AzureLlm), &files, own).unwrap();
    assert_eq!(drain(&mut source).unwrap(), [(0, 7_000_000)]);
}

#[test]
fn assumed_services_are_noted_and_measured_ones_are_not() {
    let note = "the trace has no service times; assumed: 0.2 + 0.03 * output_length";
    assert_eq!(open(&options(TraceFormat::Mooncake), b"").unwrap().notes(), [note]);
    let own = TraceOptions { service: Some("1".into()), ..options(TraceFormat::Mooncake) };
    assert!(open(&own, b"").unwrap().notes().is_empty());
    for (elapsed, notes) in [("", 1), ("Elapsed time,", 0)] {
        let cell = if elapsed.is_empty() { "" } else { "3," };
        let text = format!("Timestamp,{elapsed}Request tokens,Response tokens\n5,{cell}7,8\n");
        let mut source = open(&options(TraceFormat::Burstgpt), text.as_bytes()).unwrap();
        drain(&mut source).unwrap();
        assert_eq!(source.notes().len(), notes);
    }
}

#[test]
fn speed_and_length_scale_simulated_time() {
    let text = "0,1\n10,1\n20,1\n30,1\n";
    let faster = TraceOptions { speed: 10.0, length: Span::parse("2s").ok(), ..options(TraceFormat::Csv) };
    let mut source = open(&faster, text.as_bytes()).unwrap();
    assert_eq!(source.span(), None);
    assert_eq!(drain(&mut source).unwrap(), [(0, 1_000_000_000), (1_000_000_000, 1_000_000_000)]);
    assert_eq!(source.span(), Some(1_000_000_000));
}

#[test]
fn the_first_arrival_is_the_earliest_not_the_first_line() {
    assert_eq!(
        millis(&options(TraceFormat::Csv), "5,1\n3,2\n4,3\n3,4"),
        [(0, 2000), (0, 4000), (1000, 3000), (2000, 1000)]
    );
}

#[test]
fn far_out_of_order_needs_sort() {
    let mut text: String = (1..=REORDER_WINDOW + 10).map(|i| format!("{i},1\n")).collect();
    text.push_str("0.5,1\n");
    let error = arrivals(&options(TraceFormat::Csv), text.as_bytes()).unwrap_err();
    assert_eq!(error.line, Some(REORDER_WINDOW as u64 + 11));
    assert!(error.expected.contains("--sort"), "{error}");
    let sorted = TraceOptions { sort: true, ..options(TraceFormat::Csv) };
    let all = arrivals(&sorted, text.as_bytes()).unwrap();
    assert_eq!((all.len(), all[1].0), (REORDER_WINDOW + 11, 500_000_000));
    let mut tolerant =
        open(&TraceOptions { skip_bad_records: true, ..options(TraceFormat::Csv) }, text.as_bytes()).unwrap();
    assert_eq!((drain(&mut tolerant).unwrap().len(), tolerant.skipped()), (REORDER_WINDOW + 10, 1));
}

#[test]
fn bad_records_are_counted_when_told_so() {
    let tolerant = TraceOptions { skip_bad_records: true, ..options(TraceFormat::Csv) };
    let mut source = open(&tolerant, b"timestamp,duration\n1,1\nx,1\n2\n3,-1\n4,2\n5,NaN\n").unwrap();
    assert_eq!(drain(&mut source).unwrap(), [(0, 1_000_000_000), (3_000_000_000, 2_000_000_000)]);
    assert_eq!((source.skipped(), source.notes()), (4, vec!["4 bad records were skipped".to_owned()]));
    let error = arrivals(&tolerant, b"timestamp,duration\nx,1\n").unwrap_err();
    assert_eq!(error.found, "1 bad records and no good one");
}

#[test]
fn conversion_reads_back_as_the_same_arrivals() {
    let trace = TraceOptions { speed: 3.0, ..options(TraceFormat::Mooncake) };
    let mut text = Vec::new();
    assert_eq!(convert(&mut open(&trace, MOONCAKE.as_bytes()).unwrap(), &mut text).unwrap(), 4);
    let (again, first) = (arrivals(&options(TraceFormat::Csv), &text), arrivals(&trace, MOONCAKE.as_bytes()));
    let first = first.unwrap();
    let moved: Vec<_> = first.iter().map(|(at, service)| (at - first[0].0, *service)).collect();
    assert_eq!(again.unwrap(), moved);
}

#[test]
fn statistics_come_from_arrivals() {
    let mut source = open(&options(TraceFormat::Csv), b"0,1\n30,2\n90,3\n100,4").unwrap();
    let stats = stats(&mut source).unwrap();
    assert_eq!((stats.count, stats.span_seconds, stats.peak_per_minute), (4, 100.0, 2));
    assert_eq!((stats.offered_load, stats.mean_rate, stats.duration_seconds.max), (0.1, 0.04, 4.0));
}

/// 3000 arrivals in as many seconds, with drawn services.
fn counted_source() -> TraceSource {
    let text: String = (0..3000).map(|i| format!("2014-04-10 00:{:02}:{:02},1\n", i / 60, i % 60)).collect();
    let trace = TraceOptions { step: Span::parse("1s").ok(), ..options(TraceFormat::Nab) };
    open(&trace, ("timestamp,value\n".to_owned() + &text).as_bytes()).unwrap()
}

/// Drains a source whose block is taken back after some arrivals, by a change that changes nothing.
fn drained_with_changes(change: impl Fn(&mut TraceSource, u64, usize)) -> Vec<(u64, u64)> {
    let mut source = counted_source();
    let (mut block, mut all) = (Block::default(), Vec::new());
    for round in 0_usize.. {
        source.fill(&mut block).unwrap();
        if block.at.is_empty() {
            break;
        }
        let taken = if round.is_multiple_of(2) { block.at.len() / 3 + 1 } else { block.at.len() };
        all.extend(block.at.iter().copied().zip(block.service.iter().copied()).take(taken));
        change(&mut source, block.at[taken - 1], taken);
    }
    all
}

#[test]
fn arrivals_taken_back_come_again_with_the_same_luck() {
    let plain = drain(&mut counted_source()).unwrap();
    assert_eq!(plain.len(), 3000);
    let faster = drained_with_changes(|source, now, taken| source.set_rate_factor(now, 2.0, taken).unwrap());
    assert_eq!(faster.len(), 3000);
    assert!(faster.is_sorted_by_key(|a| a.0));
    let services = |all: &[(u64, u64)]| all.iter().map(|a| a.1).collect::<Vec<_>>();
    assert_eq!(services(&faster), services(&plain));
    assert_eq!(faster[341], plain[341]);
    let (gap, plain_gap) = (faster[2999].0 - faster[342].0, plain[2999].0 - plain[342].0);
    assert!(plain_gap.abs_diff(2 * gap) < 4000, "{gap} {plain_gap}");
}

#[test]
fn a_changed_service_begins_after_the_taken_arrivals() {
    let own =
        drained_with_changes(|source, _, taken| source.set_service(Dist::constant(5.0).unwrap(), taken));
    let plain = drain(&mut counted_source()).unwrap();
    assert_eq!(own[..342], plain[..342]);
    assert!(own.len() == 3000 && own[342..].iter().all(|a| a.1 == 5));
}

#[test]
fn a_rate_of_zero_pauses_the_trace() {
    let mut source = open(&options(TraceFormat::Csv), b"0,1\n10,1\n20,1\n").unwrap();
    let mut block = Block::default();
    source.fill(&mut block).unwrap();
    source.set_rate_factor(1, 0.0, 1).unwrap();
    source.fill(&mut block).unwrap();
    assert!(block.at.is_empty());
    source.set_rate_factor(5_000_000_001, 1.0, 0).unwrap();
    assert_eq!(
        drain(&mut source).unwrap().iter().map(|a| a.0).collect::<Vec<_>>(),
        [15_000_000_000, 25_000_000_000]
    );
    assert!(source.set_rate_factor(0, -1.0, 0).is_err());
}
