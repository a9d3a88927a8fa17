//! Recursive descent over the text of a filter; places are bytes of that text, which the caller moves to the file.

use std::ops::Range;

use super::{Comparison, Filter, FilterValue, NUMBER_ATTRIBUTES, Operator, TEXT_ATTRIBUTES};

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct FilterError {
    pub title: String,
    /// Bytes of the text that are at fault; empty at the end of the text.
    pub span: Range<usize>,
    pub label: String,
    pub help: String,
}

/// Depth of parentheses and `not` beyond which a filter is refused; it keeps the recursion off the end of the stack.
const DEEPEST: usize = 64;

/// Parses a filter. The spans in it count bytes of `text` from `offset`, or are all `whole` where `offset` is `None`
/// (a TOML string with escapes, whose bytes are not those of the text).
pub(in crate::scenario) fn parse(
    text: &str,
    offset: Option<usize>,
    whole: Range<usize>,
) -> Result<Filter, FilterError> {
    let placed = |span: Range<usize>| match offset {
        Some(offset) => offset + span.start..offset + span.end,
        None => whole.clone(),
    };
    let parsed = tokens(text).and_then(|tokens| {
        if tokens.is_empty() {
            return Err(FilterError {
                title: "the filter is empty".into(),
                span: 0..text.len(),
                label: "nothing is written here".into(),
                help: "leave `who` out to mean everybody, or write for example size > p75".into(),
            });
        }
        Parser { text, tokens, next: 0, depth: 0 }.filter_to_the_end()
    });
    match parsed {
        Ok(filter) => Ok(moved(filter, &placed)),
        Err(error) => Err(FilterError { span: placed(error.span), ..error }),
    }
}

/// The filter with every span moved.
fn moved(filter: Filter, placed: &dyn Fn(Range<usize>) -> Range<usize>) -> Filter {
    let all = |parts: Vec<Filter>| parts.into_iter().map(|part| moved(part, placed)).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(moved(*part, placed))),
        Filter::Compare(comparison) => Filter::Compare(Comparison {
            attribute_span: placed(comparison.attribute_span),
            value_span: placed(comparison.value_span),
            ..comparison
        }),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Word,
    Number(f64),
    Text(String),
    Operator(Operator),
    Open,
    Close,
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    kind: Kind,
    span: Range<usize>,
}

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, first)) = rest.peek() {
        if first.is_whitespace() {
            rest.next();
            continue;
        }
        let kind = match first {
            '(' | ')' => {
                rest.next();
                if first == '(' { Kind::Open } else { Kind::Close }
            }
            '\'' => {
                rest.next();
                quoted(&mut rest).ok_or_else(|| FilterError {
                    title: "a quote is not closed in the filter".into(),
                    span: start..text.len(),
                    label: "this text has no end".into(),
                    help: "close it with ' ; a quote inside text is doubled: 'O''Neil'".into(),
                })?
            }
            '<' | '>' | '=' | '!' | '&' | '|' => {
                while rest.next_if(|&(_, c)| matches!(c, '<' | '>' | '=' | '!' | '&' | '|')).is_some() {}
                let end = rest.peek().map_or(text.len(), |&(at, _)| at);
                Kind::Operator(operator(&text[start..end], start..end)?)
            }
            '_' | '-' | '+' | '.' => word_or_number(text, start, &mut rest)?,
            c if c.is_alphanumeric() => word_or_number(text, start, &mut rest)?,
            _ => {
                let help = match first {
                    '"' | '`' | '‘' | '’' | '“' | '”' => {
                        "text goes in straight single quotes: segment == 'chain'"
                    }
                    ',' => "join conditions by `and` or `or`; a decimal fraction has a point: 0.5",
                    '%' => "a percentile is written p75; a share is written 0.75",
                    _ => "a filter is made of comparisons such as size > p75, joined by `and`, `or` and `not`",
                };
                return Err(FilterError {
                    title: format!("`{}` has no meaning in a filter", first.escape_debug()),
                    span: start..start + first.len_utf8(),
                    label: "not understood".into(),
                    help: help.into(),
                });
            }
        };
        let end = rest.peek().map_or(text.len(), |&(at, _)| at);
        tokens.push(Token { kind, span: start..end });
    }
    Ok(tokens)
}

