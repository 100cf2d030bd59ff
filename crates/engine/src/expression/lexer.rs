//! Splits an expression into tokens, reading what people write by habit (`and`, `=`, `<>`) as what they meant.

use std::ops::Range;

use super::comparison::ComparisonOperator;
use super::error::ExpressionError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    Text(String),
    Name,
    Compare(ComparisonOperator),
    Or,
    And,
    Not,
    Plus,
    Minus,
    Times,
    Divide,
    Question,
    Colon,
    Comma,
    Open,
    Close,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// Longest first, since the first that fits is taken.
const SYMBOLS: [(&str, Kind); 18] = [
    ("||", Kind::Or),
    ("&&", Kind::And),
    ("==", Kind::Compare(ComparisonOperator::Equal)),
    ("!=", Kind::Compare(ComparisonOperator::NotEqual)),
    ("<=", Kind::Compare(ComparisonOperator::LessOrEqual)),
    (">=", Kind::Compare(ComparisonOperator::GreaterOrEqual)),
    ("<", Kind::Compare(ComparisonOperator::Less)),
    (">", Kind::Compare(ComparisonOperator::Greater)),
    ("!", Kind::Not),
    ("+", Kind::Plus),
    ("-", Kind::Minus),
    ("*", Kind::Times),
    ("/", Kind::Divide),
    ("?", Kind::Question),
    (":", Kind::Colon),
    (",", Kind::Comma),
    ("(", Kind::Open),
    (")", Kind::Close),
];

/// What other languages write, and how it is written here. Tried before `SYMBOLS`, as `<>` would be two of those,
/// and in the order given.
const MISTAKES: [(&str, &str); 10] =
    [("===", "=="), ("!==", "!="), ("<>", "!="), ("=<", "<="), ("=>", ">="), ("≤", "<="), ("≥", ">="), ("≠", "!="), ("−", "-"), ("×", "*")];

/// Likewise, but tried last, since they begin right symbols.
const HALVES: [(&str, &str); 3] = [("=", "=="), ("&", "&&"), ("|", "||")];

const WORDS: [(&str, &str); 3] = [("and", "&&"), ("or", "||"), ("not", "!")];

/// All tokens, closed by `End`. Errors after which reading goes on are added to `errors`; one that stops it is returned.
pub(super) fn tokens(source: &str, errors: &mut Vec<ExpressionError>) -> Result<Vec<Token>, ExpressionError> {
    let mut lexer = Lexer { source, position: 0, errors };
    let mut tokens = Vec::new();
    loop {
        let rest = lexer.rest().trim_start();
        lexer.position = source.len() - rest.len();
        let start = lexer.position;
        let kind = lexer.token()?;
        let ended = kind == Kind::End;
        tokens.push(Token { kind, range: start..lexer.position });
        if ended {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    position: usize,
    errors: &'a mut Vec<ExpressionError>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.position..]
    }

    fn token(&mut self) -> Result<Kind, ExpressionError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Kind::End);
        };
        if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit())) {
            return Ok(self.number());
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(self.name());
        }
        if first == '"' || first == '\'' {
            return self.text(first);
        }
        self.symbol(first)
    }

    fn number(&mut self) -> Kind {
        let (text, range) = self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.');
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse::<f64>().unwrap_or(f64::INFINITY);
        if !digits(whole) || !digits(fraction) || fraction.is_empty() {
            let help = "a number is digits with at most one decimal point, in the unit of what it is compared with";
            self.errors.push(ExpressionError::new(range, format!("`{text}` is not a number")).with_help(help));
        } else if value.is_infinite() {
            self.errors.push(ExpressionError::new(range, "the number is too large"));
        }
        Kind::Number(value)
    }

    fn name(&mut self) -> Kind {
        let (name, range) = self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        match WORDS.iter().find(|(word, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, right)) => self.corrected(range, right),
            None => Kind::Name,
        }
    }

    fn text(&mut self, quote: char) -> Result<Kind, ExpressionError> {
        let start = self.position;
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((_, letter)) = letters.next() {
            match letter {
                '\n' => break,
                '\\' => match letters.next() {
                    Some((_, escaped @ ('\\' | '"' | '\''))) => text.push(escaped),
                    _ => {
                        let message = "after `\\` a text has a quote or another `\\`";
                        return Err(ExpressionError::new(start..start + 1, message));
                    }
                },
                letter if letter == quote => {
                    self.position = self.source.len() - letters_left(self.rest(), letters.next());
                    return Ok(Kind::Text(text));
                }
                letter => text.push(letter),
            }
        }
        Err(ExpressionError::new(start..start + 1, format!("the text is not closed by {quote}")))
    }

    fn symbol(&mut self, first: char) -> Result<Kind, ExpressionError> {
        let rest = self.rest();
        let start = self.position;
        let found = |mistakes: &'static [(&'static str, &'static str)]| mistakes.iter().find(|(wrong, _)| rest.starts_with(wrong));
        if let Some((wrong, right)) = found(&MISTAKES) {
            self.position += wrong.len();
            return Ok(self.corrected(start..self.position, right));
        }
        if let Some((symbol, kind)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            self.position += symbol.len();
            return Ok(kind.clone());
        }
        if let Some((wrong, right)) = found(&HALVES) {
            self.position += wrong.len();
            return Ok(self.corrected(start..self.position, right));
        }
        let error = ExpressionError::new(start..start + first.len_utf8(), format!("unexpected `{}`", first.escape_debug()));
        Err(match first {
            '“' | '”' | '„' | '‘' | '’' | '`' => error.with_help("a text stands in straight quotes, as in \"red\""),
            '%' | '^' => error.with_help("the arithmetic operators are + - * /"),
            '[' => error.with_help("there are no lists: compare with each label, joined by `||`"),
            _ => error,
        })
    }

    /// Notes a mistake and reads on as if it had been written right.
    fn corrected(&mut self, range: Range<usize>, right: &str) -> Kind {
        let message = format!("`{}` is not an operator", &self.source[range.clone()]);
        self.errors.push(ExpressionError::new(range, message).with_help(format!("write `{right}`")));
        let known = SYMBOLS.iter().find(|(symbol, _)| *symbol == right);
        known.map(|(_, kind)| kind.clone()).expect("corrections are right")
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> (&'a str, Range<usize>) {
        let rest = self.rest();
        let length = rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
        let start = self.position;
        self.position += length;
        (&rest[..length], start..self.position)
    }
}

/// How many bytes follow, given the next letter and its place.
fn letters_left(rest: &str, next: Option<(usize, char)>) -> usize {
    next.map_or(0, |(place, _)| rest.len() - place)
}
