//! Names as they are compared: in both scripts, whatever keyboard they were typed on. Kinds of places (`brick kiln`, بھٹہ) say
//! nothing of which one is meant and are left aside; across scripts two names are compared by how they sound, by their
//! consonants only.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Words that name a kind of place, a legal form, or nothing at all.
const GENERIC: &str = "the al and of a m s ms mr messrs no number nos new old bhatta bhata bhatha bhattah brick bricks kiln kilns \
    bkk bk khisht mine mines coal colliery quarry crusher factory mill mills works workshop work shop store stores general hotel \
    restaurant dhaba tea farm garden orchard garage auto autos service station company co pvt private limited ltd enterprises \
    enterprise traders industries industry orphanage orphan shelter home homes house children childrens child madrasa madrassa \
    madrassah hostel centre center trust foundation welfare rehabilitation yateem khana \
    بھٹہ بھٹا بھٹے خشت اینٹ اینٹوں کا کی کے و نمبر کان کانکنی کوئلہ کوئلے فیکٹری کارخانہ مل ملز دکان دوکان ورکشاپ ہوٹل ریسٹورنٹ باغ فارم گیراج \
    کمپنی لمیٹڈ پرائیویٹ یتیم خانہ مدرسہ پناہ گاہ ہاسٹل ادارہ مرکز گھر بچوں ٹرسٹ فاؤنڈیشن ویلفیئر برکس برک اسٹور سٹور جنرل نیو";

static GENERIC_WORDS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| GENERIC.split_whitespace().map(plain).filter(|word| !word.is_empty()).collect());

/// Text reduced to what two keyboards agree on: lower case; no marks; one letter for each of Urdu's yehs, kafs and hehs; digits
/// in ASCII; whatever is neither letter nor digit a single space.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_mark(*letter)).flat_map(char::to_lowercase) {
        match alike(letter) {
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ if plain.is_empty() || plain.ends_with(' ') => {}
            _ => plain.push(' '),
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Marks, the stretching line and the invisible joiners: they change how a word looks, not which word it is. An apostrophe
/// too: `children's`.
fn is_mark(letter: char) -> bool {
    is_combining_mark(letter)
        || matches!(letter, '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{61c}' | '\u{feff}' | '\'' | '’' | '`')
}

fn alike(letter: char) -> char {
    match letter {
        'ي' | 'ى' | 'ے' | 'ۍ' | 'ې' | 'ۓ' => 'ی',
        'ك' | 'ڪ' => 'ک',
        'ه' | 'ة' | 'ۃ' | 'ھ' | 'ۀ' | 'ۂ' | 'ە' => 'ہ',
        'ں' => 'ن',
        '\u{660}'..='\u{669}' => ascii_digit(letter, 0x660),
        '\u{6f0}'..='\u{6f9}' => ascii_digit(letter, 0x6f0),
        other => other,
    }
}

fn ascii_digit(digit: char, zero: u32) -> char {
    char::from_digit(digit as u32 - zero, 10).unwrap_or(digit)
}

/// The consonants of a word as an ear would tell them apart over a bad telephone line, the same letters for both scripts.
pub(super) fn sound(word: &str) -> String {
    let word = word.strip_prefix("ال").filter(|rest| rest.chars().count() > 2).unwrap_or(word);
    let mut sound = String::new();
    let mut before = ' ';
    for letter in word.chars() {
        let heard = match letter {
            'b' | 'p' | 'ب' | 'پ' => 'b',
            't' | 'd' | 'ت' | 'ط' | 'ٹ' | 'د' | 'ڈ' => 't',
            's' | 'z' | 'ث' | 'س' | 'ص' | 'ز' | 'ذ' | 'ض' | 'ظ' | 'ژ' | 'ش' => 's',
            'c' | 'k' | 'q' | 'g' | 'x' | 'ک' | 'ق' | 'گ' | 'خ' | 'غ' => 'k',
            'چ' | 'j' | 'ج' => 'j',
            'r' | 'ر' | 'ڑ' => 'r',
            'l' | 'ل' => 'l',
            'm' | 'م' => 'm',
            'n' | 'ن' => 'n',
            'f' | 'ف' => 'f',
            // `ch` is one sound, چ.
            'h' if before == 'c' => {
                sound.pop();
                'j'
            }
            digit if digit.is_ascii_digit() => digit,
            // Vowels, h, w, v, y and their letters: written or not, as one likes.
            _ => ' ',
        };
        if heard != ' ' && !(sound.ends_with(heard) && before == letter) {
            sound.push(heard);
        }
        before = letter;
    }
    sound
}

/// A name made ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The words that say which place is meant, and numbers.
    pub(super) words: Vec<String>,
    sorted: String,
    sound: String,
    numbers: BTreeSet<String>,
    is_urdu: bool,
}

impl Name {
    pub(super) fn of(text: &str) -> Name {
        let plain = plain(text);
        let telling = |word: &&str| !GENERIC_WORDS.contains(*word);
        let words: Vec<String> =
            plain.split(' ').filter(|word| !word.is_empty()).filter(telling).map(str::to_owned).collect();
        let is_number = |word: &&String| word.bytes().all(|byte| byte.is_ascii_digit());
        let mut sorted: Vec<&str> = words.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        Name {
            sorted: sorted.join(" "),
            sound: words.iter().filter(|word| !is_number(word)).map(|word| sound(word)).collect(),
            numbers: words
                .iter()
                .filter(is_number)
                .map(|number| number.trim_start_matches('0').to_owned())
                .collect(),
            is_urdu: plain.chars().any(|letter| ('\u{600}'..='\u{6ff}').contains(&letter)),
            words,
        }
    }

