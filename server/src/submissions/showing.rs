//! Which picture of a photo a reader gets. What people look at is a copy: upright, bounded, and without what the camera
//! wrote (position, time, device). The original is evidence and sealed: it is for those who may see everything, they
//! give a reason, and the log says that they had it. Whoever filed it reads it back while they may read their own
//! answers, since their phone holds it anyway and compares it byte for byte.

use serde::Deserialize;

use super::Submissions;
use super::model::SubmissionId;
use super::reading::Reader;
use crate::accounts::Permission;
use crate::error::{Error, Result};
use crate::media::{self, ByteRange, Held, Hurry, MediaHash, MediaName, Opened, Photo, Shown};

/// Which picture is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Size {
    /// A small picture for lists.
    Thumb,
    /// The copy without metadata.
    Copy,
    /// The file as it was sent.
    Original,
}

/// `?size=…&reason=…`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wish {
    /// `thumb`: a small picture; `original`: the file as it was sent, which needs a reason; `copy`: without metadata,
    /// which is also what is given unless told otherwise. Filers get back what they sent.
    #[param(inline)]
    pub(super) size: Option<Size>,
    /// Why the original is wanted, such as `case-review`; recorded in the audit log.
    pub(super) reason: Option<String>,
}

/// What is served: its size, its kind, and a name for this content.
pub(super) struct Served {
    what: What,
    pub(super) total: u64,
    pub(super) content_type: String,
    pub(super) tag: String,
}

enum What {
    Original(MediaHash),
    Picture { photo: Box<Photo>, shown: Shown, original_type: String },
}

impl Submissions {
    /// Finds what the reader gets of the file `name`, and records that they do.
    pub(super) async fn served(
        &self,
        reader: Reader,
        id: SubmissionId,
        name: &MediaName,
        wish: Option<Size>,
    ) -> Result<Served> {
        let head = self.visible(&reader, &id).await?;
        reader.actor.may(Permission::ReadPhotos)?;
        let (wanted, holder) = (name.clone(), head.id.clone());
        let held = self.db.read(move |conn| media::find(conn, holder.as_str(), &wanted)).await?;
        let held = held.ok_or_else(|| unknown_file(&id, name))?;
        let sees_all =
            reader.sees_sensitive(&head, self.clock.now()) && reader.actor.may(Permission::ReadRaw).is_ok();
        let has_pictures = name.kind().is_decoded();
        let original = match wish {
            Some(Size::Original) => true,
            Some(Size::Thumb | Size::Copy) => false,
            None => sees_all && (reader.is_filer(&head) || !has_pictures),
        };
        if original && !sees_all || wish.is_none() && !has_pictures && !sees_all {
            return Err(sealed(name));
        }
        let served = match original {
            true => original_of(&held)?,
            false => self.picture_of(held, name, wish).await?,
        };
        self.note_reading(&reader, &head, if original { "media_original" } else { "media" }).await?;
        Ok(served)
    }

    async fn picture_of(&self, held: Held, name: &MediaName, wish: Option<Size>) -> Result<Served> {
        let (shown, suffix) = match wish {
            Some(Size::Thumb) => (Shown::Thumbnail, "thumb"),
            _ => (Shown::Copy, "copy"),
        };
        if !name.kind().is_decoded() {
            return Err(no_picture(shown, name, "files of its kind are kept as they are"));
        }
        let sha256 = MediaHash::parse(&held.sha256)?;
        let photo = self.media.understand(&self.db, &sha256, &held.content_type, Hurry::Reader).await?;
        let Some(total) = shown.size_of(&photo) else {
            let why = match photo.why.as_deref() {
                Some("too_many_pixels") => "it has too many pixels",
                Some("truncated") => "the file ends before the picture does",
                _ => "the file is damaged",
            };
            return Err(no_picture(shown, name, why));
        };
        let tag = format!("{}-{suffix}", held.sha256);
        let what = What::Picture { photo: Box::new(photo), shown, original_type: held.content_type };
        Ok(Served { what, total, content_type: "image/jpeg".to_owned(), tag })
    }

    /// A link to what is served, where the operator wants it read from the store itself.
    pub(super) async fn link_served(&self, served: &Served) -> Result<Option<String>> {
        match &served.what {
            What::Original(sha256) => self.media.link(sha256, &served.content_type).await,
            What::Picture { photo, shown, .. } => self.media.link_picture(photo, *shown).await,
        }
    }

    /// Opens what is served, or a part of it.
    pub(super) async fn open_served(&self, served: &Served, range: Option<ByteRange>) -> Result<Opened> {
        match &served.what {
            What::Original(sha256) => self.media.open(sha256, range).await,
            What::Picture { photo, shown, original_type } => {
                self.media.open_picture(&self.db, photo, original_type, *shown, range).await
            }
        }
    }
}

fn original_of(held: &Held) -> Result<Served> {
    Ok(Served {
        what: What::Original(MediaHash::parse(&held.sha256)?),
        total: held.size as u64,
        content_type: held.content_type.clone(),
        tag: held.sha256.clone(),
    })
}

fn unknown_file(id: &SubmissionId, name: &MediaName) -> Error {
    Error::not_found("media_unknown", format!("submission {id} has no file {} yet", name.as_str()))
}

fn sealed(name: &MediaName) -> Error {
    let detail = format!(
        "the original of {} is sealed; those who may see it ask for ?size=original&reason=, and the log says so",
        name.as_str()
    );
    Error::forbidden("original_sealed", detail)
}

fn no_picture(shown: Shown, name: &MediaName, why: &str) -> Error {
    let (code, what) = match shown {
        Shown::Copy => ("no_copy", "copy"),
        Shown::Thumbnail => ("no_thumbnail", "thumbnail"),
    };
    let detail = format!(
        "there is no {what} of {}: {why}; those who may see the original ask for ?size=original&reason=",
        name.as_str()
    );
    Error::not_found(code, detail)
}
