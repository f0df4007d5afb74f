//! The macros: what is said of each row or element, taken together.

use super::run::{Run, Scope};
use super::value::Val;
use crate::rules::{Macro, Node};

impl<'a> Run<'a> {
    pub(super) fn each(
        &self,
        kind: Macro,
        over: &'a Node,
        variable: usize,
        body: &'a Node,
        scope: &mut Scope<'a>,
    ) -> Val<'a> {
        let over = self.eval(over, scope);
        scope.variables.truncate(variable);
        match &over {
            Val::Rows(rows) => self.each_of(kind, &over, rows.iter().map(|row| Val::Row(*row)), body, scope),
            Val::List(items) => self.each_of(kind, &over, items.iter().cloned(), body, scope),
            _ => Val::Unknown,
        }
    }

    fn each_of(
        &self,
        kind: Macro,
        over: &Val<'a>,
        items: impl Iterator<Item = Val<'a>>,
        body: &'a Node,
        scope: &mut Scope<'a>,
    ) -> Val<'a> {
        let depth = scope.variables.len();
        let mut looks = items.map(|item| {
            scope.variables.truncate(depth);
            scope.variables.push(item.clone());
            (item, self.eval(body, scope))
        });
        let seen = match kind {
            Macro::Exists => Val::truth_or_unknown(decided(&mut looks, true)),
            Macro::All => Val::truth_or_unknown(decided(&mut looks, false).map(|found| !found)),
            Macro::ExistsOne => Val::truth_or_unknown(exactly_one(&mut looks)),
            Macro::CountWhere => {
                Val::Number(looks.filter(|(_, look)| look.truth() == Some(true)).count() as f64)
            }
            Macro::Map => Val::List(looks.map(|(_, look)| look).collect()),
            Macro::Filter => {
                let kept = looks.filter(|(_, look)| look.truth() == Some(true)).map(|(item, _)| item);
                match over {
                    Val::Rows(_) => Val::Rows(
                        kept.filter_map(|item| if let Val::Row(row) = item { Some(row) } else { None })
                            .collect(),
                    ),
                    _ => Val::List(kept.collect()),
                }
            }
        };
        scope.variables.truncate(depth);
        seen
    }
}

/// Looks until one decides; an unknown on the way leaves it open.
fn decided<'a>(looks: &mut impl Iterator<Item = (Val<'a>, Val<'a>)>, wanted: bool) -> Option<bool> {
    let mut found = Some(false);
    for (_, look) in looks {
        match look.truth() {
            Some(truth) if truth == wanted => return Some(true),
            Some(_) => {}
            None => found = None,
        }
    }
    found
}

fn exactly_one<'a>(looks: &mut impl Iterator<Item = (Val<'a>, Val<'a>)>) -> Option<bool> {
    let (mut sure, mut open) = (0, 0);
    for (_, look) in looks {
        match look.truth() {
            Some(true) => sure += 1,
            Some(false) => {}
            None => open += 1,
        }
        if sure > 1 {
            return Some(false);
        }
    }
    (open == 0).then_some(sure == 1)
}
