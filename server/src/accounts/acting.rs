//! Somebody who acts on something that was read before: who it is, on what, and which version of it was on the page.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::Actor;
use crate::error::{Error, Result};
use crate::http::{OnPage, PathId};

/// Who acts, and on what.
pub struct Acting<Id> {
    /// Who.
    pub actor: Actor,
    /// On what, and as it stood when.
    pub page: OnPage<Id>,
}

impl<Id: PathId + 'static> FromRequest for Acting<Id> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Acting<Id>>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (actor, page) = (Actor::from_request(request, payload), OnPage::of(request));
        // Who it is comes first: a stranger is not told what is wrong with the request.
        Box::pin(async move { Ok(Acting { actor: actor.await?, page: page? }) })
    }
}
