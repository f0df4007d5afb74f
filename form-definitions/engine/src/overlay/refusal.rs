//! Why an operation cannot be applied, told to the Committee member who proposes it.

use crate::problem::Problem;
use serde::Serialize;
use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What can be wrong with an operation. What the form check says keeps the check's own code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $name,)* }

        impl RefusalCode {
            /// Every code there is.
            pub const ALL: &[RefusalCode] = &[$(RefusalCode::$name,)*];

            /// The code as it is written everywhere.
            pub const fn as_str(self) -> &'static str {
                match self { $(RefusalCode::$name => $text,)* }
            }
        }
    };
}

refusals! {
    /// The base itself does not pass the form check.
    BaseUnsound = "base_unsound",
    /// More operations than are read.
    TooManyOperations = "too_many_operations",
    /// More bytes than are read.
    OperationTooLarge = "operation_too_large",
    /// Nothing is called so.
    UnknownTarget = "unknown_target",
    /// It is added only by a later operation.
    AddedLater = "added_later",
    /// The same operation stands there already.
    AppliedTwice = "applied_twice",
    /// It would leave everything as it is.
    ChangesNothing = "changes_nothing",
    /// The name or code is taken.
    NameTaken = "name_taken",
    /// The name is not written as names are.
    BadName = "bad_name",
    /// The base says that it may not be changed.
    Locked = "locked",
    /// It would allow what was not allowed.
    WouldWiden = "would_widen",
    /// It does not fit what it is done to.
    DoesNotFit = "does_not_fit",
    /// Something else reads what would be hidden.
    NeededElsewhere = "needed_elsewhere",
    /// The last choice would go.
    LastChoice = "last_choice",
    /// An order that leaves something out, or names it twice.
    OrderIncomplete = "order_incomplete",
    /// The parameter has a value from that day on, or from a later one.
    DayTaken = "day_taken",
    /// No rule reads the parameter.
    UnreadParameter = "unread_parameter",
    /// No such body takes findings.
    UnknownBody = "unknown_body",
    /// A value of another type or unit.
    WrongValue = "wrong_value",
    /// A text that is empty, too long or not printable.
    BadText = "bad_text",
    /// No language is written so, or it is English.
    BadLanguage = "bad_language",
    /// Not a day, or days the wrong way round.
    BadDate = "bad_date",
    /// A difference that no operation can make.
    NotAnOperation = "not_an_operation",
    /// A conflict with a new base nobody decided about.
    Undecided = "undecided",
}

/// One operation refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which operation, from 0.
    pub operation: usize,
    /// A stable code: one of [`RefusalCode`], or the form check's.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// The question, list, parameter or rule it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The base's reason, where it locks what would be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<String>,
    /// What the form check found, where it refuses the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {}: {} ({})", self.operation, self.message, self.code)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// A refusal before it is known which operation it is about.
pub(super) type Outcome = Result<(), Box<Refusal>>;

/// Refuses with a code, a message and a remedy.
pub(super) fn refused(code: RefusalCode, about: &str, message: String, remedy: &str) -> Box<Refusal> {
    Box::new(Refusal {
        operation: 0,
        code: code.as_str().to_owned(),
        message,
        remedy: remedy.to_owned(),
        about: Some(about.to_owned()),
        locked: None,
        problem: None,
    })
}

/// Refuses because the base locks it.
pub(super) fn locked(about: &str, reason: &str) -> Box<Refusal> {
    let message = format!("{about} is locked in the base: {reason}");
    let mut refusal = refused(
        RefusalCode::Locked,
        about,
        message,
        "leave it as it is, or ask the owner of the base to change it",
    );
    refusal.locked = Some(reason.to_owned());
    refusal
}
