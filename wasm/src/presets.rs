//! The scenarios that come with the pages: the very files that the command line runs.

/// A scenario that is part of the build.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The file's name without extension.
    pub name: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! presets {
    ($($name:literal),+ $(,)?) => {
        &[$(Preset { name: $name, toml: include_str!(concat!("../../scenarios/", $name, ".toml")) }),+]
    };
}

/// Every scenario that needs no other file.
pub const PRESETS: &[Preset] = presets![
    "demo-no-sync",
    "demo-rate-based",
    "demo-backlog",
    "demo-pid",
    "demo-peak-rate",
    "quick-start",
    "bench-mm50",
    "bulk-enqueue",
    "ecs-batch",
    "heavy-tails",
    "k8s-day",
    "lambda-burst",
    "lambda-light",
    "on-off",
    "outage",
    "overload",
    "rate-limited",
];

impl Preset {
    /// The preset of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }
}
