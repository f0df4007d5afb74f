//! The sheets and their columns: written so, and looked for so. Further columns on `choices` are those of the lists, on `translations` those of the languages.

/// The sheets, in their order.
pub(super) const SHEETS: &[&str] = &[SURVEY, CHOICES, RULES, PARAMETERS, TRANSLATIONS, SETTINGS];

pub(super) const SURVEY: &str = "survey";
pub(super) const CHOICES: &str = "choices";
pub(super) const RULES: &str = "rules";
pub(super) const PARAMETERS: &str = "parameters";
pub(super) const TRANSLATIONS: &str = "translations";
pub(super) const SETTINGS: &str = "settings";

/// Columns of `survey`: their name, and how wide.
pub(super) const SURVEY_COLUMNS: &[(&str, u32)] = &[
    ("name", 24),
    ("in", 14),
    ("type", 16),
    ("list", 14),
    ("label", 48),
    ("hint", 36),
    ("relevant", 30),
    ("required", 20),
    ("calculation", 24),
    ("default", 16),
    ("choice filter", 24),
    ("minimum", 9),
    ("maximum", 9),
    ("shortest", 9),
    ("longest", 9),
    ("fewest", 9),
    ("most", 9),
    ("asked of", 12),
    ("unit", 10),
    ("sensitivity", 12),
    ("purpose", 24),
    ("retention", 24),
    ("hidden because", 24),
    ("goes without it", 24),
    ("locked", 24),
];

/// Columns of `choices` before those of the lists.
pub(super) const CHOICE_COLUMNS: &[(&str, u32)] =
    &[("list", 18), ("code", 18), ("label", 48), ("valid from", 12), ("valid to", 12)];

/// Columns of `rules`.
pub(super) const RULE_COLUMNS: &[(&str, u32)] = &[
    ("kind", 10),
    ("on", 18),
    ("each row", 9),
    ("code", 16),
    ("rule", 60),
    ("level", 12),
    ("message", 48),
    ("action", 36),
    ("law", 36),
    ("section", 18),
    ("certainty", 9),
    ("due", 10),
    ("refer to", 14),
    ("disclose", 9),
];

/// Columns of `parameters`.
pub(super) const PARAMETER_COLUMNS: &[(&str, u32)] = &[
    ("key", 24),
    ("value", 14),
    ("unit", 24),
    ("valid from", 12),
    ("valid to", 12),
    ("area", 12),
    ("source", 60),
    ("certainty", 9),
];

/// Columns of `translations` before those of the languages.
pub(super) const TRANSLATION_COLUMNS: &[(&str, u32)] = &[("key", 30), ("section", 12), ("English", 48)];

/// Columns of `settings`.
pub(super) const SETTING_COLUMNS: &[(&str, u32)] = &[("setting", 30), ("value", 60)];

/// The hidden column with what no other column shows; longer contents go on in `details 2` and so on.
pub(super) const DETAILS: &str = "details";
/// Most hidden columns of one row's details.
pub(super) const MOST_DETAILS: usize = 12;
/// Longest part of the details in one cell, in characters: a cell holds 32 767.
pub(super) const LONGEST_DETAILS: usize = 30_000;

/// The hidden column with the English of `translations` as it was written.
pub(super) const ENGLISH_WAS: &str = "English was";
/// The hidden columns beside a language: the text as it was written, and the English it was made from.
pub(super) const WAS: &str = " was";
pub(super) const MADE_FROM: &str = " made from";

/// How the workbook is written; read by those that know it.
pub(super) const EDITION: &str = "1";
