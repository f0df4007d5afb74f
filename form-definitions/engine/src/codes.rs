//! The stable codes of everything that can be wrong with a questionnaire or with answers. What is not listed here cannot be said, and a test
//! provokes each.

macro_rules! codes {
    ($(#[$about:meta])* $visible:vis enum $codes:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visible enum $codes { $($(#[$doc])* $name,)* }

        impl $codes {
            /// Every code there is.
            #[cfg_attr(not(test), allow(dead_code, reason = "the tests go through them all"))]
            $visible const ALL: &[$codes] = &[$($codes::$name,)*];

            /// The code as it is written everywhere.
            $visible const fn as_str(self) -> &'static str {
                match self { $($codes::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// What can be wrong with a questionnaire. The last three only warn, and `no_translation` of a language that is not required.
    pub enum Code {
        /// The definition is no object schema.
        NotAForm = "not_a_form",
        /// Nested deeper than any questionnaire is.
        TooDeep = "too_deep",
        /// More bytes, or more questions, than are read.
        TooLarge = "too_large",
        /// A plain JSON Schema validator would refuse it.
        NotASchema = "not_a_schema",
        /// A question's own schema cannot be used.
        BadSchema = "bad_schema",
        /// A form without sections.
        NoSections = "no_sections",
        /// A section or row without questions.
        NoQuestions = "no_questions",
        /// A section within a section or row.
        SectionInSection = "section_in_section",
        /// A keyword that would silently not be checked.
        UnsupportedKeyword = "unsupported_keyword",
        /// A name that is not written as names are.
        BadName = "bad_name",
        /// A name that means something else in rules.
        ReservedName = "reserved_name",
        /// A name, or the code of a finding or domain, used twice.
        DuplicateName = "duplicate_name",
        /// Nothing is called so.
        UnknownName = "unknown_name",
        /// A question of no kind there is.
        UnknownKind = "unknown_kind",
        /// A `$ref` to a definition the form lacks.
        UnknownReference = "unknown_reference",
        /// A calculation that is not read-only, or the other way round.
        CalculatedOrAsked = "calculated_or_asked",
        /// A reason for not answering that there is not.
        UnknownNonAnswer = "unknown_non_answer",
        /// Something a question that is answered at review cannot have or be.
        NotForReviewer = "not_for_reviewer",
        /// A rule that acts on the phone and reads what is answered at review.
        ReviewerOnly = "reviewer_only",
        /// A repeat without a usable `maxItems`.
        RepeatWithoutLimit = "repeat_without_limit",
        /// `minItems` greater than `maxItems`.
        LimitsCrossed = "limits_crossed",
        /// A repeat without a key among its questions.
        RepeatWithoutKey = "repeat_without_key",
        /// Repeats within repeats deeper than can be filled in.
        RepeatTooDeep = "repeat_too_deep",
        /// A question about a child that nothing protects.
        Unprotected = "unprotected",
        /// A choice from a list that is none.
        UnknownList = "unknown_list",
        /// A choice from rows that cannot be seen.
        UnknownRows = "unknown_rows",
        /// Two lists of one name.
        DuplicateList = "duplicate_list",
        /// A list without items.
        ListWithoutItems = "list_without_items",
        /// One code twice on one day.
        DuplicateChoice = "duplicate_choice",
        /// A choice without a code of its own.
        ChoiceWithoutCode = "choice_without_code",
        /// Not a date.
        NotADate = "not_a_date",
        /// A parameter without key or value.
        ParameterIncomplete = "parameter_incomplete",
        /// A baseline figure without a key, or with another's.
        BaselineKey = "baseline_key",
        /// A finding without a code.
        FindingWithoutCode = "finding_without_code",
        /// A finding that does not say whether it may be disclosed.
        UndecidedDisclosure = "undecided_disclosure",
        /// A deadline that is none.
        NoDeadline = "no_deadline",
        /// A word that is not among those that may stand there.
        UnknownWord = "unknown_word",
        /// A value of another type than may stand there.
        Unreadable = "unreadable",
        /// A score that cannot be weighed.
        UnreadableScore = "unreadable_score",
        /// Something to read without an English text.
        NoText = "no_text",
        /// A text missing in a declared language: refused where the language is required, else warned of once.
        NoTranslation = "no_translation",
        /// No rule where one must stand.
        NotARule = "not_a_rule",
        /// A rule that cannot be read.
        Syntax = "syntax",
        /// A rule longer than is read.
        RuleTooLong = "rule_too_long",
        /// A rule nested deeper than is read.
        RuleTooDeep = "rule_too_deep",
        /// A part of CEL that is none of ours.
        NotSupported = "not_supported",
        /// A condition that is neither true nor false.
        NotACondition = "not_a_condition",
        /// A calculation of another type than its question.
        WrongType = "wrong_type",
        /// Values that can never be compared or calculated with.
        ImpossibleTypes = "impossible_types",
        /// A function given what it does not take.
        WrongArgument = "wrong_argument",
        /// No such function.
        UnknownFunction = "unknown_function",
        /// No parameter of that key.
        UnknownParameter = "unknown_parameter",
        /// A parameter whose values are of different types.
        MixedParameter = "mixed_parameter",
        /// No baseline of that key.
        UnknownBaseline = "unknown_baseline",
        /// No such score, or no such part of it.
        UnknownScore = "unknown_score",
        /// A code that no list has.
        UnknownChoice = "unknown_choice",
        /// A text that is not the date, time or moment it is compared with.
        WrongLiteral = "wrong_literal",
        /// Compared with null.
        ComparedWithNull = "compared_with_null",
        /// `this` where there is none.
        NoThis = "no_this",
        /// A question of a row, read from outside the row.
        InARow = "in_a_row",
        /// What is looked through is not a list.
        NotAList = "not_a_list",
        /// A list of values of different types.
        MixedList = "mixed_list",
        /// A macro without a name for the element.
        BadVariable = "bad_variable",
        /// A macro's name that hides another.
        HiddenName = "hidden_name",
        /// A pattern that is worked out.
        PatternNotFixed = "pattern_not_fixed",
        /// A pattern that cannot be used.
        BadPattern = "bad_pattern",
        /// Rules, or findings, that wait for each other.
        Circle = "circle",
        /// Shown to nobody, whatever is answered.
        NeverRelevant = "never_relevant",
        /// A yes or no that can come out unknown.
        BooleanCanBeUnknown = "boolean_can_be_unknown",
        /// A rule that takes too many steps.
        TooDear = "too_dear",
        /// A form that takes too many steps.
        FormTooDear = "form_too_dear",
        /// A mistake of the program, not of the questionnaire.
        CompilerFailed = "compiler_failed",
        /// A keyword of ours that means nothing there.
        UnknownKeyword = "unknown_keyword",
        /// A translation nobody has approved.
        DraftTranslation = "draft_translation",
        /// A rule that ODK Collect could not evaluate offline.
        NotInOdk = "not_in_odk",
    }
}

codes! {
    /// What can be wrong with answers, whatever the questionnaire's own rules say.
    pub(crate) enum BuiltIn {
        Type = "type",
        Format = "format",
        Pattern = "pattern",
        Range = "range",
        TooLong = "too_long",
        TooShort = "too_short",
        TooMany = "too_many",
        TooFew = "too_few",
        Duplicate = "duplicate",
        Choice = "choice",
        Required = "required",
        UnknownQuestion = "unknown_question",
        CalculatedDiffers = "calculated_differs",
        NonAnswerNotAllowed = "non_answer_not_allowed",
        AskedOfReviewer = "asked_of_reviewer",
        AskedOfCollector = "asked_of_collector",
    }
}