    /// Every word of a name, those of kinds too: for a question that has no others.
    pub(super) fn all_words(text: &str) -> Vec<String> {
        plain(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// Whether it says nothing of which place is meant: `Brick kiln`.
    pub(super) fn is_generic(&self) -> bool {
        self.words.is_empty()
    }

    /// How alike two names are, from 0 to 1.
    pub(super) fn likeness(&self, other: &Name) -> f64 {
        match (self.is_generic(), other.is_generic()) {
            (true, true) => return 0.5,
            (true, false) | (false, true) => return 0.3,
            (false, false) => {}
        }
        let sounded = self.sounds_like(other);
        let written = if self.is_urdu == other.is_urdu { self.written_like(other) } else { 0.0 };
        let numbered = match self.numbers == other.numbers {
            false if !self.numbers.is_empty() && !other.numbers.is_empty() => 0.6,
            _ => 1.0,
        };
        numbered * sounded.max(written)
    }

    fn written_like(&self, other: &Name) -> f64 {
        let (one, two) = (self.words.join(" "), other.words.join(" "));
        let as_written = alike_by_letters(&one, &two);
        as_written.max(alike_by_letters(&self.sorted, &other.sorted))
    }

    /// Consonants alone are weak evidence, the weaker the fewer there are.
    fn sounds_like(&self, other: &Name) -> f64 {
        let shorter = self.sound.len().min(other.sound.len());
        let trust = match shorter {
            0 => return 0.0,
            1 | 2 => 0.75,
            3 => 0.9,
            _ => 0.95,
        };
        trust * strsim::normalized_damerau_levenshtein(&self.sound, &other.sound)
    }
}

/// Between the two measures: one forgives a wrong ending, the other counts every slip.
fn alike_by_letters(one: &str, two: &str) -> f64 {
    (strsim::jaro_winkler(one, two) + strsim::normalized_damerau_levenshtein(one, two)) / 2.0
}

/// The best likeness between any name of one place and any name of another.
pub(super) fn best_likeness(some: &[Name], others: &[Name]) -> f64 {
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| one.likeness(other)));
    pairs.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(one: &str, other: &str) -> f64 {
        Name::of(one).likeness(&Name::of(other))
    }

    #[test]
    fn keyboards_do_not_make_two_names_of_one() {
        assert_eq!(plain("كريم"), plain("کریم"));
        assert_eq!(plain("بَھٹہ"), plain("بهٹه"));
        assert_eq!(plain("مؤمن ۴۲"), plain("مومن 42"));
        assert_eq!(plain("  Al-Nūr, (Pvt.) LTD "), "al nur pvt ltd");
        assert_eq!(plain("کوئٹہ"), plain("کوی\u{654}ٹہ"));
        assert_eq!(plain("\u{200f}—()"), "");
    }

    #[test]
    fn kinds_of_places_say_nothing_of_which_one() {
        assert_eq!(Name::of("Haji Karim Brick Kiln").words, ["haji", "karim"]);
        assert_eq!(Name::of("Haji Karim Bhatta (BKK)").words, ["haji", "karim"]);
        assert_eq!(Name::of("حاجی کریم بھٹہ خشت").words, ["حاجی", "کریم"]);
        assert!(Name::of("Brick Kiln").is_generic() && Name::of("بھٹہ").is_generic());
    }

    #[test]
    fn the_same_place_is_alike_in_both_scripts() {
        for (one, other) in [
            ("Haji Karim Brick Kiln", "حاجی کریم بھٹہ"),
            ("Al Noor Orphanage", "النور یتیم خانہ"),
            ("Ahmed Brothers", "احمد برادرز"),
            ("Haji Kareem bhatta", "Haji Karim Brick Kiln"),
            ("Chaudhry Workshop", "چودھری ورکشاپ"),
            ("Karim Haji", "Haji Karim"),
        ] {
            // What `duplicates.rs` offers within 500 m.
            assert!(likeness(one, other) >= 0.7, "{one} / {other}: {}", likeness(one, other));
        }
    }

    #[test]
    fn another_place_is_not() {
        for (one, other) in [
            ("Haji Karim Brick Kiln", "Shahid Brothers Brick Kiln"),
            ("Kiln 4 Sariab", "Kiln 5 Sariab"),
            ("Brick Kiln", "Haji Karim Brick Kiln"),
            ("حاجی کریم بھٹہ", "شاہد برادرز بھٹہ"),
        ] {
            assert!(likeness(one, other) < 0.7, "{one} / {other}: {}", likeness(one, other));
        }
    }

    #[test]
    fn nothing_and_everything_can_be_compared() {
        assert_eq!(likeness("", ""), 0.5);
        assert_eq!(likeness("Karim", "Karim"), 1.0);
        assert!(likeness(&"x".repeat(300), "ں") < 0.5);
    }
}
