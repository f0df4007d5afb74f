//! The second persons: the head of the Labour Department and the Deputy Director decide what supervisors ask for.

use serde_json::{Value, json};

use super::people::{Ask, Person, text};
use crate::error::Result;

/// A sitting of somebody who decides.
pub(super) async fn sit(who: &mut Person) -> Result<()> {
    let found = who.list("/v1/findings?limit=200").await?;
    for it in found.iter().filter(|it| it.get("proposal").is_some_and(Value::is_string)) {
        let agree = who.chance.happens(0.6);
        let said = json!({ "agree": agree, "comment": if agree { "The papers were seen." } else { "Go there again." } });
        let path = format!("/v1/findings/{}/proposal", text(it, "id"));
        who.ask(Ask::post(path, &said).on(&it["version"])).await?;
    }
    Ok(())
}
