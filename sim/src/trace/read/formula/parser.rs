//! Reads a formula: one function a level of precedence.

use super::lexer::{Token, token};
use super::{Expr, FormulaError, MAX_FORMULA, Operator};

/// Parentheses, signs and `not` may nest this deep.
const MAX_DEPTH: usize = 64;

/// The formula's tree and the columns it names.
pub(super) fn parse(text: &str) -> Result<(Expr, Vec<String>), FormulaError> {
    if text.len() > MAX_FORMULA {
        let found = format!("{} characters", text.len());
        return Err(FormulaError { position: 1, found, expected: "at most 1000" });
    }
    let mut parser = Parser { text, next: 0, columns: Vec::new(), depth: 0 };
    let root = parser.disjunction()?;
    match parser.peek() {
        Token::End => Ok((root, parser.columns)),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'t> {
    text: &'t str,
    next: usize,
    columns: Vec<String>,
    depth: usize,
}

type Parsed = Result<Expr, FormulaError>;

impl<'t> Parser<'t> {
    fn disjunction(&mut self) -> Parsed {
        self.chain(Self::conjunction, |token| (token == Token::Word("or")).then_some(Operator::Or))
    }

    fn conjunction(&mut self) -> Parsed {
        self.chain(Self::comparison, |token| (token == Token::Word("and")).then_some(Operator::And))
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let Some(operator) = comparison_operator(self.peek()) else { return Ok(left) };
        self.advance();
        let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        if let (Token::Text(text), Expr::Column(column), true) = (self.peek(), &left, is_equality) {
            let (column, text, is_equal) = (*column, text.to_owned(), operator == Operator::Equal);
            self.advance();
            return Ok(Expr::IsText { column, text, is_equal });
        }
        Ok(Expr::Binary(operator, Box::new(left), Box::new(self.sum()?)))
    }

    fn sum(&mut self) -> Parsed {
        self.chain(Self::product, |token| match token {
            Token::Symbol("+") => Some(Operator::Add),
            Token::Symbol("-") => Some(Operator::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Parsed {
        self.chain(Self::factor, |token| match token {
            Token::Symbol("*") => Some(Operator::Multiply),
            Token::Symbol("/") => Some(Operator::Divide),
            _ => None,
        })
    }

    /// Operands joined by operators of one level, from the left.
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Parsed,
        operator: fn(Token<'t>) -> Option<Operator>,
    ) -> Parsed {
        let mut left = operand(self)?;
        while let Some(operator) = operator(self.peek()) {
            self.advance();
            left = Expr::Binary(operator, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.unexpected("less nesting"));
        }
        let parsed = self.unnested_factor();
        self.depth -= 1;
        parsed
    }

    fn unnested_factor(&mut self) -> Parsed {
        let token = self.peek();
        match token {
            Token::Number(number) => {
                self.advance();
                Ok(Expr::Number(number))
            }
            Token::Column(name) => self.column(name),
            Token::Symbol("-") => {
                self.advance();
                Ok(Expr::Negated(Box::new(self.factor()?)))
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.disjunction()?;
                self.expect(")", "\")\"").map(|()| inner)
            }
            Token::Word("not") => {
                self.advance();
                Ok(Expr::Not(Box::new(self.comparison()?)))
            }
            Token::Word(word @ ("min" | "max")) if self.is_call(word) => self.extreme(word == "max"),
            Token::Word(name) if name != "and" && name != "or" => self.column(name),
            _ => Err(self.unexpected("a number, a column or \"(\"")),
        }
    }

    fn column(&mut self, name: &str) -> Parsed {
        self.advance();
        let index = self.columns.iter().position(|c| c == name).unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        });
        Ok(Expr::Column(index))
    }

    /// Words that name functions may also name columns: a function is what a parenthesis follows.
    fn is_call(&self, word: &str) -> bool {
        self.text[self.start() + word.len()..].trim_start().starts_with('(')
    }

    fn extreme(&mut self, is_max: bool) -> Parsed {
        self.advance();
        self.advance();
        let mut of = vec![self.disjunction()?];
        while self.peek() == Token::Symbol(",") {
            self.advance();
            of.push(self.disjunction()?);
        }
        self.expect(")", "\",\" or \")\"")?;
        Ok(Expr::Extreme { is_max, of })
    }

    fn expect(&mut self, symbol: &str, expected: &'static str) -> Result<(), FormulaError> {
        if self.peek() != Token::Symbol(symbol) {
            return Err(self.unexpected(expected));
        }
        self.advance();
        Ok(())
    }

    fn advance(&mut self) {
        let start = self.start();
        self.next = start + token(&self.text[start..]).1;
    }

    fn peek(&self) -> Token<'t> {
        token(&self.text[self.start()..]).0
    }

    /// Where the next token begins.
    fn start(&self) -> usize {
        let rest = &self.text[self.next..];
        self.next + (rest.len() - rest.trim_start().len())
    }

    fn unexpected(&self, expected: &'static str) -> FormulaError {
        let start = self.start();
        let found = match token(&self.text[start..]) {
            (Token::End, _) => "the end".to_owned(),
            (_, length) => format!("{:?}", &self.text[start..start + length]),
        };
        FormulaError { position: self.text[..start].chars().count() + 1, found, expected }
    }
}

fn comparison_operator(token: Token<'_>) -> Option<Operator> {
    let Token::Symbol(symbol) = token else { return None };
    Some(match symbol {
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        _ => return None,
    })
}
