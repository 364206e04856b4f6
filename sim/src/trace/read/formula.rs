//! Formulas over a trace's columns: `0.2 + 0.03 * [Response tokens]`, `end - start`, `Model == 'GPT-4' and x > 0`.
//!
//! Numbers, columns (plain names, or any text in square brackets), `+ - * /`, parentheses, `min(..)`, `max(..)`;
//! for filters also `== != < <= > >=`, `and`, `or`, `not`, and a column compared with a text in single quotes.
//! True is 1, false is 0, and everything but 0 is true.

mod lexer;
mod parser;

use super::error::Fault;

/// The longest formula; it also bounds how deep one can nest.
pub(crate) const MAX_FORMULA: usize = 1000;

/// A formula and the columns it needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formula {
    root: Expr,
    columns: Vec<String>,
}

/// A formula that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: found {found}, expected {expected}")]
pub(crate) struct FormulaError {
    /// From 1.
    pub position: usize,
    pub found: String,
    pub expected: &'static str,
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Number(f64),
    Column(usize),
    Negated(Box<Expr>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Extreme { is_max: bool, of: Vec<Expr> },
    IsText { column: usize, text: String, is_equal: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// What a formula reads: the cells of one row, by the index of the column in [`Formula::columns`].
pub(crate) trait Columns {
    /// The column as a number.
    fn number(&self, column: usize) -> Result<f64, Fault>;
    /// The column as it stands.
    fn text(&self, column: usize) -> &[u8];
}

impl Formula {
    /// Reads a formula.
    pub(crate) fn parse(text: &str) -> Result<Self, FormulaError> {
        let (root, columns) = parser::parse(text)?;
        Ok(Self { root, columns })
    }

    /// The names of the columns it needs, in the order of their first use.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The column, if the formula is just one.
    pub(crate) fn as_column(&self) -> Option<usize> {
        if let Expr::Column(index) = self.root { Some(index) } else { None }
    }

    /// Its value for a row; may be infinite or not a number.
    pub(crate) fn value(&self, row: &dyn Columns) -> Result<f64, Fault> {
        self.root.value(row)
    }
}

impl Expr {
    fn value(&self, row: &dyn Columns) -> Result<f64, Fault> {
        Ok(match self {
            Self::Number(number) => *number,
            Self::Column(column) => row.number(*column)?,
            Self::Negated(of) => -of.value(row)?,
            Self::Not(of) => truth(of.value(row)? == 0.0),
            Self::Binary(operator, left, right) => operator.apply(left.value(row)?, || right.value(row))?,
            Self::Extreme { is_max, of } => {
                let (mut values, worst) =
                    (of.iter(), if *is_max { f64::NEG_INFINITY } else { f64::INFINITY });
                values.try_fold(worst, |best, next| {
                    let next = next.value(row)?;
                    Ok(if *is_max { best.max(next) } else { best.min(next) })
                })?
            }
            Self::IsText { column, text, is_equal } => {
                truth((row.text(*column) == text.as_bytes()) == *is_equal)
            }
        })
    }
}

impl Operator {
    /// `right` is asked only where it matters, so that `x > 0 and 1 / x < 2` reads no bad cell.
    fn apply(self, left: f64, right: impl FnOnce() -> Result<f64, Fault>) -> Result<f64, Fault> {
        match self {
            Self::And if left == 0.0 => return Ok(0.0),
            Self::Or if left != 0.0 => return Ok(1.0),
            _ => {}
        }
        let right = right()?;
        Ok(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
            Self::Less => truth(left < right),
            Self::LessOrEqual => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::GreaterOrEqual => truth(left >= right),
            Self::And | Self::Or => truth(right != 0.0),
        })
    }
}

fn truth(is_true: bool) -> f64 {
    f64::from(u8::from(is_true))
}

#[cfg(test)]
mod tests {
    use super::super::number::number;
    use super::*;

    struct Cells(Vec<(&'static str, &'static str)>, Vec<String>);

    impl Columns for Cells {
        fn number(&self, column: usize) -> Result<f64, Fault> {
            number(self.text(column))
        }

        fn text(&self, column: usize) -> &[u8] {
            self.0.iter().find(|(name, _)| *name == self.1[column]).map_or(b"", |(_, cell)| cell.as_bytes())
        }
    }

    fn value(text: &str) -> f64 {
        let formula = Formula::parse(text).unwrap();
        let cells =
            vec![("a", "3"), ("b_2", "4.5"), ("Response tokens", "200"), ("Model", "GPT-4"), ("$1", "7")];
        formula.value(&Cells(cells, formula.columns().to_vec())).unwrap()
    }

    #[test]
    fn computes_with_the_usual_precedence() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1+2)*3", 9.0),
            ("8 / 2 / 2", 2.0),
            ("10 - 3 - 2", 5.0),
            ("-a * -2", 6.0),
            ("2--3", 5.0),
            ("1.5e1 + .5", 15.5),
            ("0.2 + 0.03 * [Response tokens]", 6.2),
            ("min(a, b_2, 9) + max(1, a)", 6.0),
            ("$1 / 2", 3.5),
            ("a < b_2", 1.0),
            ("1 + 1 == 2 and not a > 3", 1.0),
            ("a == 4 or Model == 'GPT-4'", 1.0),
            ("Model != 'GPT-4'", 0.0),
            ("a == 1 or a == 2 and a == 3", 0.0),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_decided_and_reads_no_further() {
        assert_eq!(value("a > 5 and missing > 0"), 0.0);
        assert_eq!(value("a > 1 or missing > 0"), 1.0);
    }

    #[test]
    fn says_where_it_is_wrong() {
        for (text, position, found) in [
            ("", 1, "the end"),
            ("1 +", 4, "the end"),
            ("1 + * 2", 5, "\"*\""),
            ("(1 + 2", 7, "the end"),
            ("a b", 3, "\"b\""),
            ("[a", 1, "\"[a\""),
            ("'x' + 1", 1, "\"'x'\""),
            ("1 == 'x'", 6, "\"'x'\""),
            ("a # b", 3, "\"#\""),
            ("min()", 5, "\")\""),
            ("1.2.3", 1, "\"1.2.3\""),
            ("a < b < c", 7, "\"<\""),
        ] {
            let error = Formula::parse(text).unwrap_err();
            assert_eq!((error.position, error.found.as_str()), (position, found), "{text}");
        }
    }

    #[test]
    fn refuses_deep_nesting_without_overflow() {
        for text in
            ["(".repeat(MAX_FORMULA), "-".repeat(MAX_FORMULA), "1+".repeat(MAX_FORMULA), "not ".repeat(200)]
        {
            assert!(Formula::parse(&text).is_err());
        }
        assert!(Formula::parse(&format!("{}1", "1+".repeat(400))).is_ok());
    }
}
