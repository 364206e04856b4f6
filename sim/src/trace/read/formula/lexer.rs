//! Cuts a formula into tokens.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'t> {
    Number(f64),
    /// A plain word: a column, a function, or one of `and`, `or`, `not`.
    Word(&'t str),
    /// A column in square brackets.
    Column(&'t str),
    /// A text in single quotes.
    Text(&'t str),
    Symbol(&'t str),
    End,
    /// What no formula holds.
    Unknown,
}

/// The token at the begin of `rest` and its length.
pub(super) fn token(rest: &str) -> (Token<'_>, usize) {
    match rest.chars().next() {
        None => (Token::End, 0),
        Some('0'..='9' | '.') => {
            let length = number_length(rest);
            (rest[..length].parse().map_or(Token::Unknown, Token::Number), length)
        }
        Some('[') => enclosed(rest, ']', |name| Token::Column(name.trim())),
        Some('\'') => enclosed(rest, '\'', Token::Text),
        Some(c) if is_word(c) => {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Token::Word(&rest[..length]), length)
        }
        Some(c) => {
            const SYMBOLS: [&str; 13] = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ","];
            match SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
                Some(symbol) => (Token::Symbol(symbol), symbol.len()),
                None => (Token::Unknown, c.len_utf8()),
            }
        }
    }
}

fn enclosed<'t>(rest: &'t str, close: char, token: fn(&'t str) -> Token<'t>) -> (Token<'t>, usize) {
    match rest[1..].find(close) {
        Some(length) => (token(&rest[1..=length]), length + 2),
        None => (Token::Unknown, rest.len()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '.'
}

/// Digits, points, and an exponent with its sign.
fn number_length(rest: &str) -> usize {
    let mut before = ' ';
    let end = rest.find(|c: char| {
        let belongs = c.is_ascii_digit()
            || matches!(c, '.' | 'e' | 'E')
            || (matches!(c, '+' | '-') && matches!(before, 'e' | 'E'));
        before = c;
        !belongs
    });
    end.unwrap_or(rest.len())
}