type Characters<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// Text up to its closing quote; `None` when there is none.
fn quoted(rest: &mut Characters) -> Option<Kind> {
    let mut content = String::new();
    loop {
        match rest.next()?.1 {
            '\'' if rest.next_if(|&(_, c)| c == '\'').is_some() => content.push('\''),
            '\'' => return Some(Kind::Text(content)),
            c => content.push(c),
        }
    }
}

/// A word, or a number where it begins like one.
fn word_or_number(text: &str, start: usize, rest: &mut Characters) -> Result<Kind, FilterError> {
    let mut before = ' ';
    while let Some((_, c)) = rest.next_if(|&(_, c)| {
        // A sign belongs to a number at its beginning and after its exponent.
        c.is_alphanumeric() || matches!(c, '_' | '.') || (matches!(c, '+' | '-') && matches!(before, ' ' | 'e' | 'E'))
    }) {
        before = c;
    }
    let end = rest.peek().map_or(text.len(), |&(at, _)| at);
    let written = &text[start..end];
    if written.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return Ok(Kind::Word);
    }
    match written.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Kind::Number(number)),
        _ => Err(FilterError {
            title: format!("`{written}` is not a number"),
            span: start..end,
            label: "not a number".into(),
            help: "write numbers like 250, 0.5 or -1.5".into(),
        }),
    }
}

