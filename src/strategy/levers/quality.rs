//! Quality of content and timing: how much better than the channel's usual contacts those of one content, in one part of the
//! day, are received.
//!
//! Of the contacts by a channel whose `response` calls.csv tells, the share that was opened or ordered on is `p`, among
//! those of a step's content and hours `p_s` (of n contacts). The step's quality is the ratio of the two, the latter drawn
//! towards the former as if [`TRUST`] more contacts had been received as usual (a beta-binomial mean; Gelman et al. 2013,
//! "Bayesian Data Analysis", ch. 5): `q = (n p_s + TRUST p) / (n + TRUST) / p`. Without such rows it is 1.
//!
//! That goodwill grows in proportion to the share of contacts that is received well, is an assumption, and so is that content
//! and hours bring the response (rather than whom they were chosen for).

use crate::market::Bound;
use crate::scenario::ChannelStep;

/// Contacts that it takes to believe half of a difference.
pub const TRUST: f64 = 50.0;

/// Quality of a step's contacts over those of its channel; `None` where calls.csv does not tell of such contacts.
pub fn quality(step: &ChannelStep, bound: &Bound) -> Option<f64> {
    if step.content.is_none() && step.hours.is_none() {
        return None;
    }
    let calls = bound.market.data.calls.as_ref()?;
    let content = match &step.content {
        Some(name) => Some(calls.contents.iter().position(|known| known == name)?),
        None => None,
    };
    let (mut all, mut all_well, mut like, mut like_well) = (0.0, 0.0, 0.0, 0.0);
    for (row, &contacts) in bound.responses.iter().filter(|(row, _)| row.channel == step.channel) {
        let well = if row.response.is_favourable() { contacts } else { 0.0 };
        all += contacts;
        all_well += well;
        let same_content =
            content.is_none_or(|wanted| row.content.is_some_and(|content| usize::from(content) == wanted));
        let same_hours = step.hours.as_ref().is_none_or(|wanted| row.part_of_day.is_some_and(|part| part == wanted));
        if same_content && same_hours {
            like += contacts;
            like_well += well;
        }
    }
    (all_well > 0.0 && like > 0.0).then(|| {
        let usual = all_well / all;
        (like_well + TRUST * usual) / (like + TRUST) / usual
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Channel;
    use std::path::Path;

    #[test]
    fn hand_computed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "market.toml",
            "name = \"Test\"\nown_company = \"us\"\ncurrency = \"TRY\"\ndemand = \"units\"\nhistory_end = \"2025-12\"\n",
        );
        write("territories.csv", "territory_id,name\nT,Town\n");
        write("customers.csv", "customer_id,territory_id\nC0,T\n");
        write("sales.csv", "period,customer_id,units\n2024-01,C0,1\n2025-12,C0,1\n");
        write(
            "calls.csv",
            "period,customer_id,channel,calls,content,hour,response\n\
             2025-01,C0,email,30,launch,19,opened\n2025-01,C0,email,20,launch,9,silent\n\
             2025-02,C0,email,50,news,9,silent\n2025-02,C0,email,20,news,19,ordered\n2025-02,C0,phone,9,launch,9,opened\n",
        );
        let loaded = crate::data::load(folder.path()).unwrap_or_else(|refused| panic!("{:?}", refused.problems));
        let (scenario, _) = crate::scenario::parse(Path::new("test.toml"), "schema = 1\n", &[]).expect("a scenario");
        let (bound, _) = crate::market::bind(&scenario, loaded.market).expect("a market");
        let step = |content: Option<&str>, hours: Option<&str>| ChannelStep {
            channel: Channel::Email,
            wait_days: 0.0,
            content: content.map(str::to_owned),
            hours: hours.map(str::to_owned),
            when: None,
            cost_per_contact: 0.0,
        };
        let of = |content, hours| quality(&step(content, hours), &bound);
        // 50 of 120 were received well; of launch's 50, 30: (30 + 50 * 5 / 12) / 100 / (5 / 12).
        assert!((of(Some("launch"), None).unwrap() - (30.0 + 250.0 / 12.0) / 100.0 / (5.0 / 12.0)).abs() < 1e-12);
        // All 50 of the evening.
        assert!((of(None, Some("evening")).unwrap() - (50.0 + 250.0 / 12.0) / 100.0 / (5.0 / 12.0)).abs() < 1e-12);
        assert!(of(None, Some("morning")).unwrap() < 1.0);
        assert_eq!((of(None, None), of(Some("unheard of"), None), of(None, Some("afternoon"))), (None, None, None));
    }
}
