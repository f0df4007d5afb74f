//! How the Committee decides, as data (`form-definitions/parameters/committee.json`): which questionnaires it governs, quorum,
//! majority, ties, days, whose consent is asked for besides. The rules in force when a vote is opened hold for that vote to its end.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::days;
use super::model::Texts;
use crate::accounts::Role;
use crate::db::At;
use crate::error::{Error, Result};

/// A questionnaire that changes only by a vote, and why.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Governed {
    /// The form's code.
    pub(super) form: String,
    reason: String,
    source: String,
    certainty: String,
}

/// A share of something: `[1, 2]` is a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub(super) struct Share(u32, u32);

impl Share {
    /// Whether `part` reaches this share of `whole`; `more_than`: whether it passes it.
    pub(super) fn is_reached(self, part: usize, whole: usize, more_than: bool) -> bool {
        let (part, whole) = (part as u64 * u64::from(self.1), whole as u64 * u64::from(self.0));
        if more_than { part > whole } else { part >= whole }
    }

    fn is_sound(self) -> bool {
        self.1 > 0 && self.0 <= self.1
    }
}

/// How many must take part.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Quorum {
    /// The share of the voting members in office.
    pub(super) share: Share,
    /// More than the share, not just the share.
    pub(super) more_than: bool,
    /// And never fewer than so many.
    pub(super) least: usize,
    /// Whether the author, who does not vote, is one of those the share is taken of.
    pub(super) author_counts: bool,
    /// Whether those who are recused are.
    pub(super) recused_count: bool,
}

/// How many must agree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Majority {
    /// The share.
    pub(super) share: Share,
    /// More than the share, not just the share.
    pub(super) more_than: bool,
    /// Of whom.
    pub(super) of: MajorityOf,
}

/// What a majority is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MajorityOf {
    /// Those who voted for or against.
    ForAndAgainst,
    /// Those who took part, abstentions among them.
    Present,
    /// All the voting members of whom the quorum is a share.
    Members,
}

/// What becomes of as many for as against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tie {
    /// The chair has a casting vote.
    ChairCasts,
    /// Everything stays as it is.
    Rejects,
}

/// How long a vote is open, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VotingDays {
    /// Unless told otherwise.
    pub(super) usual: u32,
    /// At least.
    pub(super) least: u32,
    /// At most.
    pub(super) most: u32,
}

/// What of a questionnaire a head's consent is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ConsentTo {
    /// Whatever changes how answers are judged: limits, rules, findings, scores. Not words, and not a question more.
    Rules,
    /// Every change.
    Everything,
}

/// A head of department who approves a pack of the department's own, beside the Committee.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsentRule)]
pub(super) struct ConsentRule {
    /// Whose: accounts of this role give it.
    pub(super) of: Role,
    /// What the head is called, by language.
    #[schema(value_type = Object)]
    pub(super) title: Texts,
    /// For which questionnaires.
    pub(super) forms: Vec<String>,
    /// For what of them.
    pub(super) to: ConsentTo,
    /// Without it no vote is opened. Otherwise it may be given, and stands in the minutes.
    pub(super) required: bool,
    /// Why it is so.
    pub(super) reason: String,
    /// What it rests on.
    pub(super) source: String,
    /// How certain that is: H, M or L.
    pub(super) certainty: String,
}

impl ConsentRule {
    /// Whether it speaks of a change of this form. `to_rules`: the change is not one of words alone.
    pub(super) fn speaks_of(&self, form: &str, to_rules: bool) -> bool {
        (to_rules || self.to == ConsentTo::Everything) && self.forms.iter().any(|known| known == form)
    }
}

/// The rules of deciding for a time.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CommitteeRules)]
pub(super) struct Deciding {
    /// The first day they hold.
    pub(super) valid_from: NaiveDate,
    /// The first day they do not hold any more.
    pub(super) valid_to: Option<NaiveDate>,
    /// How many must take part.
    pub(super) quorum: Quorum,
    /// How many must agree.
    pub(super) majority: Majority,
    /// As many for as against.
    pub(super) tie: Tie,
    /// How long a vote is open.
    pub(super) voting_days: VotingDays,
    /// How long the chair may take for a casting vote.
    pub(super) casting_days: u32,
    /// Heads of departments whose consent is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) consents: Vec<ConsentRule>,
    /// Why they are so.
    pub(super) reason: String,
    /// What they rest on: `[{law, section, certainty, verified_on}]`.
    #[schema(value_type = Vec<Object>)]
    pub(super) basis: Value,
}

/// Publishing without a vote.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BreakGlassRules)]
pub(super) struct BreakGlassRules {
    /// How long the second person may take.
    pub(super) expires_hours: u32,
    /// What it is for.
    pub(super) reason: String,
    /// What it rests on.
    #[schema(value_type = Vec<Object>)]
    pub(super) basis: Value,
}