fn operator(written: &str, span: Range<usize>) -> Result<Operator, FilterError> {
    let help = match written {
        ">" => return Ok(Operator::Greater),
        ">=" => return Ok(Operator::GreaterOrEqual),
        "<" => return Ok(Operator::Less),
        "<=" => return Ok(Operator::LessOrEqual),
        "==" => return Ok(Operator::Equal),
        "!=" => return Ok(Operator::NotEqual),
        "=" | "===" => "did you mean `==`?",
        "<>" | "!==" => "did you mean `!=`?",
        "=>" => "did you mean `>=`?",
        "=<" => "did you mean `<=`?",
        "&" | "&&" => "did you mean `and`?",
        "|" | "||" => "did you mean `or`?",
        "!" => "did you mean `not`?",
        _ => "",
    };
    let help = format!("{help} the operators are >, >=, <, <=, == and !=");
    Err(FilterError {
        title: format!("unknown operator `{written}` in the filter"),
        span,
        label: "not an operator".into(),
        help: help.trim_start().to_owned(),
    })
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn filter_to_the_end(mut self) -> Result<Filter, FilterError> {
        let filter = self.filter()?;
        let Some(token) = self.tokens.get(self.next) else { return Ok(filter) };
        let written = self.written(token);
        let (label, help) = match token.kind {
            Kind::Close => ("it closes nothing", "remove it, or open it with `(`".to_owned()),
            _ => match self.keyword(token) {
                Some(keyword) => ("not expected here", format!("keywords are written in lower case: {keyword}")),
                None => ("not expected here", "join two conditions by `and` or `or`".to_owned()),
            },
        };
        Err(FilterError {
            title: format!("`{written}` is too much in the filter"),
            span: token.span.clone(),
            label: label.into(),
            help,
        })
    }

    fn filter(&mut self) -> Result<Filter, FilterError> {
        let first = self.and()?;
        let mut parts = vec![first];
        while self.take_word("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    fn and(&mut self) -> Result<Filter, FilterError> {
        let first = self.unary()?;
        let mut parts = vec![first];
        while self.take_word("and") {
            parts.push(self.unary()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn unary(&mut self) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError {
                title: "the filter is nested too deeply".into(),
                span: self.tokens.get(self.next).map_or(self.text.len()..self.text.len(), |token| token.span.clone()),
                label: format!("more than {DEEPEST} levels of `(` and `not`"),
                help: "write it with fewer parentheses".into(),
            });
        }
        let filter = if self.take_word("not") {
            Filter::Not(Box::new(self.unary()?))
        } else if let Some(Token { kind: Kind::Open, span }) = self.tokens.get(self.next).cloned() {
            self.next += 1;
            let inside = self.filter()?;
            match self.tokens.get(self.next) {
                Some(Token { kind: Kind::Close, .. }) => self.next += 1,
                _ => {
                    return Err(FilterError {
                        title: "a parenthesis is not closed in the filter".into(),
                        span,
                        label: "this one".into(),
                        help: "close it with `)`".into(),
                    });
                }
            }
            inside
        } else {
            Filter::Compare(self.comparison()?)
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Comparison, FilterError> {
        let (attribute, ()) =
            self.expect("an attribute such as size or segment", |kind| (*kind == Kind::Word).then_some(()))?;
        let name = self.written(&attribute).to_owned();
        if matches!(name.as_str(), "and" | "or") {
            return Err(FilterError {
                title: format!("`{name}` joins two conditions, but there is none before it"),
                span: attribute.span,
                label: "a condition is missing before this".into(),
                help: "write for example size > p75 and digital > 0.5".into(),
            });
        }
        let (sign, operator) = self.expect("an operator", |kind| match kind {
            Kind::Operator(operator) => Some(*operator),
            _ => None,
        })?;
        let (token, value) = self.expect("a value", |kind| match kind {
            Kind::Number(number) => Some(Some(FilterValue::Number(*number))),
            Kind::Text(text) => Some(Some(FilterValue::Text(text.clone()))),
            Kind::Word => Some(None),
            _ => None,
        })?;
        let value = match value {
            Some(value) => value,
            None => self.percentile(&token)?,
        };
        let value_span = token.span;
        let comparison = Comparison { attribute: name, attribute_span: attribute.span, operator, value, value_span };
        self.check_types(&comparison, sign.span)?;
        Ok(comparison)
    }

    /// `p0` to `p100`.
    fn percentile(&self, token: &Token) -> Result<FilterValue, FilterError> {
        let written = self.written(token);
        let error = |title: String, label: &str, help: String| {
            Err(FilterError { title, span: token.span.clone(), label: label.into(), help })
        };
        match written.strip_prefix(['p', 'P']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            Some(level) => match level.parse::<u8>() {
                Ok(level) if level <= 100 && written.starts_with('p') => Ok(FilterValue::Percentile(level)),
                Ok(level) if level <= 100 => {
                    error(format!("`{written}` is not a value"), "not understood", format!("did you mean `p{level}`?"))
                }
                _ => error(
                    format!("`{written}` is not a percentile"),
                    "must be p0 to p100",
                    "percentiles are whole numbers from p0 to p100: p75 is the value that 75 % are below".into(),
                ),
            },
            None => error(
                format!("`{written}` is not a value"),
                "a number, a percentile or text is needed here",
                format!("text goes in single quotes: '{written}'; a percentile is written p75"),
            ),
        }
    }

    /// What can be said of types without the data.
    fn check_types(&self, comparison: &Comparison, sign: Range<usize>) -> Result<(), FilterError> {
        let attribute = comparison.attribute.as_str();
        let is_text = matches!(comparison.value, FilterValue::Text(_));
        let written = &self.text[comparison.value_span.clone()];
        if is_text && !matches!(comparison.operator, Operator::Equal | Operator::NotEqual) {
            return Err(FilterError {
                title: format!("`{}` does not compare text", &self.text[sign.clone()]),
                span: sign,
                label: "only == and != compare text".into(),
                help: "write a number without quotes, or compare by == or !=".into(),
            });
        }
        if !is_text && TEXT_ATTRIBUTES.contains(&attribute) {
            return Err(FilterError {
                title: format!("`{attribute}` is text, `{written}` is not"),
                span: comparison.value_span.clone(),
                label: "text in single quotes is needed here".into(),
                help: format!("write {attribute} == '{written}'"),
            });
        }
        if is_text && NUMBER_ATTRIBUTES.contains(&attribute) {
            return Err(FilterError {
                title: format!("`{attribute}` is a number, {written} is text"),
                span: comparison.value_span.clone(),
                label: "a number or a percentile is needed here".into(),
                help: format!("write for example {attribute} > p75"),
            });
        }
        Ok(())
    }

    /// The next token and what `reads` makes of it, where it fits.
    fn expect<T>(&mut self, what: &str, reads: impl Fn(&Kind) -> Option<T>) -> Result<(Token, T), FilterError> {
        let before = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        let before = before.map(|token| self.written(token).to_owned());
        let found = self.tokens.get(self.next);
        match found.and_then(|token| Some((token.clone(), reads(&token.kind)?))) {
            Some(read) => {
                self.next += 1;
                Ok(read)
            }
            None => {
                let end = self.text.trim_end().len();
                let title = match (found, &before) {
                    (Some(token), _) => format!("`{}` stands where {what} is needed", self.written(token)),
                    (None, Some(before)) => format!("the filter ends after `{before}`, where {what} is needed"),
                    (None, None) => format!("the filter ends where {what} is needed"),
                };
                let span = match found {
                    Some(token) => token.span.clone(),
                    // The last word is underlined: there is nothing after it to underline.
                    None => self.tokens.last().map_or(end..end, |token| token.span.clone()),
                };
                let label = if found.is_some() { "not expected here" } else { "something is missing after this" };
                let help = "a condition is: attribute operator value, for example size > p75 or segment != 'chain'";
                Err(FilterError { title, span, label: label.into(), help: help.into() })
            }
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let here = self.tokens.get(self.next).is_some_and(|token| self.written(token) == word);
        self.next += usize::from(here);
        here
    }

    fn written(&self, token: &Token) -> &str {
        &self.text[token.span.clone()]
    }

    /// The keyword that a token would be in lower case.
    fn keyword(&self, token: &Token) -> Option<&'static str> {
        let lower = self.written(token).to_lowercase();
        ["and", "or", "not"].into_iter().find(|keyword| lower == *keyword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Filter {
        parse(text, Some(0), 0..text.len()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    /// The underlined part and the title.
    fn refused(text: &str) -> (String, String) {
        let error = parse(text, Some(0), 0..text.len()).unwrap_err();
        (text[error.span].to_owned(), error.title)
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let Filter::Or(parts) = parsed("size > 1 or size < 2 and not (digital >= 0.5)") else { panic!("or on top") };
        assert!(matches!(&parts[..], [Filter::Compare(_), Filter::And(both)] if matches!(both[1], Filter::Not(_))));
    }

    #[test]
    fn spans_are_those_of_the_file() {
        let text = "  digital > 0.5 and segment != 'O''Neil'";
        let filter = parse(text, Some(100), 0..0).unwrap();
        let found: Vec<_> = filter.comparisons().collect();
        assert_eq!(found[0].attribute_span, 102..109);
        assert_eq!(found[1].value, FilterValue::Text("O'Neil".into()));
        assert_eq!(&text[found[1].value_span.start - 100..found[1].value_span.end - 100], "'O''Neil'");
        let whole = parse(text, None, 7..60).unwrap();
        assert!(whole.comparisons().all(|comparison| comparison.value_span == (7..60)));
    }

    #[test]
    fn values_are_numbers_percentiles_and_text() {
        let value = |text: &str| parsed(text).comparisons().next().map(|comparison| comparison.value.clone());
        assert_eq!(value("size>-1_000.5e-1"), Some(FilterValue::Number(-100.05)));
        assert_eq!(value("size<=p100"), Some(FilterValue::Percentile(100)));
        assert_eq!(value("gelir_kişi >= .5"), Some(FilterValue::Number(0.5)));
        assert_eq!(value("segment==''"), Some(FilterValue::Text(String::new())));
    }

    #[test]
    fn the_underline_is_exact() {
        for (text, underlined) in [
            ("segment == 'chain", "'chain"),
            ("size = 5", "="),
            ("size > p75 and", "and"),
            ("size > p101", "p101"),
            ("size > p", "p"),
            ("size >", ">"),
            ("segment == chain", "chain"),
            ("segment > 'a'", ">"),
            ("segment == 3", "3"),
            ("size == 'a'", "'a'"),
            ("and size > 3", "and"),
            ("size > 3 size < 5", "size"),
            ("(size > 3", "("),
            ("size > 3)", ")"),
            ("size > 3 && digital > 0", "&&"),
            ("size > 1.2.3", "1.2.3"),
            ("size > 1e999", "1e999"),
            ("size > 0,5", ","),
            ("size ü 5", "ü"),
            ("5 < size", "5"),
            ("size > 5 AND size < 9", "AND"),
            ("   ", "   "),
        ] {
            assert_eq!(refused(text).0, underlined, "{text}: {}", refused(text).1);
        }
    }

    #[test]
    fn deep_nesting_is_refused_not_overflowed() {
        for unit in ["(", "not "] {
            assert!(refused(&unit.repeat(100_000)).1.contains("nested too deeply"));
        }
    }
}
