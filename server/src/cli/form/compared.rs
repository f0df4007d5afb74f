//! `nigran form compare`: what changed, in sentences.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use form_engine::{Comparison, FormChange, Grade, Package, compare};
use serde_json::{Value, json};

use super::files::{self, Gathered};
use super::{Beside, Ended, Questionnaire, check, line, marked};
use crate::error::Result;

#[derive(Args)]
pub(in crate::cli) struct Compare {
    /// The older version: a form folder, its form.json, or a saved release.
    pub(super) old: PathBuf,
    /// The newer version.
    pub(super) new: PathBuf,
    /// The language of the sentences: en or ur.
    #[arg(long, default_value = "en")]
    pub(super) language: String,
    /// Answer in JSON, for tools.
    #[arg(long)]
    pub(super) json: bool,
}

impl Compare {
    pub(super) fn run(self, out: &mut impl Write) -> Result<Ended> {
        let (Some(old), Some(new)) = (package(&self.old, out)?, package(&self.new, out)?) else {
            return Ok(Ended::Refused);
        };
        let comparison = compare(&old, &new);
        match self.json {
            true => line(out, &format!("{:#}", json!(comparison)))?,
            false => self.tell(&old, &new, &comparison, out)?,
        }
        Ok(Ended::Well)
    }

    fn tell(
        &self,
        old: &Package,
        new: &Package,
        comparison: &Comparison,
        out: &mut impl Write,
    ) -> Result<()> {
        line(out, &format!("{} {} → {} {}", old.form, old.version, new.form, new.version))?;
        for (section, changes) in comparison.by_section() {
            let title = section.title.get(&self.language).or_else(|| section.title.get("en"));
            let title = title.map_or("", String::as_str);
            let code = section.section.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            line(out, "")?;
            line(out, &format!("{title}{code}: {}", word(section.grade)))?;
            changes.iter().try_for_each(|change| self.change(change, out))?;
        }
        line(out, "")?;
        let changes = check::count(comparison.changes.len(), "change");
        line(out, &format!("{changes}; {}", meaning(comparison.grade)))
    }

    fn change(&self, change: &FormChange, out: &mut impl Write) -> Result<()> {
        let sentence = change.sentence.get(&self.language).or_else(|| change.sentence.get("en"));
        let grade = word(change.grade);
        line(out, &format!("  {grade:15}  {}", sentence.map_or("", String::as_str)))?;
        let (before, after) = (&change.before, &change.after);
        for (value, other, name) in [(before, after, "before"), (after, before, "now")] {
            for text in shown(value.as_ref(), other.as_ref()) {
                line(out, &format!("  {:15}    {name:6}  {text}", ""))?;
            }
        }
        for (words, name) in [(&change.before_in_words, "before"), (&change.after_in_words, "now")] {
            let words =
                words.as_ref().and_then(|words| words.get(&self.language).or_else(|| words.get("en")));
            if let Some(words) = words {
                line(out, &format!("  {:15}    {name:6}  = {words}", ""))?;
            }
        }
        Ok(())
    }
}

/// What is short already stands in the sentence; rules and texts are shown whole, and of several parts those that differ.
fn shown(value: Option<&Value>, other: Option<&Value>) -> Vec<String> {
    match (value, other) {
        (Some(Value::String(text)), _) => vec![text.clone()],
        (Some(Value::Object(parts)), Some(Value::Object(others))) => {
            let differing = parts.iter().filter(|(part, value)| others.get(*part) != Some(value));
            differing.filter_map(|(part, value)| Some(format!("{part}: {}", value.as_str()?))).collect()
        }
        _ => Vec::new(),
    }
}

fn package(file: &std::path::Path, out: &mut impl Write) -> Result<Option<Package>> {
    let questionnaire = Questionnaire { file: file.to_path_buf(), beside: Beside::default() };
    let Gathered { package, problems } = files::gather(&questionnaire)?;
    problems.iter().try_for_each(|problem| marked::write(out, problem))?;
    Ok(package)
}

/// The grade as it is written everywhere.
pub(super) fn word(grade: Grade) -> String {
    json!(grade).as_str().unwrap_or_default().replace('_', " ")
}

fn meaning(grade: Grade) -> String {
    let meaning = match grade {
        Grade::Identical => "nothing differs but, perhaps, the number",
        Grade::Labels => "only what people read, or the order of asking",
        Grade::Compatible => "older answers fit as they are, but may be judged differently",
        Grade::NeedsMigration => "older answers fit only after something is filled in, moved or converted",
        Grade::Breaking => "older answers lose their place or their meaning",
    };
    format!("{}: {meaning}", word(grade))
}
