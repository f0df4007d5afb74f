//! What flags say to people, in English and Urdu.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::submissions::model::Flag;

/// The flag with this code.
pub(super) fn flag(code: &str, figures: Value) -> Flag {
    let (en, ur) = words(code);
    let message = BTreeMap::from([("en".to_owned(), en.to_owned()), ("ur".to_owned(), ur.to_owned())]);
    Flag { code: code.to_owned(), message, figures: figures.as_object().cloned().unwrap_or_else(Map::new) }
}

fn words(code: &str) -> (&'static str, &'static str) {
    match code {
        "location_impossible" => ("The coordinates cannot exist.", "یہ محل وقوع ممکن نہیں۔"),
        "accuracy_impossible" => ("The accuracy cannot be negative.", "درستگی منفی نہیں ہو سکتی۔"),
        "poor_accuracy" => ("The fix is not accurate enough.", "مقام کی درستگی کم ہے۔"),
        "stale_fix" => ("The fix was not taken during the visit.", "مقام معائنے کے وقت کا نہیں۔"),
        "mock_location" => ("The phone says the location is simulated.", "فون کے مطابق مقام مصنوعی ہے۔"),
        "outside_province" => ("The point lies outside the province.", "مقام صوبے سے باہر ہے۔"),
        "outside_own_area" => {
            ("The point lies outside the filer's own area.", "مقام معائنہ کار کے علاقے سے باہر ہے۔")
        }
        "district_differs" => {
            ("The point lies in another district than the one answered.", "مقام بتائے گئے ضلع میں نہیں۔")
        }
        "far_from_facility" => (
            "The point lies far from where the facility is registered.",
            "مقام ادارے کے درج شدہ مقام سے دور ہے۔",
        ),
        "clock_skew" => ("The phone's clock is wrong.", "فون کی گھڑی درست نہیں۔"),
        "finished_in_future" => ("The visit ends after it was received.", "معائنے کا وقت مستقبل میں ہے۔"),
        "finished_long_ago" => ("The visit is reported very late.", "معائنہ بہت دیر سے بھیجا گیا۔"),
        "too_fast" => ("The visit was too short for so many answers.", "اتنے جوابات کے لیے وقت بہت کم تھا۔"),
        "impossible_travel" => {
            ("Nobody travels so fast between two visits.", "دو معائنوں کے درمیان اتنا تیز سفر ممکن نہیں۔")
        }
        "release_withdrawn" => (
            "The questionnaire was filled in after it had been taken back.",
            "سوالنامہ واپس لیے جانے کے بعد پُر کیا گیا۔",
        ),
        "release_outdated" => (
            "An older questionnaire was used after its grace period.",
            "مہلت ختم ہونے کے بعد پرانا سوالنامہ استعمال ہوا۔",
        ),
        "media_undeclared" => (
            "An answer names a file the envelope does not declare.",
            "جواب میں ایسی فائل ہے جو فہرست میں نہیں۔",
        ),
        "faces_unchecked" => ("A photo was not checked for faces.", "تصویر میں چہروں کی جانچ نہیں ہوئی۔"),
        "photo_far_from_fix" => {
            ("A photo was taken far from the visit's own position.", "تصویر معائنے کے مقام سے دور لی گئی۔")
        }
        "photo_time_outside_visit" => {
            ("A photo was not taken during the visit.", "تصویر معائنے کے وقت نہیں لی گئی۔")
        }
        "photo_broken" => ("A photo cannot be read.", "تصویر پڑھی نہیں جا سکتی۔"),
        "photo_reused" => (
            "The same photo came with an earlier submission.",
            "یہی تصویر پہلے بھی ایک معائنے کے ساتھ بھیجی گئی۔",
        ),
        _ => ("Worth a look.", "توجہ طلب۔"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_that_can_be_raised_is_explained() {
        // The sources themselves say which codes there are.
        let sources = [
            include_str!("mod.rs"),
            include_str!("travel.rs"),
            include_str!("photos.rs"),
            include_str!("facility.rs"),
        ];
        let mut codes = Vec::new();
        for text in sources {
            for after in text.split("flag(").skip(1) {
                let code = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                codes.extend(code);
            }
        }

        assert!(codes.len() >= 19, "{codes:?}");
        for code in codes {
            assert_ne!(words(code).0, "Worth a look.", "{code} has no words");
        }
    }
}
