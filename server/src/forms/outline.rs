//! The outline of a form: its sections, repeats and questions by name, with their labels, for those who speak about answers
//! without judging them: a reviewer's comment on a question, the difference between two revisions.

use std::collections::{BTreeMap, HashMap};

use form_engine::Package;
use serde_json::{Map, Value};

/// Everything a form asks, by name. Names are unique in a form, wherever they stand.
pub struct Outline {
    parts: HashMap<String, Part>,
}

/// A section, a repeat or a question.
pub struct Part {
    /// Its name.
    pub name: String,
    /// What people read, by language.
    pub label: BTreeMap<String, String>,
    /// What it is.
    pub sort: Sort,
    /// The section it stands in; none: it is one, or stands at the root.
    pub section: Option<String>,
    /// The repeats it stands in, outermost first.
    pub within: Vec<String>,
    /// Its place in the order of asking.
    pub place: usize,
}

/// What stands in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A part of the form.
    Section,
    /// Rows, told apart by the answer to `key`, if one is named.
    Repeat {
        /// The question whose answer identifies a row.
        key: Option<String>,
    },
    /// A question that people answer.
    Question,
    /// A question that the rules answer.
    Calculated,
}

/// One step of a path: `children[0]`.
struct Step<'p> {
    name: &'p str,
    index: Option<usize>,
}

impl Outline {
    /// The outline of a questionnaire.
    pub fn of(package: &Package) -> Outline {
        let mut reader = Reader { package, parts: HashMap::new() };
        reader.read(package.definition.get("properties"), None, &[]);
        Outline { parts: reader.parts }
    }

    /// Every part, in the order of asking.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        let mut parts: Vec<&Part> = self.parts.values().collect();
        parts.sort_by_key(|part| part.place);
        parts.into_iter()
    }

    /// The part of this name.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.get(name)
    }

    /// What a path leads to: a section, a question (`departure_time`), a repeat (`children`), a row (`children[0]`), or a
    /// question of a row (`children[0].age_years`). None: the form has nothing there. Whether there is such a row, the answers
    /// say.
    pub fn find(&self, path: &str) -> Option<&Part> {
        let steps = steps(path)?;
        let (last, above) = steps.split_last()?;
        let part = self.part(last.name)?;
        let rows_may = matches!(part.sort, Sort::Repeat { .. }) || last.index.is_none();
        let stands_there = part.within.iter().map(String::as_str).eq(above.iter().map(|step| step.name));
        (rows_may && stands_there && above.iter().all(|step| step.index.is_some())).then_some(part)
    }

    /// The value at a path of normalised answers (nested by section).
    pub fn value<'a>(&self, answers: &'a Value, path: &str) -> Option<&'a Value> {
        if matches!(self.find(path)?.sort, Sort::Section) {
            return answers.get(path);
        }
        let steps = steps(path)?;
        let section = self.part(steps.first()?.name)?.section.as_deref();
        let root = section.map_or(Some(answers), |section| answers.get(section))?;
        steps.iter().try_fold(root, |at, step| {
            let at = at.get(step.name)?;
            step.index.map_or(Some(at), |index| at.get(index))
        })
    }
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    path.split('.')
        .map(|step| match step.split_once('[') {
            None => Some(Step { name: step, index: None }),
            Some((name, index)) => {
                let digits = index.strip_suffix(']')?;
                let index: usize = digits.parse().ok()?;
                // A row has one path: `02` and `+2` are not 2.
                (index.to_string() == digits).then_some(Step { name, index: Some(index) })
            }
        })
        .collect()
}

struct Reader<'p> {
    package: &'p Package,
    parts: HashMap<String, Part>,
}

