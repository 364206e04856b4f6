//! Service times for traces that record none: our assumptions, all in one place.
//!
//! Where a file counts tokens or bytes the model is a formula over its columns (seconds), else a distribution. They
//! set the scale of the work and are no measurement; a scenario replaces them with its own `service`.

use crate::dist::Dist;

/// Requests to a large language model: 0.2 s to begin, 0.2 ms a token of the prompt, 30 ms a token of the answer
/// (about 33 tokens a second, the speed of a busy GPU that serves many requests at once).
pub(crate) const AZURE_LLM: &str = "0.2 + 0.0002 * ContextTokens + 0.03 * GeneratedTokens";

/// The same with BurstGPT's names of the columns.
pub(crate) const BURSTGPT: &str = "0.2 + 0.0002 * [Request tokens] + 0.03 * [Response tokens]";

/// Mooncake: most prompts (7,000 tokens and more) come from its cache, so only the answer's tokens take time.
pub(crate) const MOONCAKE: &str = "0.2 + 0.03 * output_length";

/// Hadoop jobs: 10 s to begin, then all bytes that move through the job at 1 GB/s.
pub(crate) const SWIM: &str = "10 + (map_input_bytes + shuffle_bytes + reduce_output_bytes) / 1e9";

const MILLISECOND: f64 = 1e6;
const SECOND: f64 = 1e9;

/// What [`servegen`] assumes.
pub(crate) const SERVEGEN: &str = "log-normal, median 8 s, p99 60 s";
/// What [`nab`] assumes.
pub(crate) const NAB: &str = "log-normal, median 150 ms, p99 2.6 s";

/// What a reader of results is told of a model.
pub(crate) fn note(model: &str) -> String {
    format!("the trace has no service times; assumed: {model}")
}

/// Requests to a reasoning model, which ServeGen gives no lengths for in its rates: median 8 s, p99 60 s.
pub(crate) fn servegen() -> Dist {
    log_normal(8.0 * SECOND, 60.0 * SECOND)
}

/// Web requests, which NAB only counts: median 150 ms, p99 2.6 s, as an invocation in azure-functions-2019-8h.
pub(crate) fn nab() -> Dist {
    log_normal(150.0 * MILLISECOND, 2_600.0 * MILLISECOND)
}

fn log_normal(median: f64, p99: f64) -> Dist {
    // Fails only for a p99 below the median.
    Dist::log_normal(median, p99).unwrap_or_else(|_| unreachable!("constants above are a log-normal's"))
}
