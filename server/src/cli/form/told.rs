//! An outcome told to a person: what is wrong, what was found and why, what stayed open and why.

use std::io::Write;

use form_engine::{Explained, Explanation, Finding, Outcome, Reason, RulePurpose, Texts, Unknown, Violation};
use serde_json::{Value, json};

use super::line;
use crate::error::Result;

/// An outcome with its reasons, told in one language.
pub(super) struct Told<'t> {
    pub(super) explanation: &'t Explanation,
    pub(super) language: &'t str,
    /// Every rule, not only those that led to something.
    pub(super) all: bool,
}

impl Told<'_> {
    pub(super) fn whole(&self, out: &mut impl Write, expected: Option<&[String]>) -> Result<()> {
        let outcome = self.outcome();
        line(out, &format!("verdict: {}", word(&json!(outcome.verdict()))))?;
        self.heading(out, "violations", outcome.violations.len())?;
        outcome.violations.iter().try_for_each(|violation| self.violation(violation, out))?;
        self.heading(out, "findings", outcome.findings.len())?;
        outcome.findings.iter().try_for_each(|finding| self.finding(finding, out))?;
        self.values(out)?;
        self.hidden(out)?;
        self.undecided(out)?;
        if self.all {
            self.heading(out, "rules that ran", self.explanation.rules.len())?;
            self.explanation.rules.iter().try_for_each(|rule| self.rule(rule, out))?;
        }
        line(out, "")?;
        line(out, &format!("{} steps", outcome.cost))?;
        match expected {
            Some([]) => line(out, "as the case expects"),
            Some(differences) => {
                line(out, "NOT as the case expects:")?;
                differences.iter().try_for_each(|difference| line(out, &format!("  {difference}")))
            }
            None => Ok(()),
        }
    }

    fn outcome(&self) -> &Outcome {
        &self.explanation.outcome
    }

    fn heading(&self, out: &mut impl Write, what: &str, number: usize) -> Result<()> {
        line(out, "")?;
        line(out, &format!("{what}: {}", if number == 0 { "none".to_owned() } else { number.to_string() }))
    }

    /// With the answers the rule that was broken rests on.
    fn violation(&self, violation: &Violation, out: &mut impl Write) -> Result<()> {
        let level = word(&json!(violation.level));
        let (path, text) = (shown(&violation.path), self.text(&violation.message));
        line(out, &format!("  {level:8} {path}  [{}]  {text}", violation.code))?;
        let Some(rule) = &violation.rule else { return Ok(()) };
        line(out, &format!("      rule       {rule}"))?;
        let explained =
            self.explanation.rules.iter().find(|one| one.path == violation.path && one.rule == *rule);
        explained.map_or(Ok(()), |explained| self.reasons(explained, out))
    }

    fn finding(&self, finding: &Finding, out: &mut impl Write) -> Result<()> {
        let row = finding.row.as_deref().map(|row| format!(" for {row}")).unwrap_or_default();
        let provisional = if finding.provisional { ", provisional" } else { "" };
        let title = self.text(&finding.title);
        line(
            out,
            &format!("  {}{row}: {title} ({}{provisional})", finding.code, word(&json!(finding.severity))),
        )?;
        let mut detail = |name: &str, text: &str| line(out, &format!("      {name:10} {text}"));
        detail("do", self.text(&finding.action))?;
        if let Some(due) = &finding.due_at {
            detail("by", due)?;
        }
        let to = [&finding.refer_to, &finding.escalate_to]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>();
        if !to.is_empty() {
            detail("to", &to.join(", then "))?;
        }
        detail(
            "disclose",
            if finding.disclose { "may be told to the employer now" } else { "not to the employer" },
        )?;
        for basis in &finding.basis {
            let section = basis.section.as_deref().map(|section| format!(", {section}")).unwrap_or_default();
            let certainty = basis.certainty.as_deref().unwrap_or("not stated");
            detail("law", &format!("{}{section} (certainty {certainty})", basis.law))?;
        }
        // The rule in the row that rests on these very answers.
        let fired =
            |one: &&Explained| one.code.as_ref() == Some(&finding.code) && one.because == finding.because;
        if let Some(rule) = self.explanation.rules.iter().find(fired) {
            detail("rule", &rule.rule)?;
        }
        for evidence in &finding.because {
            detail("because", &format!("{} = {}", evidence.path, plain(&evidence.value)))?;
        }
        for path in &finding.hinges_on {
            detail("hinges on", &format!("{path}, which is not answered"))?;
        }
        if !finding.superseded.is_empty() {
            detail("folds in", &finding.superseded.join(", "))?;
        }
        Ok(())
    }

    fn values(&self, out: &mut impl Write) -> Result<()> {
        let outcome = self.outcome();
        self.heading(out, "calculated", outcome.calculated.len())?;
        for (path, value) in &outcome.calculated {
            line(out, &format!("  {path} = {}", plain(value)))?;
        }
        for (name, score) in &outcome.scores {
            line(out, &format!("  score.{name} = {score}"))?;
        }
        Ok(())
    }

    fn hidden(&self, out: &mut impl Write) -> Result<()> {
        let hidden: Vec<&str> = self.outcome().relevance.keys().map(String::as_str).collect();
        self.heading(out, "not shown", hidden.len())?;
        if hidden.is_empty() { Ok(()) } else { line(out, &format!("  {}", hidden.join(", "))) }
    }

    /// The rules nobody can decide with these answers.
    fn undecided(&self, out: &mut impl Write) -> Result<()> {
        let open: Vec<&Explained> =
            self.explanation.rules.iter().filter(|rule| !rule.unknown.is_empty()).collect();
        self.heading(out, "left open because something is unknown", open.len())?;
        open.into_iter().try_for_each(|rule| self.rule(rule, out))
    }

    fn rule(&self, explained: &Explained, out: &mut impl Write) -> Result<()> {
        let code = explained.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        let result = if explained.result.is_null() { "unknown".to_owned() } else { plain(&explained.result) };
        line(
            out,
            &format!(
                "  {}{code} for {}: {result}{}",
                purpose(explained.purpose),
                shown(&explained.path),
                led_to(explained)
            ),
        )?;
        line(out, &format!("      rule       {}", explained.rule))?;
        self.reasons(explained, out)
    }

    fn reasons(&self, explained: &Explained, out: &mut impl Write) -> Result<()> {
        for evidence in &explained.because {
            line(out, &format!("      because    {} = {}", evidence.path, plain(&evidence.value)))?;
        }
        for unknown in &explained.unknown {
            line(out, &format!("      unknown    {}", why(unknown)))?;
        }
        Ok(())
    }

    fn text<'x>(&self, texts: &'x Texts) -> &'x str {
        texts.get(self.language).or_else(|| texts.get("en")).map_or("", String::as_str)
    }
}

