//! Every error names the file, the place, what is there and what should be.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

fn error(options: &TraceOptions, text: &str) -> String {
    arrivals(options, text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn plain_csv() {
    let csv = options(TraceFormat::Csv);
    let head = "timestamp,duration\n";
    for (text, expected) in [
        ("", "t: found an empty file, expected at least one record"),
        (head, "t: found a header line and no records, expected at least one record"),
        ("a,b\n1,2\n", r#"t: line 1: found the columns "a", "b", expected a column "timestamp""#),
        ("timestamp,duration\n1,2\n1,x\n", r#"t: line 3, column duration: found "x", expected a number"#),
        (
            "timestamp,duration\r\n\r\n1,2\r\n,1\r\n",
            r"t: line 4, column timestamp: found nothing, expected a number",
        ),
        ("1,2\nNaN,1\n", r#"t: line 2, column timestamp: found "NaN", expected a number"#),
        ("1,2\n2,NaN\n", r#"t: line 2, column duration: found "NaN", expected a number"#),
        ("1,2\n2,-1\n", r#"t: line 2, column duration: found "-1", expected a duration of at least 0"#),
        ("1,2\n2,inf\n", r#"t: line 2, column duration: found "inf", expected a number"#),
        ("1,2\n2\n", "t: line 2: found 1 columns, expected 2 columns"),
        ("1,2\n2,3,4\n", "t: line 2: found 3 columns, expected 2 columns"),
        (
            "1,2\n2024-01-01 00:00:00,3\n",
            r#"t: line 2, column timestamp: found "2024-01-01 00:00:00", expected a number"#,
        ),
        (
            "2024-01-01 00:00:00,3\n7,2\n",
            r#"t: line 2, column timestamp: found "7", expected a date and time in the trace's format"#,
        ),
        (
            "1,2\n99999999999,2\n",
            r#"t: line 2, column timestamp: found "99999999999", expected a time within 292 years"#,
        ),
        (
            "1\n2\n",
            "t: found no service times, expected a service for this workload, or a column with durations",
        ),
    ] {
        assert_eq!(error(&csv, text), expected, "{text:?}");
    }
}

#[test]
fn mappings_and_formulas() {
    assert_eq!(
        error(&mapped("start +", ""), ""),
        r#"t: mapping.arrival: found the end at character 8 of "start +", expected a number, a column or "(""#
    );
    assert_eq!(
        error(&mapped("a", "b / c"), "a,b,c\n1,1,0\n"),
        "t: line 2: found a service time of inf, expected a duration of at least 0"
    );
    assert_eq!(
        error(&mapped("a", "b / c"), "a,b,c\n1,1,x\n"),
        r#"t: line 2, column c: found "x", expected a number"#
    );
    assert_eq!(
        error(&mapped("a * 1e300", "b"), "a,b\n1,1\n"),
        "t: line 2: found an arrival time of ".to_owned()
            + &1e300.to_string()
            + ", expected a time within 292 years"
    );
    let filtered = TraceOptions { filter: Some("b > 5".into()), ..mapped("a", "b") };
    assert_eq!(
        error(&filtered, "a,b\n1,1\n"),
        "t: found no record that passes the filter, expected at least one record"
    );
    let absent = error(&mapped("a", "c"), "a,b\n1,1\n");
    assert_eq!(absent, r#"t: line 1: found the columns "a", "b", expected a column "c""#);
    let mut pattern = mapped("a", "b");
    pattern.mapping.get_or_insert_default().time_format = Some("%Q".into());
    assert!(error(&pattern, "").starts_with(r#"t: mapping.time_format: found "%Q", expected one of %Y"#));
    assert!(error(&options(TraceFormat::Mapped), "").starts_with("t: mapping: found nothing"));
    let mut json = mapped("a", "b");
    json.mapping.get_or_insert_default().layout = FileLayout::JsonLines;
    assert_eq!(
        error(&json, "{\"a\": 1, \"b\": 2}\n{\"a\": 2}\n"),
        "t: line 2, column b: found nothing, expected a number"
    );
    assert!(
        error(&json, "{\"a\": 1, \"b\": 2}\n{\"a\": 2, }\n").starts_with("t: line 2: found no JSON object (")
    );
}

#[test]
fn packed_long_and_missing_files() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"1,2\n3,4\n").unwrap();
    let packed = encoder.finish().unwrap();
    let csv = options(TraceFormat::Csv);
    assert_eq!(arrivals(&csv, &packed).unwrap().len(), 2);
    let error = arrivals(&csv, &packed[..packed.len() - 3]).unwrap_err().to_string();
    assert_eq!(
        error,
        "t: found a cut or damaged gzip file, expected the rest of the gzip data and its checksum"
    );
    let long = format!("1,2\n3,{}\n", "0".repeat(MAX_LINE));
    let error = arrivals(&csv, long.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "t: line 2: found a line of more than 1048576 bytes, expected shorter lines");
    let missing = TraceSource::open(&csv, &MemoryFiles::default(), draws(1)).err().unwrap().to_string();
    assert!(
        missing.starts_with("t: found an error (") && missing.ends_with("expected a file that can be read")
    );
}

#[test]
fn azure_2019() {
    let head = "HashApp,HashFunction,480,481\n";
    let durations = "HashApp,HashFunction,Average,Count,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\n";
    let good = format!("{durations}a,f,5,5760,1,2,3,4,5,6,7\n");
    let error = |invocations: &str, durations: &str| {
        let files = files(&[("t/inv.csv", invocations.as_bytes()), ("t/dur.csv", durations.as_bytes())]);
        TraceSource::open(&options(TraceFormat::AzureFunctions2019), &files, draws(1))
            .err()
            .unwrap()
            .to_string()
    };
    let row = format!("{head}a,f,1,2\n");
    for (invocations, durations, expected) in [
        ("", good.as_str(), "t/inv.csv: found an empty file, expected a header line and rows"),
        (head, &good, "t/inv.csv: found a header line and no rows, expected at least one row"),
        (
            "HashFunction,a\n",
            &good,
            r#"t/inv.csv: line 1: found the columns "HashFunction", "a", expected columns of minutes (480, 1_minute or minute_1)"#,
        ),
        (
            "HashFunction,1_minute,minute_1\n",
            &good,
            "t/inv.csv: line 1: found two columns of minute 1, expected one column a minute",
        ),
        (
            "HashApp,480\n",
            &good,
            r#"t/inv.csv: line 1: found the columns "HashApp", "480", expected a column "HashFunction""#,
        ),
        (
            &format!("{head}a,f,1,-2\n"),
            &good,
            r#"t/inv.csv: line 2, column 481: found "-2", expected a count (a whole number from 0 to 4294967295)"#,
        ),
        (&format!("{head}a,f,1\n"), &good, "t/inv.csv: line 2: found 3 columns, expected 4 columns"),
        (&row, &durations.replace(",Count", ",Number"), r#"expected a column "Count""#),
        (
            &row,
            &good.replace("2,3", "3,2"),
            r#"t/dur.csv: line 2, column percentile_Average_25: found "2", expected at least the percentile before, 3"#,
        ),
        (
            &row,
            &good.replace("5760", "0"),
            "t/dur.csv: Count: found only counts of 0, expected a function that ran",
        ),
        (&row, durations, "t/dur.csv: found a header line and no rows, expected at least one row"),
    ] {
        let error = error(invocations, durations);
        assert!(error.ends_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn other_counts() {
    for (format, text, expected) in [
        (
            TraceFormat::Nab,
            "timestamp,value\n",
            "t: found a header line and no rows, expected at least one row",
        ),
        (
            TraceFormat::Nab,
            "timestamp,value\n0,1\n",
            "t: found a single line, expected at least two, or the option `step`",
        ),
        (
            TraceFormat::Nab,
            "timestamp,value\n0,1\n10,1\n25,1\n",
            "t: line 4: found a time 25 s after the first, expected a multiple of 10 s",
        ),
        (
            TraceFormat::Nab,
            "timestamp,value\n0,1\n1,1\n99999999,1\n",
            "t: line 4: found a gap of 99999997 intervals, expected at most 10000",
        ),
        (
            TraceFormat::Nab,
            "timestamp,value\n0,1\n0,1\n",
            "t: found two lines of the same time, expected one line an interval",
        ),
        (
            TraceFormat::Nab,
            "timestamp,value\n0,1\nx,1\n",
            r#"t: line 3, column timestamp: found "x", expected a number or a date and time such as 2024-01-31 12:00:00"#,
        ),
        (TraceFormat::Servegen, "0,1,1,Gamma,1\n", "t: line 1: found 5 columns, expected 6 columns"),
        (
            TraceFormat::Servegen,
            "0,1,1,Normal,1,1\n",
            r#"t: line 1, column law: found "Normal", expected Gamma, Weibull or nothing"#,
        ),
        (
            TraceFormat::Servegen,
            "0,-1,1,Gamma,1,1\n",
            r#"t: line 1, column rate: found "-1", expected a number of at least 0"#,
        ),
        (
            TraceFormat::Servegen,
            "5,1,1,Gamma,1,1\n",
            "t: line 1, column window start: found a time 5 s after the first, expected a multiple of 600 s",
        ),
        (
            TraceFormat::Servegen,
            "0,1,1,Gamma,1,1\n0,1,1,Gamma,1,1\n",
            "t: line 2: found a second line of this window, expected one line a window",
        ),
    ] {
        assert_eq!(error(&options(format), text), expected, "{text:?}");
    }
}

#[test]
fn range_queries() {
    for (format, text, expected) in [
        (TraceFormat::Prometheus, "", "t: found an empty file, expected the JSON answer to a range query"),
        (
            TraceFormat::Prometheus,
            "{\"status\":\"error\"}",
            "t: found other JSON, expected the answer to a range query (data.result[].values)",
        ),
        (
            TraceFormat::Prometheus,
            "{\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
            "t: found a result of type \"vector\", expected \"matrix\"",
        ),
        (TraceFormat::Prometheus, "[]", "t: found no values, expected at least one series with values"),
        (
            TraceFormat::Prometheus,
            "[{\"values\":[[1,\"-1\"],[2,\"1\"]]}]",
            r#"t: found "-1", expected a finite number of at least 0"#,
        ),
        (
            TraceFormat::Prometheus,
            "[{\"values\":[[2,\"1\"],[1,\"1\"]]}]",
            "t: found times that do not increase, expected values in order of time",
        ),
    ] {
        assert_eq!(error(&options(format), text), expected, "{text:?}");
    }
    assert!(
        error(&options(TraceFormat::Prometheus), "{\n\"data\": x}").starts_with("t: line 2: found no JSON (")
    );
}
