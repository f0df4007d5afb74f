//! A batch under way. Groups of lines are judged and committed while the next are still coming in; their answers go out in
//! the order of the lines. What is under way is bounded in lines and in bytes: a sender that is faster than the disk waits.

use std::collections::{HashSet, VecDeque};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::answers::Answer;
use super::letters;
use super::lines::{Line, Lines};
use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::submissions::Submissions;
use crate::submissions::ingest::{Filed, Letter, Prepared};
use crate::submissions::model::SubmissionId;

/// Lines judged in one go.
const GROUP_LINES: usize = 16;
/// Bytes judged in one go, unless one line is larger.
const GROUP_BYTES: usize = 256 * 1024;
/// Groups under way at most.
const GROUPS: usize = 32;
/// Bytes under way at most, unless one group is larger.
const BYTES: usize = 8 * 1024 * 1024;
/// Groups whose answers may wait for a sender that does not read yet: about a thousand lines.
const UNREAD: usize = 64;
/// What `id` and `if_match` add to an envelope.
const BESIDE_BYTES: usize = 512;
/// How often a line is offered again when too many writes wait.
const OFFERS: u32 = 10;

type Numbered = (u64, Line);

/// Lines that are judged in one go; no two are about the same submission.
#[derive(Default)]
struct Group {
    lines: Vec<Numbered>,
    about: HashSet<SubmissionId>,
    bytes: usize,
}

impl Group {
    fn is_full(&self) -> bool {
        self.lines.len() >= GROUP_LINES || self.bytes >= GROUP_BYTES
    }

    /// Takes the line, unless it is about the same submission as an earlier one: it must wait for that one to be settled.
    fn take(&mut self, number: u64, line: Line) -> Option<Numbered> {
        let about = match &line {
            Line::Whole(line) => letters::about(line),
            Line::TooLong => None,
        };
        if about.is_some_and(|about| !self.about.insert(about)) {
            return Some((number, line));
        }
        self.bytes += line.bytes();
        self.lines.push((number, line));
        None
    }
}

/// Starts on what `source` brings, and returns the answers. Whoever stops listening has the lines that were read committed
/// all the same.
pub(super) fn start<S, E>(
    desk: Submissions,
    filer: Actor,
    source: S,
) -> impl Stream<Item = Result<Bytes>> + 'static
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    E: Display + 'static,
{
    let (answers, listener) = mpsc::channel(UNREAD);
    let incoming = Incoming::new(&desk, source);
    // What comes from a connection belongs to its thread; the judging does not.
    tokio::task::spawn_local(run(desk, Arc::new(filer), incoming, answers));
    stream::unfold(listener, |mut listener| async move { Some((listener.recv().await?, listener)) })
}

async fn run<S, E>(
    desk: Submissions,
    filer: Arc<Actor>,
    mut incoming: Incoming<S>,
    answers: mpsc::Sender<Result<Bytes>>,
) where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Display,
{
    let mut under_way: VecDeque<UnderWay> = VecDeque::new();
    let mut waiting: Option<Group> = None;
    let mut ended = false;
    loop {
        let meets_none =
            |group: &mut Group| under_way.iter().all(|other| other.about.is_disjoint(&group.about));
        if let Some(group) = waiting.take_if(meets_none) {
            under_way.push_back(UnderWay::begin(&desk, &filer, group));
        }
        let bytes: usize = under_way.iter().map(|group| group.bytes).sum();
        let room = waiting.is_none() && under_way.len() < GROUPS && bytes < BYTES;
        let first = under_way.front_mut();
        let is_idle = first.is_none();
        if is_idle && ended && waiting.is_none() {
            break;
        }
        tokio::select! {
            group = incoming.group(), if room && !ended => match group {
                Some(group) => waiting = Some(group),
                None => ended = true,
            },
            done = async { first.map(|first| &mut first.answers)?.await.ok() }, if !is_idle => {
                under_way.pop_front();
                let text = done.unwrap_or_else(|| Err(Error::internal("filing a batch", "a group was lost")));
                if answers.send(text).await.is_err() {
                    return;
                }
            }
        }
    }
    if let Some(why) = incoming.broken {
        let mut text = Vec::new();
        let written = Answer::refusing(incoming.lines_seen + 1, None, &why).write(&mut text);
        let _ = answers.send(written.map(|()| Bytes::from(text))).await;
    }
}

/// A group that is being judged and committed.
struct UnderWay {
    about: HashSet<SubmissionId>,
    bytes: usize,
    answers: JoinHandle<Result<Bytes>>,
}

impl UnderWay {
    fn begin(desk: &Submissions, filer: &Arc<Actor>, group: Group) -> UnderWay {
        let Group { lines, about, bytes } = group;
        let answers = tokio::spawn(file(desk.clone(), Arc::clone(filer), lines));
        UnderWay { about, bytes, answers }
    }
}