impl Reader<'_> {
    fn read(&mut self, properties: Option<&Value>, section: Option<&str>, within: &[String]) {
        for (name, fields) in properties.and_then(Value::as_object).into_iter().flatten() {
            let Some(fields) = fields.as_object() else { continue };
            let rows = fields.get("items").and_then(|items| items.get("properties"));
            // A calculated map has no properties; a geopoint is a $ref.
            let inside = fields.get("properties");
            let sort = match (rows, inside) {
                (Some(_), _) => Sort::Repeat { key: text(fields, "x-key") },
                (None, Some(_)) if within.is_empty() && section.is_none() => Sort::Section,
                _ if fields.contains_key("x-calculate") => Sort::Calculated,
                _ => Sort::Question,
            };
            self.note(name, fields, sort.clone(), section, within);
            match sort {
                Sort::Section => self.read(inside, Some(name), within),
                Sort::Repeat { .. } => {
                    self.read(rows, section, &[within, std::slice::from_ref(name)].concat())
                }
                Sort::Question | Sort::Calculated => {}
            }
        }
    }

    fn note(
        &mut self,
        name: &str,
        fields: &Map<String, Value>,
        sort: Sort,
        section: Option<&str>,
        within: &[String],
    ) {
        let part = Part {
            name: name.to_owned(),
            label: self.label(name, text(fields, "title")),
            sort,
            section: section.map(str::to_owned),
            within: within.to_vec(),
            place: self.parts.len(),
        };
        self.parts.insert(name.to_owned(), part);
    }

    fn label(&self, name: &str, title: Option<String>) -> BTreeMap<String, String> {
        let translated = self.package.i18n.iter().filter_map(|(language, texts)| {
            Some((language.clone(), texts.get("labels")?.get(name)?.as_str()?.to_owned()))
        });
        translated.chain(title.map(|title| ("en".to_owned(), title))).collect()
    }
}

fn text(fields: &Map<String, Value>, keyword: &str) -> Option<String> {
    fields.get(keyword)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outline() -> Outline {
        let definition = json!({
            "x-form": { "form": "f", "version": 1 },
            "properties": {
                "b1": { "title": "Visit", "properties": {
                    "departure_time": { "type": "string", "title": "Left at" },
                    "minutes": { "type": "integer", "x-calculate": "1 + 1" }
                } },
                "b5": { "title": "Children", "properties": {
                    "children": { "type": "array", "x-key": "code", "items": { "properties": {
                        "code": { "type": "string" }, "age_years": { "type": "integer", "title": "Age" }
                    } } }
                } }
            }
        });
        let i18n = json!({ "ur": { "labels": { "age_years": "عمر" } } });
        let i18n = i18n.as_object().cloned().unwrap_or_default();
        Outline::of(&Package::assemble(definition, i18n, &[], &[]))
    }

    #[test]
    fn a_path_leads_to_what_the_form_has_there() {
        let outline = outline();
        let name = |path: &str| outline.find(path).map(|part| part.name.as_str());

        assert_eq!(name("b1"), Some("b1"));
        assert_eq!(name("departure_time"), Some("departure_time"));
        assert_eq!(name("children"), Some("children"));
        assert_eq!(name("children[3]"), Some("children"));
        assert_eq!(name("children[3].age_years"), Some("age_years"));
        for nowhere in [
            "",
            "nothing",
            "age_years",
            "children.age_years",
            "children[x].age_years",
            "children[01]",
            "b1[0]",
            "b1.minutes",
        ] {
            assert_eq!(name(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn parts_know_their_labels_their_section_and_who_answers_them() {
        let outline = outline();
        let age = outline.part("age_years").unwrap();

        assert_eq!(age.label["en"], "Age");
        assert_eq!(age.label["ur"], "عمر");
        assert_eq!(
            (age.section.as_deref(), age.within.as_slice()),
            (Some("b5"), &["children".to_owned()][..])
        );
        assert_eq!(outline.part("minutes").unwrap().sort, Sort::Calculated);
        assert_eq!(outline.part("children").unwrap().sort, Sort::Repeat { key: Some("code".into()) });
    }

    #[test]
    fn values_are_found_where_normalised_answers_have_them() {
        let answers =
            json!({ "b1": { "departure_time": "12:40" }, "b5": { "children": [{ "age_years": 12 }] } });

        let value = |path: &str| outline().value(&answers, path).cloned();

        assert_eq!(value("departure_time"), Some(json!("12:40")));
        assert_eq!(value("children[0].age_years"), Some(json!(12)));
        assert_eq!(value("children[1].age_years"), None);
        assert_eq!(value("b1"), Some(json!({ "departure_time": "12:40" })));
    }
}
