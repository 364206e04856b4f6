//! An algorithm names no other algorithm: each can be read, changed and removed alone.

/// One scaling algorithm, as code can name it.
#[derive(Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// The module, such as `rate_based`.
    pub module: String,
    /// The type or variant, such as `RateBased`.
    variant: String,
}

/// The algorithms in the closed set: the variants of `enum AlgorithmKind`.
pub fn algorithms(code: &str) -> Result<Vec<Algorithm>, String> {
    let tokens = tokens(code);
    let start = tokens.windows(2).position(|pair| pair == ["enum", "AlgorithmKind"]);
    let body = start.map(|at| &tokens[at + 2..]).ok_or("there is no enum AlgorithmKind")?;
    let variants = body.iter().take_while(|token| token.as_str() != "}").filter(|token| is_name(token));
    Ok(variants.map(|name| Algorithm { module: snake_case(name), variant: name.clone() }).collect())
}

/// Which algorithm the module holds. A form of an algorithm (`no-sync-confirmed`) may live in its module (`no_sync`)
/// instead of one of its own; then both are one.
pub fn merge_forms(algorithms: &mut [Algorithm], modules: &[String]) {
    for algorithm in algorithms {
        let is_home = |module: &&String| algorithm.module.starts_with(module.as_str());
        if let Some(home) = modules.iter().filter(is_home).max_by_key(|module| module.len()) {
            algorithm.module.clone_from(home);
        }
    }
}

/// The other algorithms that a file's code names. Comments and texts may name what they like, and so may local
/// variables: only paths, imports and type names count.
pub fn others_named(code: &str, own: &Algorithm, all: &[Algorithm]) -> Vec<String> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut is_import = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "use" => is_import = true,
            ";" => is_import = false,
            _ => {}
        }
        let is_path = is_import
            || tokens.get(at + 1).is_some_and(|next| next == "::")
            || at > 0 && tokens[at - 1] == "::";
        let is_named = |other: &Algorithm| *token == other.variant || is_path && *token == other.module;
        if all.iter().any(|other| other.module != own.module && is_named(other)) {
            found.push(token.clone());
        }
    }
    found.dedup();
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic())
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    for c in camel.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Names, `::` and single signs; comments, texts and white space are left out.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            text_length(rest)
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() && first != '"' && !token.starts_with("//") {
            tokens.push(token.to_owned());
        }
        rest = after;
    }
    tokens
}

/// How long the text at the start is, both quotes included.
fn text_length(code: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in code.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &str =
        "/// The set.\npub enum AlgorithmKind {\n  /// Docs, say NoSync.\n  NoSync,\n  RateBased,\n  Pid,\n}";

    fn named_in_pid(code: &str) -> Vec<String> {
        let all = algorithms(KINDS).unwrap();
        others_named(code, &all[2], &all)
    }

    #[test]
    fn the_enum_lists_the_algorithms() {
        let modules: Vec<String> = algorithms(KINDS).unwrap().into_iter().map(|a| a.module).collect();
        assert_eq!(modules, ["no_sync", "rate_based", "pid"]);
        assert!(algorithms("enum Other { A }").is_err());
    }

    #[test]
    fn a_form_without_a_module_of_its_own_belongs_to_its_algorithm() {
        let mut all = algorithms("enum AlgorithmKind { NoSync, NoSyncConfirmed, Pid }").unwrap();
        merge_forms(&mut all, &["no_sync".to_owned(), "pid".to_owned(), "state".to_owned()]);
        assert_eq!(all.iter().map(|a| a.module.as_str()).collect::<Vec<_>>(), ["no_sync", "no_sync", "pid"]);
        assert_eq!(others_named("NoSyncConfirmed", &all[0], &all), [""; 0]);
        assert_eq!(others_named("NoSyncConfirmed", &all[2], &all), ["NoSyncConfirmed"]);
    }

    #[test]
    fn imports_paths_and_types_of_others_are_found() {
        assert_eq!(named_in_pid("use super::{no_sync, common};"), ["no_sync"]);
        assert_eq!(named_in_pid("let x = super::rate_based::rho(1.0);"), ["rate_based"]);
        assert_eq!(named_in_pid("match kind { Kind::NoSync => 1 }"), ["NoSync"]);
    }

    #[test]
    fn words_that_name_no_module_are_fine() {
        assert_eq!(
            named_in_pid("// like no_sync::rule\nlet no_sync = \"a \\\" RateBased\"; Rule::NoSyncMatch"),
            [""; 0]
        );
        assert_eq!(named_in_pid("use super::pid; Pid::default()"), [""; 0]);
    }
}
