use super::super::{fixture, maps, plots};
use super::*;

/// The page of a fixture.
fn page_of(findings: &Findings) -> String {
    let (potential, strategies) = (Potential::of(findings), Strategies::of(findings));
    let maps = maps::maps(findings, &potential, false).unwrap();
    let plots = plots::plots(findings, &potential, &strategies).unwrap();
    page(findings, &potential, &strategies, &maps, &plots).unwrap()
}

#[test]
fn the_page_fetches_nothing() {
    let page = page_of(&fixture::market());
    let lower = page.to_lowercase();
    assert!(!lower.contains("http://") && !lower.contains("https://") && !lower.contains("@import"));
    assert!(!lower.contains("src=") && !lower.contains("<link") && !lower.contains("href="));
    for url in lower.split("url(").skip(1) {
        assert!(url.starts_with("data:font/woff2;base64,"), "{}", &url[..40.min(url.len())]);
    }
    assert!(page.len() < 2_000_000);
}

#[test]
fn the_page_says_the_answer_with_its_doubt() {
    let page = page_of(&fixture::market());
    for words in
        ["Yıldız İlaç", "Şanlıurfa", "90% interval", "P(best) 55%", "REVIEW", "captures.csv", "₺", "literature"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("none were asked for") && !page.contains("do not decide"));
}

#[test]
fn customers_are_not_named() {
    let findings = fixture::market();
    let page = page_of(&findings);
    for target in findings.comparison.as_ref().unwrap().targets.iter().filter(|target| target.kind != "prospects") {
        assert!(!page.contains(&target.target), "{}", target.target);
    }
}

#[test]
fn what_is_absent_is_said_to_be_absent() {
    let page = page_of(&fixture::only_potential());
    for words in ["A check failed", "Strategies are not compared", "There is no forecast", "No map", "no targets"] {
        assert!(page.contains(words), "{words}");
    }
    let page = page_of(&fixture::empty());
    for words in ["There is no estimate", "No potential was estimated", "No check was made", "No evidence was recorded"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut findings = fixture::market();
    findings.market_name = "<script>alert(1)</script>".to_owned();
    findings.territories[0].name = "\"><img onerror=x>".to_owned();
    let page = page_of(&findings);
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
}
