//! Where the fields of a raw record are, and whether its quotation marks pair up.
//!
//! The csv reader accepts marks that do not pair up, and a mark that is never closed swallows the rows behind it without
//! a word: those rows would be missing from every figure.

use std::ops::Range;

/// Whether the quotation marks of a record pair up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Quotes {
    Paired,
    /// One is opened and never closed.
    Open,
    /// Text follows a closing one: the sign of an earlier one that was never closed and swallowed rows.
    TextBehind(Range<usize>),
}

/// The bytes of each field of a raw record (quotation marks included).
pub(super) fn fields(raw: &str, separator: u8) -> (Vec<Range<usize>>, Quotes) {
    let bytes = raw.as_bytes();
    let mut out = Vec::new();
    let mut behind = None;
    let (mut start, mut at, mut quoted) = (0, 0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if quoted && bytes.get(at + 1) == Some(&b'"') => at += 1,
            b'"' if quoted => {
                quoted = false;
                let ends = |next: &u8| *next == separator || matches!(next, b'\n' | b'\r');
                if behind.is_none() && !bytes.get(at + 1).is_none_or(ends) {
                    behind = Some(start..at + 1);
                }
            }
            b'"' if at == start => quoted = true,
            _ if byte == separator && !quoted => {
                out.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push(start..bytes.len());
    let quotes = match behind {
        Some(field) => Quotes::TextBehind(field),
        None if quoted => Quotes::Open,
        None => Quotes::Paired,
    };
    (out, quotes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_quotation_marks() {
        let raw = "a,\"b, \"\"c\"\"\",,d";
        let (found, quotes) = fields(raw, b',');
        assert_eq!(found.into_iter().map(|field| &raw[field]).collect::<Vec<_>>(), ["a", "\"b, \"\"c\"\"\"", "", "d"]);
        assert_eq!(quotes, Quotes::Paired);
    }

    #[test]
    fn marks_that_do_not_pair_up_are_noticed() {
        assert_eq!(fields("a,\"b,c", b',').1, Quotes::Open);
        assert_eq!(fields("a,\"b\nc,\"d\",e", b',').1, Quotes::TextBehind(2..8));
        assert_eq!(fields("a,5\" pipe,c", b',').1, Quotes::Paired, "a mark inside a plain cell is a character");
    }
}
