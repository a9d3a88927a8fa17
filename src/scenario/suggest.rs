//! "Did you mean": the nearest of the known names.

/// The known name nearest to `word`, when it is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a pasted paragraph is no misspelling and would only cost time.
    if word.len() > 100 {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Names in backquotes, separated by commas.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// "did you mean `x`?" where a name is near, then "`sentence` `a`, `b`".
pub(crate) fn did_you_mean(word: &str, known: &[&str], sentence: &str) -> String {
    let list = format!("{sentence} {}", listed(known.iter().copied()));
    match nearest(word, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? {list}"),
        None => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["headcount", "price", "referral"];
        assert_eq!(nearest("headcont", known), Some("headcount"));
        assert_eq!(nearest("Price", known), Some("price"));
        assert_eq!(nearest("weather", known), None);
    }
}
