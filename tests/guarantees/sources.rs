//! Reads Rust sources just far enough to see which paths they name: `use` trees are spread out, `super` is resolved,
//! comments, strings and test modules are left aside.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: where it lies under the source folder, and every path of two or more segments it names.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) paths: Vec<Vec<String>>,
}

impl Source {
    /// Reads every `.rs` file under `folder`.
    pub(crate) fn all_in(folder: &Path) -> Vec<Source> {
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.sort();
        assert!(!files.is_empty(), "no sources in {}", folder.display());
        files.iter().map(|file| Source::read(folder, file)).collect()
    }

    fn read(folder: &Path, path: &Path) -> Source {
        let text = fs::read_to_string(path).expect("a listed file can be read");
        let file = path.strip_prefix(folder).expect("listed under the folder").to_string_lossy().into_owned();
        let module = module_of(&file);
        let mut paths: Vec<Vec<String>> =
            paths_in(&code_of(&text)).into_iter().map(|path| resolve(&module, path)).collect();
        // After `use crate::cel;` the name `cel` means our own module, not the crate.
        let own: Vec<String> =
            paths.iter().filter(|path| path[0] == "crate").filter_map(|path| path.last().cloned()).collect();
        paths.retain(|path| !own.contains(&path[0]));
        Source { file, paths }
    }

    /// The first folder or file name: `submissions`, `app.rs`.
    pub(crate) fn top(&self) -> &str {
        self.file.split('/').next().unwrap_or_default()
    }

    /// The file's own name.
    pub(crate) fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it names anything of this crate.
    pub(crate) fn uses(&self, krate: &str) -> bool {
        self.paths.iter().any(|path| path[0] == krate)
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            _ if is_test(&path) => {}
            true => collect(&path, files),
            false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            false => {}
        }
    }
}

/// Modules that exist for tests alone: `tests.rs`, `tests/`, `testing.rs`.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "tests" || name == "testing")
}

fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The code without comments, strings, and the test module at the end.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let mut in_string = false;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' if in_string => drop(characters.next()),
                '"' => in_string = !in_string,
                '/' if !in_string && characters.peek() == Some(&'/') => break,
                _ if in_string => {}
                other => code.push(other),
            }
        }
        code.push('\n');
    }
    code
}

/// Every path with `::` in it; `a::{b, c::d}` counts as `a::b` and `a::c::d`.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = is_word(&tokens[at]) && tokens.get(at + 1).is_some_and(|next| next == "::");
        match begins {
            true => at = spread(&tokens, at, &[], &mut paths),
            false if tokens[at] == "use" => {
                // `use diesel;` names a crate without a path behind it.
                if tokens.get(at + 2).is_some_and(|next| next == ";") {
                    paths.push(vec![tokens[at + 1].clone()]);
                }
                at += 1;
            }
            false => at += 1,
        }
    }
    paths
}

/// Reads one path, or one branch of a tree, from `at` and returns where it ends.
fn spread(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() {
        if tokens[at] == "{" && tokens[at - 1] == "::" {
            at += 1;
            while at < tokens.len() && tokens[at] != "}" {
                at = match is_word(&tokens[at]) {
                    true => spread(tokens, at, &path, paths),
                    false => at + 1,
                };
            }
            return at + 1;
        }
        if !is_word(&tokens[at]) {
            break;
        }
        path.push(tokens[at].clone());
        at += 1;
        match tokens.get(at).map(String::as_str) {
            Some("::") => at += 1,
            // `App as Actix`: the path ends, the new name is none.
            Some("as") => {
                at += 2;
                break;
            }
            _ => break,
        }
    }
    paths.push(path);
    at
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() || character == '_' {
            let mut word = String::from(character);
            while let Some(next) = characters.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            tokens.push(word);
        } else if character == ':' && characters.next_if_eq(&':').is_some() {
            tokens.push("::".to_owned());
        } else if !character.is_whitespace() {
            tokens.push(character.to_string());
        }
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// `super::x` in `submissions/ingest.rs` is `crate::submissions::x`.
fn resolve(module: &[String], path: Vec<String>) -> Vec<String> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    if ups == 0 {
        return path;
    }
    let kept = &module[..module.len().saturating_sub(ups)];
    [&["crate".to_owned()], kept, &path[ups..]].concat()
}

#[test]
fn paths_are_seen_through_trees_and_comments() {
    let code = code_of(
        "use crate::{audit::{self, Event}, db::Tx};\n// use diesel::x;\nlet a = \"geo::y\";\nfoo(s3::Bucket::new());\n\
         #[cfg(test)]\nmod tests { use std::fs::read; }",
    );

    let paths: Vec<String> = paths_in(&code).iter().map(|path| path.join("::")).collect();

    assert_eq!(paths, ["crate::audit::self", "crate::audit::Event", "crate::db::Tx", "s3::Bucket::new"]);
}

#[test]
fn super_is_resolved_from_the_file_it_stands_in() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();

    let beside = resolve(&module_of("media/embedded/store.rs"), path("super::super::model"));
    let above = resolve(&module_of("media/mod.rs"), path("super::forms::store"));

    assert_eq!(beside.join("::"), "crate::media::model");
    assert_eq!(above.join("::"), "crate::forms::store");
}
