//! Photos after the answers. A small one goes by PUT while the link holds; a larger one is announced together with its
//! first bytes (tus 1.0, creation-with-upload). Whatever breaks off is asked about and gone on with from where it stands:
//! an upload whose place was in a lost answer is found again by announcing it once more. No byte the server has
//! acknowledged is sent twice.

use std::cmp::Reverse;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::answer::{Hindrance, Said};
use super::machine::Event;
use super::model::{Item, Photo, Way};
use super::phone::{Gone, Phone};
use super::wire::{Ask, Reply};
use crate::error::Error;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: &str = "application/offset+octet-stream";

impl Phone {
    /// Sends the photos of everything whose answers have arrived.
    pub(super) async fn send_photos(&mut self) -> Result<(), Gone> {
        for id in self.due_photos() {
            while let Some((item, at)) = self.next_photo(id) {
                if !self.not_before(&item).is_zero() {
                    break;
                }
                match self.one_step(item.clone(), at).await {
                    Ok(way) => self.came_so_far(item, at, way)?,
                    Err(Step::Hindered(way, Hindrance::Faulty { after, why })) => {
                        let mut item = item;
                        item.photos[at].way = way;
                        self.delay(item, after, why)?;
                    }
                    Err(Step::Hindered(way, hindrance)) => {
                        self.came_so_far(item, at, way)?;
                        return Err(hindrance.into());
                    }
                    Err(Step::Disk(error)) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn due_photos(&self) -> Vec<Uuid> {
        let mut due: Vec<&Item> =
            self.items().filter(|item| item.state.wants_photos() && item.next_photo().is_some()).collect();
        let urgent = |item: &Item| item.judged.as_ref().is_some_and(|judged| judged.urgent);
        due.sort_by_key(|item| (Reverse(urgent(item)), item.visit.finished_at, item.id));
        due.into_iter().map(|item| item.id).collect()
    }

    fn next_photo(&self, id: Uuid) -> Option<(Item, usize)> {
        let item = self.item(id)?;
        Some((item.clone(), item.next_photo()?))
    }

    /// Writes down how far a photo has come; with the last one the item is complete.
    fn came_so_far(&mut self, mut item: Item, at: usize, way: Way) -> Result<(), Error> {
        let Some(photo) = item.photos.get_mut(at) else { return Ok(()) };
        let before = std::mem::replace(&mut photo.way, way);
        if photo.way == Way::Arrived {
            self.tally.photos += 1;
            self.tally.needed += photo.size;
            item.failures = 0;
        }
        if photo.way != before {
            self.progress();
        }
        if item.has_all_photos_there() {
            item.state = item.state.after(Event::LastPhoto).unwrap_or(item.state);
        }
        self.queue.put(item)
    }

    /// One request that brings a photo further.
    async fn one_step(&mut self, item: Item, at: usize) -> Result<Way, Step> {
        let photo = item.photos[at].clone();
        match photo.way.clone() {
            Way::Waiting { doubted: false } if self.goes_in_one(photo.size) => {
                self.whole(&item, &photo).await
            }
            Way::Waiting { doubted } => self.announce(item, at, &photo, doubted).await,
            Way::Uploading { upload, offset, asked: true } => self.how_far(&photo, &upload, offset).await,
            Way::Uploading { upload, offset, asked: false } => {
                self.carry_on(item, at, &photo, &upload, offset).await
            }
            done => Ok(done),
        }
    }

    fn goes_in_one(&self, size: u64) -> bool {
        self.takes_no_uploads || !self.link.wants_upload(size)
    }

    /// The photo in one request.
    async fn whole(&mut self, item: &Item, photo: &Photo) -> Result<Way, Step> {
        let path = format!("/v1/submissions/{}/media/{}", item.id, photo.name);
        let bytes = self.queue.photo(&photo.sha256)?;
        let ask = Ask::new(Method::PUT, path).body(&photo.content_type, bytes);
        let doubted = Way::Waiting { doubted: !self.takes_no_uploads };
        let said = match self.ask(ask).await {
            Ok(reply) => reply.said(),
            Err(hindrance) => Err(hindrance),
        };
        match said {
            Ok(Said::Yes(_, arrived)) if is_of(photo, &arrived) => Ok(Way::Arrived),
            Ok(Said::Yes(..)) => Err(Step::later(doubted, "an answer about another file")),
            Ok(Said::No(problem)) => Ok(Way::Refused { code: problem.code }),
            Err(hindrance) => Err(Step::Hindered(doubted, hindrance)),
        }
    }

    /// Announces a photo: with its first bytes; or, when it was sent once without an answer, alone, to be told where it
    /// stands. If the server has the file already, it says so, and there is nothing to send.
    async fn announce(
        &mut self,
        mut item: Item,
        at: usize,
        photo: &Photo,
        doubted: bool,
    ) -> Result<Way, Step> {
        let in_doubt = Way::Waiting { doubted: true };
        // Written down first: a phone that dies in the midst asks before it sends.
        item.photos[at].way = in_doubt.clone();
        self.queue.put(item.clone())?;
        let mut ask = Ask::new(Method::POST, "/v1/uploads")
            .header(TUS.0, TUS.1)
            .header("upload-length", photo.size.to_string())
            .header("upload-metadata", metadata(&item, photo));
        if !doubted {
            let first = self.link.chunk(photo.size) as usize;
            ask = ask.body(CHUNK, self.queue.photo(&photo.sha256)?.slice(..first));
        }
        let reply = match self.ask(ask).await {
            Ok(reply) => reply,
            Err(hindrance) => return Err(Step::Hindered(in_doubt, hindrance)),
        };
        match reply.status {
            201 => {}
            // It was announced before, and bytes came: ask how many.
            409 | 460 if !doubted => return Ok(in_doubt),
            _ => return self.unexpected(&reply, photo),
        }
        let offset = reply.number("upload-offset").unwrap_or(0);
        if doubted {
            self.link.found_after_tear(offset, self.link.chunk(photo.size));
        }
        match reply.header("location").map(path_of) {
            Some(upload) => Ok(self.at(photo, &upload, offset)),
            None => Err(Step::later(photo.way.clone(), "an upload without a place")),
        }
    }

    /// Asks how far an upload came.
    async fn how_far(&mut self, photo: &Photo, upload: &str, known: u64) -> Result<Way, Step> {
        let reply = self.step(Ask::new(Method::HEAD, upload).header(TUS.0, TUS.1), photo).await?;
        match (reply.status, reply.number("upload-offset")) {
            (200 | 204, Some(offset)) => {
                let arrived = offset.saturating_sub(known);
                self.link.found_after_tear(arrived, self.link.chunk(photo.size - known.min(photo.size)));
                self.tally.restarted += u64::from(offset < known);
                Ok(self.at(photo, upload, offset))
            }
            _ => self.unexpected(&reply, photo),
        }
    }

    /// Sends the next chunk.
    async fn carry_on(
        &mut self,
        mut item: Item,
        at: usize,
        photo: &Photo,
        upload: &str,
        offset: u64,
    ) -> Result<Way, Step> {
        let bytes = self.queue.photo(&photo.sha256)?;
        let end = offset + self.link.chunk(photo.size - offset);
        let in_doubt = Way::Uploading { upload: upload.to_owned(), offset, asked: true };
        // Written down first: a phone that dies in the midst asks before it sends.
        item.photos[at].way = in_doubt.clone();
        self.queue.put(item)?;
        let ask = Ask::new(Method::PATCH, upload)
            .header(TUS.0, TUS.1)
            .header("upload-offset", offset.to_string())
            .body(CHUNK, bytes.slice(offset as usize..end as usize));
        let reply = match self.ask(ask).await {
            Ok(reply) => reply,
            Err(hindrance) => return Err(Step::Hindered(in_doubt, hindrance)),
        };
        match (reply.status, reply.number("upload-offset")) {
            (204, Some(now)) if now == offset && end > offset => {
                Err(Step::later(in_doubt, "nothing of what was sent counted"))
            }
            (204, Some(now)) => Ok(self.at(photo, upload, now)),
            // Somebody else's bytes came first, or this was sent twice: ask.
            (409 | 460, _) => Ok(in_doubt),
            _ => self.unexpected(&reply, photo),
        }
    }

    fn at(&self, photo: &Photo, upload: &str, offset: u64) -> Way {
        match offset == photo.size {
            true => Way::Arrived,
            false => {
                Way::Uploading { upload: upload.to_owned(), offset: offset.min(photo.size), asked: false }
            }
        }
    }

    async fn step(&mut self, ask: Ask, photo: &Photo) -> Result<Reply, Step> {
        self.ask(ask).await.map_err(|hindrance| Step::Hindered(photo.way.clone(), hindrance))
    }

    /// An answer that is none of those a resumable upload goes on with.
    fn unexpected(&mut self, reply: &Reply, photo: &Photo) -> Result<Way, Step> {
        let ours = reply.header(TUS.0).is_some() || reply.problem().is_some();
        if ours && matches!(reply.status, 404 | 410) {
            if let Way::Uploading { offset, .. } = photo.way {
                // Expired or swept: begun again, and counted, since what was sent is lost.
                self.tally.restarted += u64::from(offset > 0);
                return Ok(Way::Waiting { doubted: true });
            }
            self.takes_no_uploads = reply.problem().is_some_and(|problem| problem.code == "path_unknown");
            if self.takes_no_uploads {
                return Ok(Way::Waiting { doubted: false });
            }
        }
        match reply.said() {
            Ok(Said::No(problem)) => Ok(Way::Refused { code: problem.code }),
            Ok(Said::Yes(status, _)) => {
                Err(Step::later(photo.way.clone(), &format!("answered {status} without an offset")))
            }
            Err(hindrance) => Err(Step::Hindered(photo.way.clone(), hindrance)),
        }
    }
}

/// Why a photo did not come further.
enum Step {
    /// The network or the server; how far it has come all the same.
    Hindered(Way, Hindrance),
    /// The phone's own disk.
    Disk(Error),
}

impl Step {
    fn later(way: Way, why: &str) -> Step {
        Step::Hindered(way, Hindrance::Later { why: why.to_owned(), after: None })
    }
}

impl From<Error> for Step {
    fn from(error: Error) -> Step {
        Step::Disk(error)
    }
}

/// Whether the server speaks of this very file.
fn is_of(photo: &Photo, arrived: &Value) -> bool {
    arrived.get("sha256").and_then(Value::as_str) == Some(&photo.sha256)
}

fn metadata(item: &Item, photo: &Photo) -> String {
    let id = item.id.to_string();
    let pairs = [
        ("sha256", &photo.sha256),
        ("type", &photo.content_type),
        ("submission", &id),
        ("name", &photo.name),
    ];
    let said = pairs.map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).join(",");
    // Should the server have a part of it already, this phone can go on from there.
    format!("{said},resume")
}

/// The path of an upload's place, which may be given as a path or as a whole address.
fn path_of(location: &str) -> String {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => location.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_an_address() {
        assert_eq!(path_of("/v1/uploads/7"), "/v1/uploads/7");
        assert_eq!(path_of("https://nigran.example/v1/uploads/7"), "/v1/uploads/7");
    }
}