#[derive(Deserialize)]
struct Pack {
    governs: Vec<Governed>,
    rules: Vec<Deciding>,
    break_glass: BreakGlassRules,
}

/// Everything the Committee goes by.
pub(super) struct Rules {
    pub(super) governs: Vec<Governed>,
    deciding: Vec<Deciding>,
    pub(super) break_glass: BreakGlassRules,
}

impl Rules {
    /// Those that come with the binary.
    pub(super) fn builtin() -> Result<Rules> {
        Rules::read(include_str!("../../../form-definitions/parameters/committee.json"))
    }

    /// With the consent of these heads required, whatever the data say of it: settings can ask for more, never for less.
    pub(super) fn requiring(mut self, heads: &[String]) -> Result<Rules> {
        for head in heads {
            let rules = self.deciding.iter_mut().flat_map(|rules| &mut rules.consents);
            let mut named = rules.filter(|consent| consent.of.as_str() == head).peekable();
            if named.peek().is_none() {
                return Err(Error::invalid(
                    "consent_of_nobody",
                    format!(
                        "committee.consents names {head}, whose consent parameters/committee.json does not speak of"
                    ),
                ));
            }
            named.for_each(|consent| consent.required = true);
        }
        Ok(self)
    }

    fn read(text: &str) -> Result<Rules> {
        let wrong = |why: String| Error::internal("reading parameters/committee.json", why);
        let pack: Pack = serde_json::from_str(text).map_err(|cause| wrong(cause.to_string()))?;
        if pack.rules.is_empty() {
            return Err(wrong("it has no rules".to_owned()));
        }
        for rules in &pack.rules {
            let days = rules.voting_days;
            if !rules.quorum.share.is_sound() || !rules.majority.share.is_sound() {
                return Err(wrong("a share is [part, whole] with a whole that is not smaller".to_owned()));
            }
            if !(1..=days.usual).contains(&days.least) || !(days.usual..=366).contains(&days.most) {
                return Err(wrong("voting_days must be least <= usual <= most, a year at most".to_owned()));
            }
        }
        Ok(Rules { governs: pack.governs, deciding: pack.rules, break_glass: pack.break_glass })
    }

    /// Whether a questionnaire changes only by a vote.
    pub(super) fn govern(&self, form: &str) -> bool {
        self.governs.iter().any(|governed| governed.form == form)
    }

    /// The rules in force at an instant.
    pub(super) fn at(&self, at: At) -> Result<&Deciding> {
        let day = days::day_of(at);
        let holds = |rules: &&Deciding| rules.valid_from <= day && rules.valid_to.is_none_or(|end| day < end);
        self.deciding.iter().filter(holds).max_by_key(|rules| rules.valid_from).ok_or_else(|| {
            Error::conflict(
                "no_rules_in_force",
                format!("parameters/committee.json has no rules for {day}; add them with their legal basis"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_come_with_the_binary_are_sound_and_govern_all_three_questionnaires() {
        let rules = Rules::builtin().unwrap();

        for form in ["child-protection-toolkit", "child-labour-inspection", "shelter-audit"] {
            assert!(rules.govern(form), "{form}");
        }
        assert!(!rules.govern("beds"));
        assert_eq!(rules.at(days::start_of("2026-11-20".parse().unwrap())).unwrap().quorum.least, 3);
        assert_eq!(
            rules.at(days::start_of("1999-01-01".parse().unwrap())).unwrap_err().code,
            "no_rules_in_force"
        );
    }

    #[test]
    fn settings_ask_for_more_consents_and_only_for_those_the_data_speak_of() {
        let asked = |rules: Rules| -> Vec<(Role, bool)> {
            let rules = rules.at(days::start_of("2026-11-20".parse().unwrap())).unwrap().clone();
            rules.consents.iter().map(|consent| (consent.of, consent.required)).collect()
        };

        let data = asked(Rules::builtin().unwrap());
        let strict = asked(Rules::builtin().unwrap().requiring(&["swd_head".to_owned()]).unwrap());
        let nobody = Rules::builtin().unwrap().requiring(&["inspector".to_owned()]).err().unwrap();

        assert_eq!(data, [(Role::LabourHead, false), (Role::SwdHead, false)]);
        assert_eq!(strict, [(Role::LabourHead, false), (Role::SwdHead, true)]);
        assert_eq!(nobody.code, "consent_of_nobody");
    }

    #[test]
    fn a_share_is_reached_or_passed() {
        let half = Share(1, 2);

        assert!(half.is_reached(2, 4, false) && !half.is_reached(2, 4, true) && half.is_reached(3, 5, true));
        assert!(Share(2, 3).is_reached(4, 6, false) && !Share(2, 3).is_reached(3, 5, false));
    }
}
