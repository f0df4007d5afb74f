//! Inspections to file: the committed sample cases, put into envelopes as a phone does, and altered where a test's
//! story differs. `samples::b2().with("children[0].age_years", 12)` reads as it is.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::folders::workspace;
use crate::photos::{self, Photo};

const FORM: &str = "child-labour-inspection";

/// A submission about to be filed: its id, its envelope, the files it names, and what its case expects.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The id the phone gave it.
    pub id: Uuid,
    /// What is sent.
    pub envelope: Value,
    /// The files named in the envelope's media list.
    pub photos: Vec<Photo>,
    /// The `expect` of the case it was made from.
    pub expected: Value,
}

/// A clean inspection of a registered shop in Quetta: valid, no findings.
pub fn b1() -> Submission {
    sample("b1")
}

/// A coal mine near Duki with a 13-year-old underground: valid, many findings, some not to be disclosed.
pub fn b2() -> Submission {
    sample("b2")
}

/// A workshop in Quetta with a child of contradictory ages: valid, findings, no photo.
pub fn b3() -> Submission {
    sample("b3")
}

/// The case of the child-labour inspection whose file is called `name` or begins with `name-`.
///
/// # Panics
/// When there is no such case: the repository is incomplete.
pub fn sample(name: &str) -> Submission {
    Submission::of(FORM, &case(FORM, name))
}

/// The case of another questionnaire whose file is called `name` or begins with `name-`.
///
/// # Panics
/// When there is no such case: the repository is incomplete.
pub fn sample_of(form: &str, name: &str) -> Submission {
    Submission::of(form, &case(form, name))
}

/// Every case of the child-labour inspection, by name. Cases that rest on an earlier visit, on boundaries being unknown
/// or on other boundaries than the real ones are left to the engine's own tests: an envelope cannot say any of that.
pub fn all() -> Vec<(String, Submission)> {
    let in_an_envelope = |case: &Value| {
        let context = &case["context"];
        let where_it_lies =
            context["inside"].as_array().is_some_and(|inside| inside.contains(&context["district"]));
        context.get("prev").is_none() && context.get("facility").is_none() && where_it_lies
    };
    let cases = cases(FORM).into_iter().filter(|(_, case)| in_an_envelope(case));
    cases.map(|(name, case)| (name, Submission::of(FORM, &case))).collect()
}

fn case(form: &str, name: &str) -> Value {
    let mut named = cases(form);
    named.retain(|(stem, _)| {
        stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    named.into_iter().next().unwrap_or_else(|| panic!("{form} has no case {name}")).1
}

fn cases(form: &str) -> Vec<(String, Value)> {
    let folder = workspace().join("form-definitions").join(form).join("cases");
    let files = fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let paths = files
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"));
    let mut cases: Vec<_> = paths
        .map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), read(&path)))
        .collect();
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    cases
}

