//! Unit expressions: products, quotients, powers and parentheses over the words of the registry.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::UnknownUnit;
use super::registry::{DIMENSIONLESS, Dimension, find};
use super::scale::Scale;

/// Longest text taken for a unit, in bytes; it also bounds how deep parentheses nest.
const LONGEST: usize = 256;

#[derive(Debug, Clone)]
pub(super) struct Expression {
    /// Exponents of full names.
    powers: BTreeMap<String, i16>,
    pub(super) dimension: Dimension,
    pub(super) scale: Scale,
    pub(super) has_factor: bool,
}

impl Expression {
    const ONE: Self = Self {
        powers: BTreeMap::new(),
        dimension: Dimension::NUMBER,
        scale: Scale::ONE,
        has_factor: false,
    };

    pub(super) fn parse(text: &str) -> Result<Self, UnknownUnit> {
        let whole = || UnknownUnit(text.to_owned());
        if text.len() > LONGEST {
            return Err(whole());
        }
        if text.trim().is_empty() {
            return Ok(Self::ONE);
        }
        let plain = plain(text);
        let tokens = tokens(&plain).ok_or_else(whole)?;
        let mut parser = Parser { tokens: &tokens };
        let expression = parser.product()?.ok_or_else(whole)?;
        // A size that no f64 holds would turn every conversion into infinity or NaN.
        let sized = expression.scale.over(Scale::ONE).is_normal();
        if parser.tokens.is_empty() && sized {
            Ok(expression)
        } else {
            Err(whole())
        }
    }

    /// `kilowatt_hour / gigabyte`: numerators first, each side in alphabetical order.
    pub(super) fn canonical(&self) -> String {
        let mut text = String::new();
        let power = |text: &mut String, name: &str, exponent: i16| {
            text.push_str(name);
            if exponent != 1 {
                let _ = write!(text, " ** {exponent}");
            }
        };
        for (name, &exponent) in self.powers.iter().filter(|(_, exponent)| **exponent > 0) {
            if !text.is_empty() {
                text.push_str(" * ");
            }
            power(&mut text, name, exponent);
        }
        if text.is_empty() {
            text.push_str(if self.powers.is_empty() {
                DIMENSIONLESS
            } else {
                "1"
            });
        }
        for (name, &exponent) in self.powers.iter().filter(|(_, exponent)| **exponent < 0) {
            text.push_str(" / ");
            power(&mut text, name, -exponent);
        }
        text
    }

    fn word(word: &str) -> Result<Self, UnknownUnit> {
        let (prefix, unit) = find(word).ok_or_else(|| UnknownUnit(word.to_owned()))?;
        let (prefix_name, prefix_scale) =
            prefix.map_or(("", Scale::ONE), |prefix| (prefix.name, prefix.scale));
        let mut expression = Self {
            dimension: unit.dimension,
            scale: unit.scale.times(prefix_scale),
            ..Self::ONE
        };
        if unit.name != DIMENSIONLESS {
            expression
                .powers
                .insert(format!("{prefix_name}{}", unit.name), 1);
        }
        Ok(expression)
    }

