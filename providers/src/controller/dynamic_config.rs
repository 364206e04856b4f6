//! The dynamic config in Temporal's YAML form, read again whenever its file changes.
//!
//! ```yaml
//! workercontroller.enabled:
//! - value: true
//!   constraints: {namespace: orders}
//! - value: false
//! ```
//!
//! Of a key's values the one with a matching namespace counts before the one without constraints. A file that cannot
//! be read keeps the last good values, and says so.

mod value;

use crate::host::Host;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use value::{Constrained, count, read_as, time};
use wci_core::config::nearest;
use wci_core::controller::Settings;
use wci_core::spec::ProviderType;

/// The file's time is looked at once in so long.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

const ENABLED: &str = "workercontroller.enabled";
const MAX_INSTANCES: &str = "workercontroller.maxInstances";
const NO_SYNC_INTERVAL: &str = "workercontroller.hook.min_signal_interval_no_sync_match";
const SYNC_INTERVAL: &str = "workercontroller.hook.min_signal_interval_sync_match";
const PROVIDERS: &str = "workercontroller.compute_providers.enabled";
const ALGORITHMS: &str = "workercontroller.scaling_algorithms.enabled";
const ROLES: &str = "workercontroller.compute_providers.aws.intermediary_roles";
const SERVICE_ACCOUNTS: &str = "workercontroller.compute_providers.gcp.intermediary_service_accounts";
const REQUIRE_ROLE: &str = "workercontroller.compute_providers.aws.require_role_and_external_id";
const VALIDATION_INTERVAL: &str = "workercontroller.periodic_validation_interval_s";
const KEYS: [&str; 10] = [
    ENABLED,
    MAX_INSTANCES,
    NO_SYNC_INTERVAL,
    SYNC_INTERVAL,
    PROVIDERS,
    ALGORITHMS,
    ROLES,
    SERVICE_ACCOUNTS,
    REQUIRE_ROLE,
    VALIDATION_INTERVAL,
];

/// What the file says now.
#[derive(Debug, Default)]
pub struct DynamicConfig {
    file: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    looked_at: Instant,
    modified: Option<SystemTime>,
    values: Arc<Values>,
}

impl DynamicConfig {
    /// No file: every namespace that this process is told to serve may scale.
    #[must_use]
    pub const fn none() -> Self {
        Self { file: None }
    }

    /// Reads the file, which must be good now.
    ///
    /// # Errors
    /// Names the file, the line, the key, what was found and what would be right.
    pub fn open(path: &Path) -> Result<Self, String> {
        let values = Arc::new(read(path)?);
        let seen = Mutex::new(Seen { looked_at: Instant::now(), modified: modified(path), values });
        Ok(Self { file: Some(Watched { path: path.to_owned(), seen }) })
    }

    /// The values as of now.
    #[must_use]
    pub fn current(&self) -> Arc<Values> {
        let Some(Watched { path, seen }) = &self.file else {
            return Arc::new(Values::default());
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked_at.elapsed() >= LOOK_INTERVAL {
            seen.looked_at = Instant::now();
            let modified = modified(path);
            if modified != seen.modified {
                seen.modified = modified;
                match read(path) {
                    Ok(values) => seen.values = Arc::new(values),
                    Err(why) => tracing::error!(%why, "the dynamic config keeps its last good values"),
                }
            }
        }
        seen.values.clone()
    }
}

/// The line, counted from 1, in which the key of the outermost map stands.
fn line_of(text: &str, key: &str) -> usize {
    let is_there = |line: &str| line.trim_start_matches(['"', '\'']).starts_with(key);
    1 + text.lines().position(is_there).unwrap_or(0)
}

/// Keys count in any letters, so that one may stand twice where YAML sees two.
fn twice(text: &str, mut spellings: [&str; 2]) -> String {
    spellings.sort_by_key(|key| line_of(text, key));
    let [first, again] = spellings;
    let [line, later] = spellings.map(|key| line_of(text, key));
    format!(
        "line {later}: found {again} after {first} in line {line}, expected each key once, in any letters"
    )
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn read(path: &Path) -> Result<Values, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Values::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
}

/// The values of the keys that are ours.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// None: there is no file.
    keys: Option<BTreeMap<String, Vec<Constrained>>>,
}