fn read(path: &Path) -> Value {
    let text = fs::read(path).expect("a listed file can be read");
    serde_json::from_slice(&text).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

impl Submission {
    /// Puts a case's answers into an envelope.
    fn of(form: &str, case: &Value) -> Submission {
        let context = &case["context"];
        let finished_at = &context["finished_at"];
        let mut submission = Submission {
            id: Uuid::new_v4(),
            envelope: json!({
                "form": form,
                "version": 1,
                "facility": null,
                "started_at": context.get("started_at").unwrap_or(finished_at),
                "finished_at": finished_at,
                // Sent at the instant at which every story begins: the phone's clock is right.
                "device": { "id": "phone-1", "app": "nigran-android/1.0", "clock": "2026-11-20T17:00:00+05:00" },
                "answers": case["answers"],
                "media": [],
            }),
            photos: Vec::new(),
            expected: case["expect"].clone(),
        };
        if let Some(non_answers) = case.get("non_answers") {
            submission.envelope["non_answers"] = non_answers.clone();
        }
        submission.fix_where_the_answers_say();
        for name in media_names(&case["answers"]) {
            let photo = file_called(&name, &format!("{name} of {}", submission.id));
            submission = submission.with_photo(photo);
        }
        submission
    }

    fn fix_where_the_answers_say(&mut self) {
        let gps =
            self.answer("gps").cloned().unwrap_or(json!({ "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9 }));
        self.envelope["location"] = json!({
            "lat": gps["lat"], "lon": gps["lon"], "accuracy_m": gps["accuracy_m"], "altitude_m": 1680.0,
            "fixed_at": self.envelope["finished_at"], "provider": "gps", "mocked": false,
        });
    }

    /// The answer at `path`, where it stands.
    pub fn answer(&self, path: &str) -> Option<&Value> {
        self.envelope["answers"].pointer(&pointer(&self.envelope["answers"], path))
    }

    /// With another answer at `path`: `departure_time`, `children[0].age_years`.
    pub fn with(mut self, path: &str, answer: impl Into<Value>) -> Submission {
        let at = pointer(&self.envelope["answers"], path);
        let (parent, name) = at.rsplit_once('/').expect("a pointer begins with a slash");
        let parent = self.envelope["answers"].pointer_mut(parent);
        match parent {
            Some(Value::Array(rows)) => {
                rows[name.parse::<usize>().expect("rows are numbered")] = answer.into()
            }
            Some(parent) => parent[name] = answer.into(),
            None => panic!("there is no place for {path} in the answers"),
        }
        self
    }

    /// Without the answer at `path`.
    pub fn without(mut self, path: &str) -> Submission {
        let at = pointer(&self.envelope["answers"], path);
        let (parent, name) = at.rsplit_once('/').expect("a pointer begins with a slash");
        if let Some(Value::Object(parent)) = self.envelope["answers"].pointer_mut(parent) {
            parent.shift_remove(name);
        }
        self
    }

    /// With another value beside the answers: `at("location/lat", 95)`.
    pub fn at(mut self, path: &str, value: impl Into<Value>) -> Submission {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if parent.is_empty() { String::new() } else { format!("/{parent}") };
        self.envelope.pointer_mut(&parent).expect("the envelope has that part")[name] = value.into();
        self
    }

    /// With a fix at this point, in the envelope and in the answers.
    pub fn fixed_at(self, lat: f64, lon: f64, accuracy_m: f64) -> Submission {
        self.with("gps", json!({ "lat": lat, "lon": lon, "accuracy_m": accuracy_m }))
            .at("location/lat", lat)
            .at("location/lon", lon)
            .at("location/accuracy_m", accuracy_m)
    }

    /// With this file in the media list, in place of one of the same name.
    pub fn with_photo(mut self, photo: Photo) -> Submission {
        let entry = json!({
            "name": photo.name, "sha256": photo.sha256(), "size": photo.bytes.len(), "type": photo.content_type,
        });
        let media = self.envelope["media"].as_array_mut().expect("the media list is a list");
        media.retain(|other| other["name"] != photo.name.as_str());
        media.push(entry);
        self.photos.retain(|other| other.name != photo.name);
        self.photos.push(photo);
        self
    }

    /// Without any files: what an inspection looks like that answers nothing with a photo.
    pub fn without_photos(mut self) -> Submission {
        self.envelope["media"] = json!([]);
        self.photos.clear();
        self
    }

    /// The same content under another id.
    pub fn again(mut self) -> Submission {
        self.id = Uuid::new_v4();
        self
    }

    /// The envelope as it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.envelope).expect("JSON can be written")
    }
}

/// A file of the kind its name promises.
fn file_called(name: &str, mark: &str) -> Photo {
    match name.rsplit('.').next() {
        Some("png") => photos::png(name, mark),
        Some("webp") => photos::webp(name, mark),
        Some("pdf") => photos::pdf(name, mark),
        _ => photos::jpeg(name, mark),
    }
}

/// Where `path` stands: at the root, in the section that has it, or (new answers) at the root.
fn pointer(answers: &Value, path: &str) -> String {
    let steps = path.replace(['[', '.'], "/").replace(']', "");
    let first = steps.split('/').next().unwrap_or_default();
    let sections = answers.as_object().into_iter().flatten();
    let section = sections
        .filter(|(name, _)| name.as_str() != first)
        .find(|(_, section)| section.as_object().is_some_and(|section| section.contains_key(first)));
    match section {
        Some((section, _)) if answers.get(first).is_none() => format!("/{section}/{steps}"),
        _ => format!("/{steps}"),
    }
}

/// The names behind `{media: …}` anywhere in the answers, each once.
fn media_names(answers: &Value) -> Vec<String> {
    fn walk(value: &Value, names: &mut Map<String, Value>) {
        match value {
            Value::Object(members) => {
                if let Some(name) = members.get("media").and_then(Value::as_str) {
                    names.insert(name.to_owned(), Value::Null);
                }
                members.values().for_each(|member| walk(member, names));
            }
            Value::Array(rows) => rows.iter().for_each(|row| walk(row, names)),
            _ => {}
        }
    }
    let mut names = Map::new();
    walk(answers, &mut names);
    names.into_iter().map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection() -> Submission {
        let case = json!({
            "context": { "finished_at": "2026-11-18T12:40:00+05:00" },
            "answers": {
                "b1": { "gps": { "lat": 30.2, "lon": 67.0, "accuracy_m": 9 }, "departure_time": "12:40" },
                "b5": { "children": [{ "age_years": 13 }] },
                "b2": { "exterior_photo": { "media": "ph-1.jpg" } },
            },
            "expect": { "verdict": "valid" },
        });
        Submission::of("some-form", &case)
    }

    #[test]
    fn answers_are_changed_where_they_stand() {
        let changed =
            inspection().with("departure_time", "09:00").with("children[0].age_years", 12).with("new", 1);

        let answers = &changed.envelope["answers"];
        assert_eq!(answers["b1"]["departure_time"], "09:00");
        assert_eq!(answers["b5"]["children"][0]["age_years"], 12);
        assert_eq!(answers["new"], 1);
    }

    #[test]
    fn answers_can_be_taken_out() {
        let changed = inspection().without("departure_time");

        assert_eq!(changed.answer("departure_time"), None);
        assert_eq!(changed.answer("gps.lat"), Some(&json!(30.2)));
    }

    #[test]
    fn every_file_the_answers_name_is_in_the_media_list() {
        let filed = inspection();

        assert_eq!(filed.envelope["media"][0]["name"], "ph-1.jpg");
        assert_eq!(filed.envelope["media"][0]["sha256"], filed.photos[0].sha256());
        assert_eq!(filed.envelope["location"]["lat"], 30.2);
    }
}