    /// This times `other` to the power of `exponent`; `None` where exponents grow out of all
    /// reason, which is where dimensions say it is.
    fn times_power(mut self, other: Self, exponent: i16) -> Option<Self> {
        self.dimension = self.dimension.times_power(other.dimension, exponent)?;
        self.scale = self.scale.times_power(other.scale, exponent)?;
        self.has_factor |= other.has_factor;
        for (name, own) in other.powers {
            let total = self.powers.entry(name).or_default();
            *total = total.checked_add(own.checked_mul(exponent)?)?;
            i8::try_from(total.unsigned_abs()).ok()?;
        }
        self.powers.retain(|_, exponent| *exponent != 0);
        Some(self)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'t> {
    Word(&'t str),
    Number(&'t str),
    Times,
    Over,
    Power,
    Minus,
    Open,
    Close,
}

/// `kWh·GB⁻¹` as `kWh*GB**-1`.
fn plain(text: &str) -> Cow<'_, str> {
    const SUPERSCRIPTS: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    let mut raised = false;
    for character in text.chars() {
        let digit = SUPERSCRIPTS.chars().position(|digit| digit == character);
        let is_raised = digit.is_some() || character == '⁻';
        if is_raised && !raised {
            plain.push_str("**");
        }
        raised = is_raised;
        match (digit, character) {
            (Some(digit), _) => plain.push(char::from(b'0' + digit as u8)),
            (None, '⁻') => plain.push('-'),
            (None, '·') => plain.push('*'),
            (None, other) => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

/// `None` where a sign belongs to no expression.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
        let (token, length) = match first {
            '0'..='9' => {
                let mut length = digits(rest);
                if rest[length..].starts_with('.') {
                    length += 1 + digits(&rest[length + 1..]);
                }
                if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
                    let sign = usize::from(exponent.starts_with(['+', '-']));
                    match digits(&exponent[sign..]) {
                        0 => {}
                        digits => length += 1 + sign + digits,
                    }
                }
                (Token::Number(&rest[..length]), length)
            }
            '*' if rest.starts_with("**") => (Token::Power, 2),
            '^' => (Token::Power, 1),
            '*' | '.' => (Token::Times, 1),
            '/' => (Token::Over, 1),
            '-' => (Token::Minus, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            letter if letter.is_alphabetic() || letter == '_' => {
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len());
                match &rest[..end] {
                    "per" => (Token::Over, end),
                    word @ ("squared" | "cubed") => {
                        tokens.push(Token::Power);
                        (
                            Token::Number(if word == "squared" { "2" } else { "3" }),
                            end,
                        )
                    }
                    word => (Token::Word(word), end),
                }
            }
            _ => return None,
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

struct Parser<'t> {
    tokens: &'t [Token<'t>],
}

/// `Ok(None)` means that the tokens are no expression.
type Parsed<T> = Result<Option<T>, UnknownUnit>;

impl<'t> Parser<'t> {
    fn take(&mut self, token: Token<'_>) -> bool {
        let found = self.tokens.first() == Some(&token);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// Factors side by side multiply, with the precedence of `*`.
    fn product(&mut self) -> Parsed<Expression> {
        let Some(mut product) = self.power()? else {
            return Ok(None);
        };
        loop {
            let exponent = if self.take(Token::Over) {
                -1
            } else if self.take(Token::Times)
                || matches!(
                    self.tokens.first(),
                    Some(Token::Word(_) | Token::Number(_) | Token::Open)
                )
            {
                1
            } else {
                return Ok(Some(product));
            };
            let Some(factor) = self.power()? else {
                return Ok(None);
            };
            let Some(next) = product.times_power(factor, exponent) else {
                return Ok(None);
            };
            product = next;
        }
    }

    fn power(&mut self) -> Parsed<Expression> {
        let Some(base) = self.atom()? else {
            return Ok(None);
        };
        if !self.take(Token::Power) {
            return Ok(Some(base));
        }
        let exponent = self.exponent();
        Ok(exponent.and_then(|exponent| Expression::ONE.times_power(base, exponent)))
    }

    fn atom(&mut self) -> Parsed<Expression> {
        let Some((&token, rest)) = self.tokens.split_first() else {
            return Ok(None);
        };
        self.tokens = rest;
        match token {
            Token::Word(word) => Expression::word(word).map(Some),
            Token::Number(number) => Ok(number.parse().ok().map(|number: f64| Expression {
                has_factor: number != 1.0,
                ..Expression::ONE
            })),
            Token::Open => Ok(self.product()?.filter(|_| self.take(Token::Close))),
            _ => Ok(None),
        }
    }

    /// A whole number, maybe negative, in parentheses or itself a power.
    fn exponent(&mut self) -> Option<i16> {
        let sign = if self.take(Token::Minus) { -1 } else { 1 };
        let magnitude: i16 = if self.take(Token::Open) {
            self.exponent().filter(|_| self.take(Token::Close))?
        } else {
            let (&Token::Number(number), rest) = self.tokens.split_first()? else {
                return None;
            };
            self.tokens = rest;
            number.parse().ok()?
        };
        let magnitude = if self.take(Token::Power) {
            magnitude.checked_pow(u32::try_from(self.exponent()?).ok()?)?
        } else {
            magnitude
        };
        magnitude.checked_mul(sign)
    }
}
