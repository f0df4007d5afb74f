//! Translations: which languages a form has, and from which English each text was made.

use crate::package::Package;
use serde_json::Value;
use std::collections::BTreeSet;

/// The member of `i18n/<lang>.json` that keeps, by key, the English a translation was made from where that is no longer the present one.
pub(crate) const MADE_FROM: &str = "made_from";

/// Languages written from right to left.
const RIGHT_TO_LEFT: &[&str] = &[
    "ar", "bal", "bgn", "bgp", "bcc", "brh", "fa", "haz", "he", "pbt", "pnb", "prs", "ps", "pst", "sd",
    "skr", "ug", "ur", "yi",
];

/// Which way a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From left to right.
    Ltr,
    /// From right to left.
    Rtl,
}

impl Direction {
    /// `ltr` or `rtl`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::Ltr => "ltr",
            Direction::Rtl => "rtl",
        }
    }
}

/// Which way a language is written, by its code.
pub fn direction(code: &str) -> Direction {
    if RIGHT_TO_LEFT.contains(&code) { Direction::Rtl } else { Direction::Ltr }
}

/// The languages a package declares or carries, besides English, in the order of their codes.
pub fn languages(package: &Package) -> Vec<String> {
    let declared = package.definition.pointer("/x-form/languages").and_then(Value::as_array);
    let declared = declared.into_iter().flatten().filter_map(|language| language.get("code")?.as_str());
    let codes: BTreeSet<&str> = declared.chain(package.i18n.keys().map(String::as_str)).collect();
    codes.into_iter().filter(|code| *code != "en").map(str::to_owned).collect()
}
