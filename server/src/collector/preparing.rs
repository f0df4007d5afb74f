//! What a phone has to know before it goes out of reach: whose it is, the keys receipts are signed with, and which release of
//! each form is given out.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::phone::{Gone, Phone};
use super::rules;
use super::wire::Ask;
use crate::error::Result;

/// Which release of each form is given out to the phone.
const GIVEN: &str = "given.json";

impl Phone {
    /// Who owns the phone, and the keys receipts are signed with: asked once, and kept.
    pub(super) async fn know_who_i_am(&mut self) -> Result<(), Gone> {
        if self.user.is_none() {
            let me = self.read("/v1/me").await?;
            let me = me.as_object().cloned().unwrap_or_default();
            self.queue.write("me.json", &me)?;
            self.user = Some(rules::user(&me));
        }
        if self.keys.is_none() {
            self.fetch_keys().await?;
        }
        Ok(())
    }

    pub(super) async fn fetch_keys(&mut self) -> Result<(), Gone> {
        let keys = self.read("/.well-known/jwks.json").await?;
        self.queue.write("keys.json", &keys)?;
        self.keys = Some(keys);
        Ok(())
    }

    /// Makes sure the phone knows its owner and holds the current releases of these forms.
    ///
    /// # Errors
    /// What hindered it, as a sentence.
    pub async fn prepare(&mut self, forms: &[&str]) -> Result<()> {
        self.be_prepared(forms).await.map_err(Gone::into_error)
    }

    async fn be_prepared(&mut self, forms: &[&str]) -> Result<(), Gone> {
        self.know_who_i_am().await?;
        let listed = self.read("/v1/forms").await?;
        for listed in listed.get("items").and_then(Value::as_array).into_iter().flatten() {
            let text = |member: &str| listed.get(member).and_then(Value::as_str).unwrap_or_default();
            let (form, hash) = (text("form"), text("hash"));
            if !forms.contains(&form) {
                continue;
            }
            let version = listed.get("version").and_then(Value::as_u64).unwrap_or_default();
            self.is_given(form, u32::try_from(version).ok())?;
            if self.settings.shelf.by_hash(hash).is_some() {
                continue;
            }
            let path = format!("/v1/forms/{form}/releases/{version}");
            let reply = self.ask(Ask::new(Method::GET, path).answer_packed()).await?;
            self.settings.shelf.take(&reply.body, hash)?;
        }
        Ok(())
    }

    /// The release of a form that new visits are begun with: what the server gave last, which after a release was taken back is
    /// not the highest. None: there is none on the phone, or none is given out any more.
    pub fn newest(&self, form: &str) -> Option<u32> {
        let on_the_shelf = |version: &u32| self.settings.shelf.release(form, *version).is_some();
        match self.given().get(form) {
            Some(version) => version.filter(on_the_shelf),
            None => (1..=1000).rev().find(on_the_shelf),
        }
    }

    fn given(&self) -> BTreeMap<String, Option<u32>> {
        self.queue.read(GIVEN).ok().flatten().unwrap_or_default()
    }

    /// Remembers which release of a form is given out to this phone.
    pub(super) fn is_given(&mut self, form: &str, version: Option<u32>) -> Result<()> {
        let mut given = self.given();
        if given.get(form) == Some(&version) {
            return Ok(());
        }
        given.insert(form.to_owned(), version);
        self.queue.write(GIVEN, &given)
    }

    /// Remembers that a release is given out no more; another one may be already.
    pub(super) fn is_withdrawn(&mut self, form: &str, version: u32) -> Result<()> {
        match self.newest(form) == Some(version) {
            true => self.is_given(form, None),
            false => Ok(()),
        }
    }
}
