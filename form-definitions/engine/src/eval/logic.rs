//! Truth, equality and order with three values.

use super::dates;
use super::value::Val;
use crate::rules::Comparison;
use std::cmp::Ordering;

/// `false && anything` is false, `true && unknown` is unknown.
pub(crate) fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// `true || anything` is true, `false || unknown` is unknown.
pub(crate) fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// Whether two values are equal; unknown when either is.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>) -> Option<bool> {
    match (left, right) {
        (Val::Unknown, _) | (_, Val::Unknown) => None,
        (Val::Bool(a), Val::Bool(b)) => Some(a == b),
        (Val::Row(a), Val::Row(b)) => Some(a == b),
        (Val::Rows(a), Val::Rows(b)) => Some(a == b),
        (Val::Point(a), Val::Point(b)) => Some(a == b),
        (Val::Json(_) | Val::Held(_), Val::Json(_) | Val::Held(_)) => Some(left.object() == right.object()),
        (Val::Map(a), Val::Map(b)) => Some(a == b),
        (Val::List(a), Val::List(b)) if a.len() == b.len() => {
            a.iter().zip(b.iter()).map(|(a, b)| equal(a, b)).reduce(and).unwrap_or(Some(true))
        }
        _ => Some(order(left, right) == Some(Ordering::Equal)),
    }
}

/// How two values of one ordered type stand to each other; texts are read as the date, time or moment they meet.
pub(crate) fn order(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    match (left, right) {
        (Val::Number(a), Val::Number(b)) => a.partial_cmp(b),
        (Val::Date(a), Val::Date(b)) => Some(a.cmp(b)),
        (Val::Time(a), Val::Time(b)) => Some(a.cmp(b)),
        (Val::Instant(a), Val::Instant(b)) => Some(a.cmp(b)),
        (Val::Date(a), other) => Some(a.cmp(&dates::parse_date(other.text()?)?)),
        (Val::Time(a), other) => Some(a.cmp(&dates::parse_time(other.text()?)?)),
        (Val::Instant(a), other) => Some(a.cmp(&dates::parse_instant(other.text()?)?)),
        (_, Val::Date(_) | Val::Time(_) | Val::Instant(_)) => order(right, left).map(Ordering::reverse),
        _ => Some(left.text()?.cmp(right.text()?)),
    }
}

/// One comparison; unknown when either side is, or when they have no common order.
pub(crate) fn compare(comparison: Comparison, left: &Val<'_>, right: &Val<'_>) -> Option<bool> {
    let order = order(left, right)?;
    Some(match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    })
}

/// Whether an element is among others: a match decides, otherwise an unknown element leaves it open.
pub(crate) fn among<'v, 'a: 'v>(item: &Val<'a>, others: impl Iterator<Item = &'v Val<'a>>) -> Option<bool> {
    if !item.is_known() {
        return None;
    }
    let mut found = Some(false);
    for other in others {
        found = or(found, equal(item, other));
        if found == Some(true) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Option<bool>; 3] = [Some(true), Some(false), None];

    #[test]
    fn false_and_unknown_is_false_true_or_unknown_is_true() {
        let ands: Vec<_> = ALL.iter().flat_map(|a| ALL.iter().map(|b| and(*a, *b))).collect();
        let ors: Vec<_> = ALL.iter().flat_map(|a| ALL.iter().map(|b| or(*a, *b))).collect();
        let (t, f, u) = (Some(true), Some(false), None);

        assert_eq!(ands, [t, f, u, f, f, f, u, f, u]);
        assert_eq!(ors, [t, t, t, t, f, u, t, u, u]);
    }

    #[test]
    fn nothing_equals_the_unknown_not_even_itself() {
        assert_eq!(equal(&Val::Unknown, &Val::Unknown), None);
        assert_eq!(equal(&Val::Number(7.0), &Val::Unknown), None);
        assert_eq!(equal(&Val::Text("a"), &Val::Number(1.0)), Some(false));
    }

    #[test]
    fn an_unknown_element_leaves_membership_open_unless_another_matches() {
        let list = [Val::Text("cut"), Val::Unknown];

        assert_eq!(among(&Val::Text("cut"), list.iter()), Some(true));
        assert_eq!(among(&Val::Text("burn"), list.iter()), None);
        assert_eq!(among(&Val::Unknown, list.iter()), None);
        assert_eq!(among(&Val::Text("burn"), list[..1].iter()), Some(false));
    }
}
