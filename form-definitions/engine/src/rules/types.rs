//! The types of the rule language and when two of them can meet.

use crate::definition::{ChoiceList, Constant, FrameId, Kind, ListId};

/// What an expression yields when it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Never known: the literal `null`.
    Nothing,
    /// Known only when it runs: a column, a field of the facility or of the last visit.
    Any,
    Bool,
    Number,
    Text,
    /// A code of that list; a text that is checked.
    Choice(ListId),
    Date,
    Time,
    Instant,
    Point,
    Media,
    /// Numbers by name: the domains of a score.
    Map,
    List(Box<Type>),
    Rows(FrameId),
    Row(FrameId),
}

impl Type {
    pub(crate) fn of(kind: Kind) -> Type {
        match kind {
            Kind::Text => Type::Text,
            Kind::Integer | Kind::Number => Type::Number,
            Kind::Boolean => Type::Bool,
            Kind::Date => Type::Date,
            Kind::Time => Type::Time,
            Kind::Instant => Type::Instant,
            Kind::Point => Type::Point,
            Kind::Media => Type::Media,
            Kind::Texts => Type::List(Box::new(Type::Text)),
            Kind::Map => Type::Map,
            Kind::Choice(list) => Type::Choice(list),
            Kind::Choices(list) => Type::List(Box::new(Type::Choice(list))),
        }
    }

    pub(crate) fn of_constant(constant: &Constant) -> Type {
        match constant {
            Constant::Unknown => Type::Nothing,
            Constant::Bool(_) => Type::Bool,
            Constant::Number(_) => Type::Number,
            Constant::Text(_) => Type::Text,
            Constant::Date(_) => Type::Date,
            Constant::Time(_) => Type::Time,
            Constant::Instant(_) => Type::Instant,
            Constant::List(items) => Type::List(Box::new(Type::of_all(items))),
        }
    }

    /// The one type all constants have, or `Any`.
    pub(crate) fn of_all<'c>(constants: impl IntoIterator<Item = &'c Constant>) -> Type {
        let types = constants.into_iter().map(Type::of_constant);
        types.reduce(|a, b| a.join(&b).unwrap_or(Type::Any)).unwrap_or(Type::Nothing)
    }

    /// The type that holds values of both, if there is one.
    pub(crate) fn join(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Type::Nothing, known) | (known, Type::Nothing) => Some(known.clone()),
            (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
            (Type::Choice(_) | Type::Text, Type::Choice(_) | Type::Text) => Some(Type::Text),
            (Type::List(a), Type::List(b)) => a.join(b).map(|item| Type::List(Box::new(item))),
            _ => None,
        }
    }

    /// Whether values of these types can be equal.
    pub(crate) fn meets(&self, other: &Type) -> bool {
        self.join(other).is_some()
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Type::Text | Type::Choice(_) | Type::Any)
    }

    /// Whether `<` means something between values of this type.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(
            self,
            Type::Number | Type::Text | Type::Date | Type::Time | Type::Instant | Type::Any | Type::Nothing
        )
    }

    /// What the elements of a list are.
    pub(crate) fn element(&self) -> Option<Type> {
        match self {
            Type::List(item) => Some((**item).clone()),
            Type::Rows(frame) => Some(Type::Row(*frame)),
            Type::Any => Some(Type::Any),
            Type::Nothing => Some(Type::Nothing),
            _ => None,
        }
    }

    /// The type in the words of the person who writes rules.
    pub(crate) fn spell(&self, lists: &[ChoiceList]) -> String {
        match self {
            Type::Nothing => "never known".to_owned(),
            Type::Any => "a value".to_owned(),
            Type::Bool => "true or false".to_owned(),
            Type::Number => "a number".to_owned(),
            Type::Text => "a text".to_owned(),
            Type::Choice(list) => format!("a choice of {}", lists.get(*list).map_or("", |list| &list.name)),
            Type::Date => "a date".to_owned(),
            Type::Time => "a time of day".to_owned(),
            Type::Instant => "a moment".to_owned(),
            Type::Point => "a point".to_owned(),
            Type::Media => "a photo or file".to_owned(),
            Type::Map => "several numbers by name".to_owned(),
            Type::List(item) => format!("a list of: {}", item.spell(lists)),
            Type::Rows(_) => "rows".to_owned(),
            Type::Row(_) => "a row".to_owned(),
        }
    }
}
