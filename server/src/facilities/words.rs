//! The words a facility is found by: those of every name it has, as they are written and (marked by `~`) as they sound, and
//! those of the facilities merged into it. A word is also kept by its trigrams, once for all facilities, so that one that is
//! misspelt is still found.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::model::{Facility, FacilityId, TrigramRow, WordRow};
use super::names::{Name, sound};
use super::store;
use crate::db::{DbConn, Tx};
use crate::error::Result;

/// Longer words are cut: nobody types them.
const LONGEST: usize = 40;

/// The words of all names.
pub(super) fn of(facts: &Facts) -> BTreeSet<String> {
    let words = facts.names().flat_map(|name| Name::of(name).words);
    words.flat_map(|word| [sounded(&word), Some(cut(word))]).flatten().collect()
}

fn cut(word: String) -> String {
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => word[..end].to_owned(),
        None => word,
    }
}

/// How a word sounds, as it stands in the index. A single consonant says too little.
pub(super) fn sounded(word: &str) -> Option<String> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let sound = if is_number { String::new() } else { cut(sound(word)) };
    (sound.len() >= 2).then(|| format!("~{sound}"))
}

/// Whether this is how a word sounds.
pub(super) fn is_sound(word: &str) -> bool {
    word.starts_with('~')
}

/// The trigrams of a word with its beginning and end; numbers and sounds have none.
pub(super) fn trigrams(word: &str) -> BTreeSet<String> {
    let has_letters = word.chars().any(char::is_alphabetic);
    if is_sound(word) || !has_letters || word.chars().count() < 3 {
        return BTreeSet::new();
    }
    let letters: Vec<char> = std::iter::once('_').chain(word.chars()).chain(std::iter::once('_')).collect();
    letters.windows(3).map(|three| three.iter().collect()).collect()
}

/// Brings the index up to date with a facility, which is not itself merged, and with what was merged into it.
pub(super) fn index(tx: &mut Tx, row: &Facility) -> Result<()> {
    let mut words = of(&row.facts()?);
    for absorbed in store::absorbed(tx.conn, &row.id)? {
        words.extend(of(&absorbed.facts()?));
        store::set_words(tx.conn, &absorbed.id, &[])?;
    }
    store::set_words(tx.conn, &row.id, &rows(&row.id, &words))?;
    spell(tx.conn, words.iter().map(String::as_str))
}

/// The rows of a facility's words.
pub(super) fn rows(id: &FacilityId, words: &BTreeSet<String>) -> Vec<WordRow> {
    words.iter().map(|word| WordRow { word: word.clone(), facility_id: id.clone() }).collect()
}

/// Keeps the trigrams of words that are new.
pub(super) fn spell<'w>(conn: &mut DbConn, words: impl Iterator<Item = &'w str>) -> Result<()> {
    for word in words {
        let trigrams = trigrams(word);
        let Some(first) = trigrams.first() else { continue };
        if store::is_spelt(conn, first, word)? {
            continue;
        }
        let row = |trigram: &String| TrigramRow { trigram: trigram.clone(), word: word.to_owned() };
        store::add_trigrams(conn, &trigrams.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_as_written_and_as_they_sound() {
        let facts =
            Facts::read(&serde_json::json!({ "kind": "brick_kiln", "name_en": "Haji Karim Brick Kiln 7" }));

        let words: Vec<String> = of(&facts.unwrap()).into_iter().collect();

        assert_eq!(words, ["7", "haji", "karim", "~krm"]);
    }

    #[test]
    fn a_word_is_its_trigrams() {
        assert_eq!(trigrams("kar").into_iter().collect::<Vec<_>>(), ["_ka", "ar_", "kar"]);
        assert!(trigrams("42").is_empty() && trigrams("~krm").is_empty() && trigrams("ab").is_empty());
    }
}