impl Values {
    /// Reads the YAML text. Keys of other parts of Temporal are left alone.
    ///
    /// # Errors
    /// Names the line, the key, what was found and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let all: Option<BTreeMap<String, Vec<Value>>> = serde_saphyr::from_str(text)
            .map_err(|e| format!("expected a map of keys to lists of values: {e}"))?;
        let mut keys = BTreeMap::new();
        let mut spelt: BTreeMap<&str, String> = BTreeMap::new();
        for (key, values) in all.unwrap_or_default() {
            let in_line = |why: String| format!("line {}: {why}", line_of(text, &key));
            let Some(known) = KEYS.iter().find(|known| known.eq_ignore_ascii_case(&key)) else {
                if key.to_ascii_lowercase().starts_with("workercontroller.") {
                    let near = nearest(&key, KEYS.into_iter())
                        .map(|n| format!(", expected {n}"))
                        .unwrap_or_default();
                    return Err(in_line(format!("found the unknown key {key}{near}")));
                }
                continue;
            };
            let values = values.into_iter().map(|entry| Constrained::read(known, entry));
            let values = values.collect::<Result<_, _>>().map_err(in_line)?;
            keys.insert((*known).to_owned(), values);
            if let Some(other) = spelt.insert(known, key.clone()) {
                return Err(twice(text, [&key, &other]));
            }
        }
        Ok(Self { keys: Some(keys) })
    }

    fn of(&self, key: &str, namespace: &str) -> Option<&Value> {
        let values = self.keys.as_ref()?.get(key)?;
        let matching = values.iter().find(|value| value.namespace.as_deref() == Some(namespace));
        let found = matching.or_else(|| values.iter().find(|value| value.namespace.is_none()))?;
        Some(&found.value)
    }

    /// What the core needs to know, on top of the host's fixed settings.
    #[must_use]
    pub fn settings(&self, fixed: &Settings, namespace: &str, may_run_programs: bool) -> Settings {
        let mut settings = fixed.clone();
        if self.keys.is_some() {
            // Without a word in the file the original is off.
            settings.enabled = self.of(ENABLED, namespace).and_then(Value::as_bool).unwrap_or(false);
        }
        let names = |key| self.of(key, namespace).and_then(read_as::<Vec<String>>);
        if let Some(named) = names(PROVIDERS) {
            let is_program = |name: &String| name == ProviderType::Subprocess.name();
            let allowed = named.into_iter().filter(|name| may_run_programs || !is_program(name));
            settings.allowed_providers = Some(allowed.collect());
        } else if may_run_programs && settings.allowed_providers.is_none() {
            settings.allowed_providers =
                Some(ProviderType::ALL.iter().map(|p| p.name().to_owned()).collect());
        }
        settings.allowed_algorithms = names(ALGORITHMS).or(settings.allowed_algorithms);
        let time = |key| self.of(key, namespace).and_then(|value| time(key, value));
        let batching = &mut settings.batching;
        if let Some(interval) = time(NO_SYNC_INTERVAL) {
            batching.min_signal_interval_no_sync_match = interval;
        }
        if let Some(interval) = time(SYNC_INTERVAL) {
            batching.min_signal_interval_sync_match = interval;
        }
        if let Some(interval) = time(VALIDATION_INTERVAL) {
            settings.validation_interval = interval;
        }
        settings
    }

    /// What the providers need to know, on top of the host's fixed part.
    #[must_use]
    pub fn providers(&self, fixed: &Host, namespace: &str) -> Host {
        let mut host = fixed.clone();
        if let Some(steps) = self.of(ROLES, namespace).and_then(read_as) {
            host.intermediary_roles = steps;
        }
        if let Some(steps) = self.of(SERVICE_ACCOUNTS, namespace).and_then(read_as) {
            host.intermediary_service_accounts = steps;
        }
        if let Some(is_required) = self.of(REQUIRE_ROLE, namespace).and_then(Value::as_bool) {
            host.requires_role_and_external_id = is_required;
        }
        host
    }

    /// How many controllers a namespace may have.
    #[must_use]
    pub fn most_instances(&self, namespace: &str) -> usize {
        self.of(MAX_INSTANCES, namespace).and_then(count).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wci_core::time::Millis;

    const FILE: &str = "
workercontroller.enabled:
- value: true
  constraints: {namespace: orders}
- value: false
system.other:
- value: {}
workercontroller.maxInstances:
- value: 3
workercontroller.compute_providers.enabled:
- value: [\"aws-lambda\", \"subprocess\"]
workercontroller.compute_providers.aws.intermediary_roles:
- value: [[{RoleARN: \"arn:aws:iam::1:role/a\", RoleSessionName: s}]]
workercontroller.hook.min_signal_interval_no_sync_match:
- value: 1s
";

    #[test]
    fn the_namespace_decides_before_the_rest() {
        let values = Values::parse(FILE).unwrap();
        let enabled = |namespace| values.settings(&Settings::default(), namespace, false).enabled;
        assert!(enabled("orders"));
        assert!(!enabled("other"));
        assert_eq!(values.most_instances("other"), 3);
        assert_eq!(values.providers(&Host::default(), "x").intermediary_roles.len(), 1);
    }

    #[test]
    fn programs_need_the_hosts_word_too() {
        let values = Values::parse(FILE).unwrap();
        let allowed = |may| values.settings(&Settings::default(), "orders", may).allowed_providers.unwrap();
        assert_eq!(allowed(false), ["aws-lambda"]);
        assert_eq!(allowed(true), ["aws-lambda", "subprocess"]);
        let none = Values::default();
        assert_eq!(none.settings(&Settings::default(), "x", false).allowed_providers, None);
        assert!(none.settings(&Settings::default(), "x", true).allowed_providers.is_some());
    }

    #[test]
    fn times_may_carry_a_unit() {
        let settings = Values::parse(FILE).unwrap().settings(&Settings::default(), "x", false);
        assert_eq!(settings.batching.min_signal_interval_no_sync_match, Millis::from_secs(1));
    }

    #[test]
    fn without_a_file_every_namespace_may_scale_and_with_one_only_those_named() {
        assert!(Values::default().settings(&Settings::default(), "x", false).enabled);
        assert!(!Values::parse("").unwrap().settings(&Settings::default(), "x", false).enabled);
    }

    #[test]
    fn wrong_keys_and_values_are_named() {
        let wrong = |text| Values::parse(text).unwrap_err();
        assert!(wrong("workercontroller.enable:\n- value: true").contains("workercontroller.enabled"));
        assert!(wrong("workercontroller.enabled:\n- value: 7").contains("found 7, expected true or false"));
        assert!(wrong("workercontroller.enabled:\n- true").contains("`value`"));
        assert!(wrong("[]").contains("expected a map"));
        let second = "# ours\nhistory.shards:\n- value: 4\nworkercontroller.enabled:\n- value: 7";
        assert!(wrong(second).starts_with("line 4: workercontroller.enabled: found 7"));
    }

    #[test]
    fn a_key_that_stands_twice_is_named_with_both_lines() {
        let wrong = |text| Values::parse(text).unwrap_err();
        let said = wrong(
            "workercontroller.enabled:\n- value: true\n\nworkerController.Enabled:\n- value: false\nother: []",
        );
        let words = "line 4: found workerController.Enabled after workercontroller.enabled in line 1, expected each \
                     key once, in any letters";
        assert_eq!(said, words);
        let same =
            wrong("workercontroller.enabled:\n- value: true\nworkercontroller.enabled:\n- value: false");
        assert!(same.contains("duplicate") && same.contains("line 3"), "{same}");
        assert!(Values::parse("Workercontroller.Enabled:\n- value: true\nother: []").is_ok());
    }

    #[test]
    fn a_constraint_that_is_not_understood_does_not_let_a_value_count_everywhere() {
        let wrong = |entry: &str| {
            Values::parse(&format!("workercontroller.enabled:\n- value: true\n  {entry}")).unwrap_err()
        };
        let said = wrong("constraints: {namespce: orders}");
        assert_eq!(
            said,
            "line 1: workercontroller.enabled: constraints: found the unknown key namespce, expected namespace: NAME"
        );
        assert!(wrong("constraint: {namespace: orders}").contains("unknown entry `constraint`"));
        assert!(wrong("constraints: {namespace: 7}").contains("found namespace: 7"));
        assert!(wrong("constraints: orders").contains("found \"orders\""));
        let read = |entry: &str| {
            let values =
                Values::parse(&format!("workercontroller.enabled:\n- value: true\n  {entry}")).unwrap();
            ["orders", "x"].map(|namespace| values.settings(&Settings::default(), namespace, false).enabled)
        };
        assert_eq!(
            read("constraints: {Namespace: orders}"),
            [true, false],
            "in any case, as the server reads it"
        );
        assert_eq!(read("constraints: {}"), [true, true]);
    }

    #[test]
    fn a_time_counts_in_its_keys_unit_unless_it_names_one() {
        let validation = |value: &str| {
            let text = format!("{VALIDATION_INTERVAL}:\n- value: {value}");
            Values::parse(&text).map(|v| v.settings(&Settings::default(), "x", false).validation_interval)
        };
        for (text, secs) in
            [("60", 60), ("60s", 60), ("\"60\"", 60), ("10m", 600), ("2h", 7200), ("3000ms", 3)]
        {
            assert_eq!(validation(text), Ok(Millis::from_secs(secs)), "{text}");
        }
        assert!(validation("60x").unwrap_err().contains("a whole number of seconds"));
        assert!(validation("9223372036854775807").is_err(), "beyond what a time can be");
    }

    #[test]
    fn a_number_of_controllers_has_no_unit_and_is_not_negative() {
        let wrong = |value| Values::parse(&format!("{MAX_INSTANCES}:\n- value: {value}")).unwrap_err();
        for value in ["5s", "-1", "2.5"] {
            let said = wrong(value);
            assert!(said.contains(value) && said.ends_with("a whole number, not negative"), "{said}");
        }
    }

    #[test]
    fn misspelt_providers_and_algorithms_are_named_with_the_nearest_known_one() {
        let wrong = |key, name| Values::parse(&format!("{key}:\n- value: [{name}]")).unwrap_err();
        let said = wrong(PROVIDERS, "aws-lamda");
        assert!(
            said.ends_with("found \"aws-lamda\", expected aws-lambda (the nearest known type)"),
            "{said}"
        );
        assert!(wrong(ALGORITHMS, "no-synk").contains("expected no-sync"));
        assert!(wrong(ALGORITHMS, "7").contains("expected a list of names"));
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_broken_one_keeps_the_last_values() {
        let file = std::env::temp_dir().join(format!("wci-dynamic-{}.yaml", std::process::id()));
        let write = |text: &str, age: u64| {
            std::fs::write(&file, text).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            std::fs::File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
        };
        write("workercontroller.maxInstances:\n- value: 5", 30);
        let config = DynamicConfig::open(&file).unwrap();
        let most = || {
            let watched = config.file.as_ref().unwrap();
            watched.seen.lock().unwrap().looked_at = Instant::now() - 2 * LOOK_INTERVAL;
            config.current().most_instances("x")
        };
        assert_eq!(most(), 5);
        write("workercontroller.maxInstances:\n- value: 6", 20);
        assert_eq!(most(), 6);
        write("workercontroller.maxInstances:\n- value: many", 10);
        assert_eq!(most(), 6);
    }
}
