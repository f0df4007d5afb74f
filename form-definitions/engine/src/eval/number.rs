//! One number type, as people count: rounding is decimal and half up, a whole number prints as one.

use serde_json::{Number, Value};

/// Largest whole number every machine counts exactly.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;
/// Most decimal places that are kept.
const MOST_PLACES: i32 = 15;

/// Rounds to decimal places, half away from zero, on the shortest decimal that names the number: 2.675 is 2.68, as on paper.
pub(crate) fn round(number: f64, places: f64) -> f64 {
    if !number.is_finite() || !places.is_finite() {
        return number;
    }
    let places = (places as i32).clamp(-MOST_PLACES, MOST_PLACES);
    let text = format!("{:e}", number.abs());
    let Some((digits, exponent)) = text.split_once('e') else { return number };
    let (Ok(exponent), digits) = (exponent.parse::<i32>(), digits.replace('.', "")) else { return number };
    // The digit worth 10^-places is the last one kept.
    let kept = exponent + places + 1;
    if kept >= digits.len() as i32 {
        return number;
    }
    if kept < 0 {
        return 0.0;
    }
    let (head, tail) = digits.split_at(kept as usize);
    let up = tail.as_bytes().first().is_some_and(|digit| *digit >= b'5');
    let head: u64 = if head.is_empty() { 0 } else { head.parse().unwrap_or(0) };
    let rounded = format!("{}e{}", head + u64::from(up), -places).parse::<f64>().unwrap_or(number);
    if number < 0.0 && rounded != 0.0 { -rounded } else { rounded }
}

/// The number as JSON: whole numbers without a decimal point.
pub(crate) fn as_json(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < LARGEST_WHOLE {
        return Value::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_decimal_and_half_up() {
        let cases = [
            (2.675, 2.0, 2.68),
            (0.5, 0.0, 1.0),
            (1.5, 0.0, 2.0),
            (2.5, 0.0, 3.0),
            (-2.5, 0.0, -3.0),
            (7.25, 1.0, 7.3),
            (33.333_333_333, 1.0, 33.3),
            (0.05, 1.0, 0.1),
            (0.04, 1.0, 0.0),
            (1234.0, -2.0, 1200.0),
            (1250.0, -2.0, 1300.0),
            (99.95, 1.0, 100.0),
            (1e300, 2.0, 1e300),
            (9.0, 3.0, 9.0),
        ];

        for (number, places, expected) in cases {
            assert_eq!(round(number, places), expected, "{number} to {places}");
        }
    }

    #[test]
    fn whole_numbers_print_as_such() {
        assert_eq!(as_json(7.0).to_string(), "7");
        assert_eq!(as_json(-0.0).to_string(), "0");
        assert_eq!(as_json(3.5).to_string(), "3.5");
        assert_eq!(as_json(f64::NAN), Value::Null);
    }
}
