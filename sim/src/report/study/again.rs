//! The end of each page: the command that gives it again.

use crate::report::html::escape;

/// Closes `main`, after the command.
pub(super) fn again(command: &str) -> String {
    format!(
        "<section id=\"again\"><h2>Run it again</h2>\n<pre><code>{}</code></pre>\n<p>The same scenarios and seeds give \
         the same figures on every machine and on any number of threads.</p></section>\n</main>\n<footer>wci {}</footer>",
        escape(command),
        env!("CARGO_PKG_VERSION")
    )
}