/// Judges lines and stores them; the text of their answers.
async fn file(desk: Submissions, filer: Arc<Actor>, lines: Vec<Numbered>) -> Result<Bytes> {
    let judge = {
        let desk = desk.clone();
        move || {
            lines.into_iter().map(|(number, line)| judged(&desk, &filer, number, line)).collect::<Vec<_>>()
        }
    };
    let judged = tokio::task::spawn_blocking(judge).await;
    let judged = judged.map_err(|cause| Error::internal("judging a batch", cause))?;
    let answers = join_all(judged.into_iter().map(|line| async {
        match line {
            Judged::Ready(ready) => {
                let filed = stored(&desk, &ready.letter, ready.prepared).await;
                Answer::to(ready.number, &ready.letter.id, filed)
            }
            Judged::Refused(answer) => *answer,
        }
    }))
    .await;
    let mut text = Vec::with_capacity(answers.len() * 4096);
    answers.iter().try_for_each(|answer| answer.write(&mut text))?;
    Ok(Bytes::from(text))
}

/// A line, ready to be stored or answered already.
enum Judged {
    Ready(Box<Ready>),
    Refused(Box<Answer>),
}

struct Ready {
    number: u64,
    letter: Letter,
    prepared: Prepared,
}

fn judged(desk: &Submissions, filer: &Arc<Actor>, number: u64, line: Line) -> Judged {
    let line = match line {
        Line::Whole(line) => line,
        Line::TooLong => {
            let limit = desk.limits.submission_bytes;
            let error = Error::too_large("line_too_large", format!("the line is larger than {limit} bytes"));
            return Judged::Refused(Box::new(Answer::refusing(number, None, &error)));
        }
    };
    match letters::read(filer, &line) {
        Err(refused) => Judged::Refused(Box::new(Answer::to_refused(number, *refused))),
        Ok((letter, received)) => match desk.prepare_received(letter.clone(), received) {
            Ok(prepared) => Judged::Ready(Box::new(Ready { number, letter, prepared })),
            Err(error) => {
                Judged::Refused(Box::new(Answer::refusing(number, Some(letter.id.to_string()), &error)))
            }
        },
    }
}

/// Stores a line. Others may fill the writer's queue: a batch is patient.
async fn stored(desk: &Submissions, letter: &Letter, prepared: Prepared) -> Result<Filed> {
    for offer in 0..OFFERS {
        match desk.settle(letter, prepared.clone()).await {
            Err(error) if error.code == "busy" => {
                tokio::time::sleep(Duration::from_millis(10 << offer.min(6))).await;
            }
            settled => return settled,
        }
    }
    desk.settle(letter, prepared).await
}

/// What comes in.
struct Incoming<S> {
    source: S,
    lines: Lines,
    /// A line that has to wait for the group before it.
    held: Option<Numbered>,
    /// Bytes that may still come.
    allowance: usize,
    limit: usize,
    /// The number of the last line taken.
    lines_seen: u64,
    ended: bool,
    /// Why it ended before its end.
    broken: Option<Error>,
}

impl<S, E> Incoming<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Display,
{
    fn new(desk: &Submissions, source: S) -> Incoming<S> {
        let limit = desk.limits.batch_bytes;
        Incoming {
            source,
            lines: Lines::new(desk.limits.submission_bytes + BESIDE_BYTES),
            held: None,
            allowance: limit,
            limit,
            lines_seen: 0,
            ended: false,
            broken: None,
        }
    }

    /// The lines that are here, once there is one; none: there will be no more. It may be dropped and asked again.
    async fn group(&mut self) -> Option<Group> {
        loop {
            let group = self.ready();
            if !group.lines.is_empty() {
                return Some(group);
            }
            if self.ended {
                return None;
            }
            match self.source.next().await {
                Some(Ok(chunk)) => self.take(&chunk),
                // The half line at the end of a broken batch is no line: it will be sent again.
                Some(Err(cause)) => self.end(Some(broke_off(&cause))),
                None => self.end(None),
            }
        }
    }

    fn ready(&mut self) -> Group {
        let mut group = Group::default();
        while !group.is_full() {
            let Some((number, line)) = self.next_line() else { break };
            self.held = group.take(number, line);
            if self.held.is_some() {
                break;
            }
        }
        group
    }

    fn next_line(&mut self) -> Option<Numbered> {
        let mut next = self.held.take().or_else(|| self.lines.next());
        if next.is_none() && self.ended && self.broken.is_none() {
            next = self.lines.last();
        }
        self.lines_seen = next.as_ref().map_or(self.lines_seen, |(number, _)| *number);
        next
    }

    fn take(&mut self, chunk: &[u8]) {
        match self.allowance.checked_sub(chunk.len()) {
            Some(left) => {
                self.allowance = left;
                self.lines.push(chunk);
            }
            None => {
                let detail = format!("a batch has at most {} bytes; send the rest as another", self.limit);
                self.end(Some(Error::too_large("batch_too_large", detail)));
            }
        }
    }

    fn end(&mut self, why: Option<Error>) {
        self.ended = true;
        self.broken = why;
    }
}

impl Line {
    fn bytes(&self) -> usize {
        match self {
            Line::Whole(line) => line.len(),
            Line::TooLong => 0,
        }
    }
}

fn broke_off(cause: &impl Display) -> Error {
    Error::invalid(
        "body_truncated",
        format!("the batch broke off or cannot be unpacked: {cause}; send what has no answer again"),
    )
}
