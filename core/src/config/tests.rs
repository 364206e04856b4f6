//! What a configuration may hold, value by value.

use super::nearest::edit_distance;
use super::{Config, ConfigMap, KeyDoc, Reader, integer, nearest, number, shown};
use serde_json::{Value, json};

fn map(value: Value) -> ConfigMap {
    match value {
        Value::Object(map) => map,
        other => panic!("a map, not {other}"),
    }
}

#[test]
fn integers_are_read_however_they_are_written() {
    let same = [json!(5), json!(5.0), json!("5"), json!("+5"), json!("005"), json!(5e0)];
    assert!(same.iter().all(|value| integer(value) == Some(5)));
    assert_eq!(integer(&json!("-7")), Some(-7));
    assert_eq!(integer(&json!(i64::MAX)), Some(i64::MAX));
    assert_eq!(integer(&json!(i64::MIN)), Some(i64::MIN));
    assert_eq!(integer(&json!("9223372036854775807")), Some(i64::MAX));
    assert_eq!(integer(&json!(-9_223_372_036_854_775_808.0)), Some(i64::MIN));
}

#[test]
fn what_is_no_integer_is_refused() {
    let refused = [
        json!(5.5),
        json!(-0.1),
        json!("5.0"),
        json!("5e3"),
        json!(""),
        json!(" 5"),
        json!("5 "),
        json!("0x10"),
        json!("1_000"),
        json!("five"),
        json!(true),
        json!([5]),
        json!({"a": 5}),
        json!(null),
        json!(u64::MAX),
        json!(9_223_372_036_854_775_808.0),
        json!(1e300),
        json!("9223372036854775808"),
    ];
    for value in refused {
        assert_eq!(integer(&value), None, "{value}");
    }
}

#[test]
fn numbers_are_finite() {
    for (value, expected) in [
        (json!(1), 1.0),
        (json!("0.5"), 0.5),
        (json!("1e3"), 1000.0),
        (json!(".5"), 0.5),
        (json!("-2"), -2.0),
    ] {
        assert_eq!(number(&value), Some(expected), "{value}");
    }
    for value in
        [json!("NaN"), json!("inf"), json!("-Infinity"), json!("1e999"), json!("x"), json!(""), json!(false)]
    {
        assert_eq!(number(&value), None, "{value}");
    }
}

#[test]
fn null_is_absent() {
    let values = map(json!({"a": null}));
    let doc = KeyDoc::integer("a", 7);
    let reader = Reader::new(&values, &[doc]).unwrap();
    assert_eq!((reader.integer(&doc), reader.value("a")), (Ok(7), None));
}

#[test]
fn an_error_says_what_was_found_and_what_would_be_right() {
    let doc = KeyDoc::number("share", 0.5).above(0.0).at_most(1.0);
    let values = map(json!({"share": 0}));
    let error = Reader::new(&values, &[doc]).unwrap().number(&doc).unwrap_err();
    assert_eq!(error.to_string(), "share: found 0, expected a finite number above 0 and at most 1");
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    let keys = [KeyDoc::integer("min_count", 0), KeyDoc::integer("max_count", 1)];
    let error = |key: &str| Reader::new(&map(json!({key: 1})), &keys).unwrap_err().to_string();
    assert_eq!(
        error("Max-Count"),
        "Max-Count: found an unknown key, expected max_count (the nearest known key)"
    );
    assert_eq!(error("colour"), "colour: found an unknown key, expected one of min_count, max_count");
    let none = Reader::new(&map(json!({"a": 1})), &[]).unwrap_err();
    assert_eq!(none.expected, "no keys at all");
}

#[test]
fn distance_counts_the_edits() {
    for (a, b, edits) in
        [("", "", 0), ("abc", "ABC", 0), ("kitten", "sitting", 3), ("", "abc", 3), ("flaw", "lawn", 2)]
    {
        assert_eq!(edit_distance(a, b), edits, "{a} {b}");
        assert_eq!(edit_distance(b, a), edits, "{b} {a}");
    }
    assert_eq!(nearest("x", ["ki", "kp"].into_iter()), None);
    assert_eq!(nearest("kj", ["kp", "ki"].into_iter()), Some("kp"));
}

#[test]
fn a_long_value_is_cut_between_characters() {
    let text = shown(&json!("é".repeat(500)));
    assert_eq!(text.chars().count(), 63);
    assert!(text.ends_with("..."));
}

fn payload(encoding: &str, data: &str) -> Value {
    json!({"metadata": {"encoding": encoding}, "data": data})
}

// base64 of json/plain, binary/null and {"a":"5"}
const JSON_PLAIN: &str = "anNvbi9wbGFpbg==";
const BINARY_NULL: &str = "YmluYXJ5L251bGw=";
const DATA: &str = "eyJhIjoiNSJ9";

#[test]
fn a_payload_is_read_and_goes_out_as_it_came() {
    let came = payload(JSON_PLAIN, DATA);
    let config = Config::from_json(&came).unwrap();
    assert_eq!(config.values(), &map(json!({"a": "5"})));
    assert!(config.is_payload());
    assert_eq!(config.to_json(), Some(came));
}

#[test]
fn a_payload_with_plain_text_encoding_or_more_metadata_is_read() {
    assert_eq!(Config::from_json(&payload("json/plain", DATA)).unwrap().get("a"), Some(&json!("5")));
    let more = json!({"metadata": {"encoding": JSON_PLAIN, "messageType": ""}, "data": DATA, "externalPayloads": []});
    assert_eq!(Config::from_json(&more).unwrap().to_json(), Some(more));
}

#[test]
fn a_payload_of_nothing_is_an_empty_map() {
    for came in [
        payload(BINARY_NULL, ""),
        payload(JSON_PLAIN, "bnVsbA=="),
        json!({"metadata": {"encoding": BINARY_NULL}}),
    ] {
        let config = Config::from_json(&came).unwrap();
        assert!(config.is_empty());
        assert_eq!(config.to_json(), Some(came));
    }
}

#[test]
fn a_plain_map_goes_out_as_a_plain_map() {
    let came = json!({"a": 5.0, "metadata_of_mine": 1});
    assert_eq!(Config::from_json(&came).unwrap().to_json(), Some(came));
    assert_eq!(Config::from_json(&json!({})).unwrap().to_json(), None);
    assert_eq!(Config::from_json(&Value::Null).unwrap().to_json(), None);
}

#[test]
fn a_broken_payload_is_refused_without_showing_its_data() {
    let cases = [
        (payload(JSON_PLAIN, "%%"), "data is no base64"),
        (payload(JSON_PLAIN, "eyJh"), "holds no JSON"),
        (payload(JSON_PLAIN, "WzFd"), "holds a list"),
        (payload("YmluYXJ5L2VuY3J5cHRlZA==", DATA), "encoding \"binary/encrypted\""),
        (json!({"metadata": {}, "data": DATA}), "encoding \"\""),
        (json!({"metadata": null, "data": 5}), "data is a number"),
        (json!([1]), "found a list"),
        (json!("x"), "found a string"),
    ];
    for (value, expected) in cases {
        let text = Config::from_json(&value).unwrap_err().to_string();
        assert!(text.contains(expected), "{value}: {text}");
    }
}

#[test]
fn debug_shows_keys_and_no_secret() {
    let config = Config::from_json(&json!({"auth_token": "hunter2"})).unwrap();
    assert_eq!(format!("{config:?}"), "{\"auth_token\"}");
}