/// What an unknown result does.
fn led_to(explained: &Explained) -> &'static str {
    match explained.purpose {
        _ if !explained.result.is_null() => "",
        RulePurpose::Relevant => ", so it is not shown",
        RulePurpose::Required => ", so it is not required",
        RulePurpose::Constraint => ", so it passes",
        RulePurpose::Calculation => ", so it stays empty",
        RulePurpose::Finding => ", so it is not raised, or only provisionally",
    }
}

fn purpose(purpose: RulePurpose) -> &'static str {
    match purpose {
        RulePurpose::Relevant => "whether to show",
        RulePurpose::Required => "whether to require",
        RulePurpose::Constraint => "check",
        RulePurpose::Calculation => "calculation",
        RulePurpose::Finding => "finding",
    }
}

fn why(unknown: &Unknown) -> String {
    let part = unknown.path.as_deref().unwrap_or(&unknown.part);
    let reason = match &unknown.reason {
        Reason::Unanswered => "is not answered",
        Reason::NotRelevant => "is not shown",
        Reason::NonAnswer(code) => return format!("{part} has no answer: {}", code.replace('_', " ")),
        Reason::NotCalculated => "could not be calculated",
        Reason::NoParameter => "has no value on that day and in that place",
        Reason::NoBaseline => "has no figure for that place and year",
        Reason::NoScore => "has no answered item",
        Reason::NoEarlierVisit => "is not known of an earlier visit",
        Reason::NoFacility => "is not known of the facility",
        Reason::NotSaid => "was not said",
        Reason::NoSuchPart => "does not exist in the answer",
        Reason::NoBoundaries => "cannot be told: no boundaries are known",
        Reason::OfNothing => "has nothing to be worked out of",
        Reason::NotComputable => "cannot be worked out",
        Reason::Written => "is written into the rule",
    };
    format!("{part} {reason}")
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "the form" } else { path }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn word(value: &Value) -> String {
    plain(value).replace('_', " ")
}
