//! Minutes on paper: a page that prints, in English and Urdu, with nothing fetched from elsewhere. What people typed cannot become
//! markup. The page is for reading; what proves anything is the signed document, whose hash stands at its foot.

use std::fmt::Write as _;

use super::{Document, Minutes, SignedVote};
use crate::desk::model::{Answer, Choice, MinutesKind, ProposalState, Seat, Texts};
use crate::error::{Error, Result};

/// The words around the text, in one language.
struct Words {
    language: &'static str,
    direction: &'static str,
    minutes: &'static str,
    without_vote: &'static str,
    form: &'static str,
    proposal: &'static str,
    author: &'static str,
    decided: &'static str,
    opened: &'static str,
    outcome: &'static str,
    in_force: &'static str,
    grace: &'static str,
    release: &'static str,
    changes: &'static str,
    operations: &'static str,
    votes: &'static str,
    dissent: &'static str,
    casting: &'static str,
    counted: &'static str,
    needed: &'static str,
    void: &'static str,
    members: &'static str,
    heads: &'static str,
    required: &'static str,
    silent: &'static str,
    answers: [(Answer, &'static str); 2],
    tried: &'static str,
    visits: &'static str,
    reason: &'static str,
    asked: &'static str,
    agreed: &'static str,
    law: &'static str,
    hash: &'static str,
    document: &'static str,
    verify: &'static str,
    states: [(ProposalState, &'static str); 5],
    choices: [(Choice, &'static str); 4],
    seats: [(Seat, &'static str); 4],
}

const LANGUAGES: [Words; 2] = [
    Words {
        language: "en",
        direction: "ltr",
        minutes: "Minutes of the Provincial Steering Committee",
        without_vote: "PUBLISHED WITHOUT A VOTE (break-glass)",
        form: "Questionnaire",
        proposal: "Proposal",
        author: "Written by",
        decided: "Decided at",
        opened: "Vote opened at",
        outcome: "Decision",
        in_force: "In force from",
        grace: "Days of grace",
        release: "Release",
        changes: "What changes",
        operations: "What is done to the base",
        votes: "Votes",
        dissent: "Dissent",
        casting: "casting vote",
        counted: "For, against, abstained, recused",
        needed: "Had to take part",
        void: "Votes on earlier versions, void",
        members: "Voting members of that day",
        heads: "Consent of heads of departments",
        required: "required",
        silent: "not given",
        answers: [(Answer::Consent, "consents"), (Answer::Refuse, "refuses")],
        tried: "Tried on past visits",
        visits: "visits",
        reason: "Reason",
        asked: "Asked for by",
        agreed: "Agreed to by",
        law: "Rules of deciding rest on",
        hash: "Hash that was voted on",
        document: "Hash of these minutes",
        verify: "To check: nigran minutes verify minutes.json --keys jwks.json",
        states: [
            (ProposalState::Approved, "approved"),
            (ProposalState::Rejected, "rejected"),
            (ProposalState::Expired, "expired: not enough took part"),
            (ProposalState::Overtaken, "approved, but another release came before it"),
            (ProposalState::BreakGlass, "published without a vote"),
        ],
        choices: [
            (Choice::Approve, "for"),
            (Choice::Reject, "against"),
            (Choice::Abstain, "abstained"),
            (Choice::Recuse, "recused"),
        ],
        seats: [
            (Seat::Chair, "chair"),
            (Seat::Deputy, "deputy"),
            (Seat::Member, "member"),
            (Seat::Observer, "observer"),
        ],
    },
    Words {
        language: "ur",
        direction: "rtl",
        minutes: "صوبائی سٹیئرنگ کمیٹی کی کارروائی",
        without_vote: "رائے شماری کے بغیر جاری (ہنگامی اجرا)",
        form: "سوالنامہ",
        proposal: "تجویز",
        author: "تحریر",
        decided: "فیصلے کا وقت",
        opened: "رائے شماری کا آغاز",
        outcome: "فیصلہ",
        in_force: "نافذ از",
        grace: "مہلت کے دن",
        release: "اجرا",
        changes: "کیا بدلتا ہے",
        operations: "بنیاد پر کیا کیا گیا",
        votes: "آراء",
        dissent: "اختلافی نوٹ",
        casting: "فیصلہ کن رائے",
        counted: "حق میں، خلاف، غیر جانبدار، دستبردار",
        needed: "شرکت لازم",
        void: "پچھلے نسخوں پر آراء، کالعدم",
        members: "اس دن کے رائے دہندہ ارکان",
        heads: "سربراہان محکمہ کی منظوری",
        required: "لازم",
        silent: "نہیں دی گئی",
        answers: [(Answer::Consent, "منظور"), (Answer::Refuse, "انکار")],
        tried: "پچھلے دوروں پر آزمائش",
        visits: "دورے",
        reason: "وجہ",
        asked: "درخواست گزار",
        agreed: "منظوری دینے والا",
        law: "فیصلے کے قواعد کی بنیاد",
        hash: "جس متن پر رائے لی گئی، اس کا ہیش",
        document: "اس کارروائی کا ہیش",
        verify: "جانچ: nigran minutes verify minutes.json --keys jwks.json",
        states: [
            (ProposalState::Approved, "منظور"),
            (ProposalState::Rejected, "نامنظور"),
            (ProposalState::Expired, "مدت ختم: کورم پورا نہ ہوا"),
            (ProposalState::Overtaken, "منظور، مگر اس سے پہلے دوسرا اجرا آ گیا"),
            (ProposalState::BreakGlass, "رائے شماری کے بغیر جاری"),
        ],
        choices: [
            (Choice::Approve, "حق میں"),
            (Choice::Reject, "خلاف"),
            (Choice::Abstain, "غیر جانبدار"),
            (Choice::Recuse, "دستبردار"),
        ],
        seats: [
            (Seat::Chair, "صدر"),
            (Seat::Deputy, "نائب صدر"),
            (Seat::Member, "رکن"),
            (Seat::Observer, "مبصر"),
        ],
    },
];

const STYLE: &str = "body{font:12pt/1.5 serif;max-width:52em;margin:2em auto;color:#000}section{margin-bottom:3em}\
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em}dd{margin:0}li{margin-bottom:.4em}\
    .loud{border:3px solid #000;padding:.5em;font-weight:bold}.hash{font:9pt monospace;word-break:break-all}\
    @media print{body{margin:0}section{break-after:page}section:last-child{break-after:auto}}";

/// The page of minutes.
pub(super) fn html(document: &Document) -> Result<String> {
    let minutes: Minutes = serde_json::from_value(document.minutes.clone())
        .map_err(|cause| Error::internal("reading minutes", cause))?;
    let body: String = LANGUAGES.iter().map(|words| section(words, &minutes, &document.hash)).collect();
    Ok(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head>\
         <body>{body}</body></html>",
        escaped(&minutes.title)
    ))
}

fn word<K: PartialEq + Copy>(words: &[(K, &'static str)], key: K) -> &'static str {
    words.iter().find(|(known, _)| *known == key).map_or("", |(_, word)| word)
}

fn said<'t>(texts: &'t Texts, language: &str) -> &'t str {
    texts.get(language).or_else(|| texts.get("en")).map(String::as_str).unwrap_or_default()
}

fn section(words: &Words, minutes: &Minutes, hash: &str) -> String {
    let mut html = format!(
        "<section lang=\"{}\" dir=\"{}\"><h1>{}</h1>",
        words.language,
        words.direction,
        escaped(words.minutes)
    );
    if minutes.kind == MinutesKind::BreakGlass {
        let _ = write!(html, "<p class=\"loud\">{}</p>", escaped(words.without_vote));
    }
    facts(&mut html, words, minutes);
    let _ = write!(html, "<h2>{}</h2><ul>", escaped(words.changes));
    for change in &minutes.changes {
        item(&mut html, said(&change.sentence, words.language));
    }
    let _ = write!(html, "</ul><h2>{}</h2><ol>", escaped(words.operations));
    for sentence in &minutes.sentences {
        item(&mut html, said(sentence, words.language));
    }
    html.push_str("</ol>");
    heads(&mut html, words, minutes);
    if minutes.kind == MinutesKind::Decision {
        votes(&mut html, words, minutes);
    }
    let _ = write!(
        html,
        "<p>{}: <bdi class=\"hash\">{}</bdi><br>{}: <bdi class=\"hash\">{}</bdi></p><p dir=\"ltr\">{}</p></section>",
        escaped(words.hash),
        escaped(&minutes.hash),
        escaped(words.document),
        escaped(hash),
        escaped(words.verify)
    );
    html
}

fn facts(html: &mut String, words: &Words, minutes: &Minutes) {
    let mut facts = vec![
        (words.form, format!("{} ({})", said(&minutes.form_title, words.language), minutes.terms.form)),
        (words.proposal, format!("{} ({})", minutes.title, minutes.n)),
        (words.author, format!("{} ({})", minutes.author.name, minutes.author.code)),
        (words.decided, minutes.decided_at.to_string()),
        (words.outcome, word(&words.states, minutes.state).to_owned()),
    ];
    facts.extend(minutes.opened_at.map(|at| (words.opened, at.to_string())));
    facts.extend(minutes.release.map(|release| (words.release, release.to_string())));
    facts.push((words.in_force, minutes.terms.effective_from.to_string()));
    facts.push((words.grace, minutes.terms.grace_days.to_string()));
    for replay in &minutes.replays {
        let counted = format!("{} {}, {}", replay.visits, words.visits, replay.report_hash);
        facts.push((words.tried, counted));
    }
    if let Some(glass) = &minutes.break_glass {
        facts.push((
            words.asked,
            format!("{} ({}), {}", glass.asked_by.name, glass.asked_by.code, glass.asked_at),
        ));
        facts.push((words.agreed, format!("{} ({})", glass.agreed_by.name, glass.agreed_by.code)));
        facts.push((words.reason, glass.reason.clone()));
    }
    html.push_str("<dl>");
    for (label, value) in facts {
        let _ = write!(html, "<dt>{}</dt><dd><bdi>{}</bdi></dd>", escaped(label), escaped(&value));
    }
    html.push_str("</dl>");
}

fn heads(html: &mut String, words: &Words, minutes: &Minutes) {
    if minutes.consents.is_empty() {
        return;
    }
    let _ = write!(html, "<h2>{}</h2><ul>", escaped(words.heads));
    for asked in &minutes.consents {
        let title = said(&asked.title, words.language);
        let required = if asked.required { format!(" ({})", words.required) } else { String::new() };
        let answer = match &asked.said {
            None => words.silent.to_owned(),
            Some(said) => {
                let reason =
                    if said.reason.is_empty() { String::new() } else { format!(": {}", said.reason) };
                format!(
                    "{} ({}) {}{reason}",
                    said.person.name,
                    said.person.code,
                    word(&words.answers, said.answer)
                )
            }
        };
        item(html, &format!("{title}{required}: {answer}"));
    }
    html.push_str("</ul>");
}

fn votes(html: &mut String, words: &Words, minutes: &Minutes) {
    let counts = minutes.counts;
    let _ = write!(html, "<h2>{}</h2><ul>", escaped(words.votes));
    for vote in &minutes.votes {
        one_vote(html, words, vote);
    }
    let _ = write!(
        html,
        "</ul><dl><dt>{}</dt><dd>{}, {}, {}, {}</dd><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd></dl><h2>{}</h2><ul>",
        escaped(words.counted),
        counts.approve,
        counts.reject,
        counts.abstain,
        counts.recuse,
        escaped(words.needed),
        minutes.needed,
        escaped(words.void),
        minutes.void_votes,
        escaped(words.members)
    );
    for member in &minutes.members {
        let seat = word(&words.seats, member.seat);
        item(html, &format!("{} ({}), {seat}", member.person.name, member.person.code));
    }
    let laws = minutes.rules.basis.as_array().into_iter().flatten().filter_map(|basis| basis["law"].as_str());
    let laws: Vec<&str> = laws.collect();
    let _ = write!(html, "</ul><p>{}: <bdi>{}</bdi></p>", escaped(words.law), escaped(&laws.join("; ")));
}

fn one_vote(html: &mut String, words: &Words, vote: &SignedVote) {
    let casting = if vote.casting { format!(", {}", words.casting) } else { String::new() };
    let _ = write!(
        html,
        "<li><b>{}</b> ({}): {}{}",
        escaped(&vote.person.name),
        escaped(&vote.person.code),
        escaped(word(&words.choices, vote.vote)),
        escaped(&casting)
    );
    if !vote.reason.is_empty() {
        let _ = write!(html, "<br>{}: <bdi>{}</bdi>", escaped(words.reason), escaped(&vote.reason));
    }
    if let Some(dissent) = &vote.dissent {
        let _ = write!(html, "<br><b>{}</b>: <bdi>{}</bdi>", escaped(words.dissent), escaped(dissent));
    }
    html.push_str("</li>");
}

fn item(html: &mut String, text: &str) {
    let _ = write!(html, "<li><bdi>{}</bdi></li>", escaped(text));
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
