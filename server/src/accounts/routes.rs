//! The room's HTTP: logging in and staying so, who I am, and the administration of accounts and devices.

use std::net::IpAddr;

use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Account, AccountId, AccountStatus, Device, Line, Role};
use super::permissions::Permission;
use super::requests::{AccountChange, Created, NewAccount, NewPassword};
use super::sessions::{Login, Refresh, TokenPair};
use super::store::{WantedAccounts, WantedDevices, Within};
use super::{Accounts, Actor, checks};
use crate::error::{Error, Result};
use crate::http::{Cursor, Page, Problem, Problems};

/// Brings the room's operations.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(login)
        .service(refresh)
        .service(logout)
        .service(jwks)
        .service(me)
        .service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(set_password)
        .service(devices)
        .service(revoke_device);
}

/// Log in. After too many failures the answer is 429 and `Retry-After` says how long to wait.
#[utoipa::path(tag = "accounts", security(()), request_body = Login, responses(
    (status = OK, body = TokenPair),
    (status = 429, description = "Too many failed logins; see Retry-After.", body = Problem,
        content_type = "application/problem+json"),
    Problems,
))]
#[post("/v1/auth/login")]
async fn login(accounts: Data<Accounts>, request: HttpRequest, body: Json<Login>) -> Result<impl Responder> {
    Ok(unkept(&accounts.login(body.into_inner(), address_of(&request)).await?))
}

/// Get the next pair of tokens. A refresh token works once; used twice, it closes the session.
#[utoipa::path(tag = "accounts", security(()), request_body = Refresh, responses((status = OK, body = TokenPair), Problems))]
#[post("/v1/auth/refresh")]
async fn refresh(accounts: Data<Accounts>, body: Json<Refresh>) -> Result<impl Responder> {
    Ok(unkept(&accounts.refresh(&body.refresh_token).await?))
}

/// Log out: closes the session of the access token.
#[utoipa::path(tag = "accounts", responses((status = NO_CONTENT), Problems))]
#[post("/v1/auth/logout")]
async fn logout(accounts: Data<Accounts>, actor: Actor) -> Result<impl Responder> {
    accounts.logout(&actor).await?;
    Ok(HttpResponse::NoContent())
}

/// The public keys our tokens and receipts are signed with.
#[utoipa::path(tag = "accounts", security(()), responses((status = OK, body = Value, example = json!({ "keys": [{
    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
    "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
}] }))))]
#[get("/.well-known/jwks.json")]
async fn jwks(accounts: Data<Accounts>) -> impl Responder {
    HttpResponse::Ok().insert_header(("Cache-Control", "public, max-age=300")).json(accounts.tokens().jwks())
}

/// Who someone is and what they may do.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41", "username": "inspector", "name": "Labour inspector, Quetta",
    "code": "INS-001", "role": "inspector", "line": "labour", "chair": false, "unit": null, "areas": ["PK226"],
    "permissions": ["inspections.file", "inspections.read", "photos.read", "forms.read", "places.read"],
    "device": "phone-7f3a"
}))]
struct Me {
    /// The account.
    id: AccountId,
    /// The name to log in with.
    username: String,
    /// The person's name.
    name: String,
    /// The person's code.
    code: String,
    /// The role.
    role: Role,
    /// The line, where the role has one.
    line: Option<Line>,
    /// Chair of the Steering Committee.
    chair: bool,
    /// The Child Protection Unit of a case worker.
    unit: Option<String>,
    /// Codes of the areas the person works in.
    areas: Vec<String>,
    /// What the person may do.
    permissions: Vec<Permission>,
    /// The device logged in from, if it was named.
    device: Option<String>,
}

/// Who am I, and what may I do?
#[utoipa::path(tag = "accounts", responses((status = OK, body = Me), Problems))]
#[get("/v1/me")]
async fn me(actor: Actor) -> Json<Me> {
    Json(Me {
        permissions: actor.permissions(),
        id: actor.account,
        username: actor.username,
        name: actor.name,
        code: actor.code,
        role: actor.role,
        line: actor.line,
        chair: actor.chair,
        unit: actor.unit,
        areas: actor.areas,
        device: actor.device,
    })
}

/// Which accounts to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AccountFilter {
    /// Only this role.
    role: Option<Role>,
    /// Only this status.
    status: Option<AccountStatus>,
}

/// List accounts, by username: all for an administrator, those of the district for a supervisor.
#[utoipa::path(tag = "accounts", params(AccountFilter, Cursor),
    responses((status = OK, body = Page<Account>), Problems))]
#[get("/v1/accounts")]
async fn list(
    accounts: Data<Accounts>,
    actor: Actor,
    filter: Query<AccountFilter>,
    page: Query<Cursor>,
) -> Result<Json<Page<Account>>> {
    actor.may(Permission::ReadAccounts)?;
    let wanted = WantedAccounts {
        within: Within::of(&actor),
        role: filter.role,
        status: filter.status,
        after: page.place::<String>()?.map(|after| checks::username(&after)).transpose()?,
        limit: page.limit(),
    };
    let found = accounts.accounts(wanted).await?;
    Ok(Json(Page::of(found, page.limit(), |account| account.username.clone())))
}

/// Make an account. Without a `password` a random one is made up and shown in the answer, once.
#[utoipa::path(tag = "accounts", request_body = NewAccount, responses(
    (status = CREATED, body = Created),
    (status = CONFLICT, description = "Username or code is taken.", body = Problem, content_type = "application/problem+json"),
    Problems,
))]
#[post("/v1/accounts")]
async fn create(accounts: Data<Accounts>, actor: Actor, body: Json<NewAccount>) -> Result<impl Responder> {
    actor.may(Permission::ManageAccounts)?;
    let created = accounts.create(actor.by(), body.into_inner()).await?;
    let location = format!("/v1/accounts/{}", created.account.id);
    Ok(HttpResponse::Created().insert_header(("Location", location)).insert_header(NO_STORE).json(created))
}

/// Read one account.
#[utoipa::path(tag = "accounts", params(("id" = AccountId, Path)),
    responses((status = OK, body = Account), Problems))]
#[get("/v1/accounts/{id}")]
async fn read(accounts: Data<Accounts>, actor: Actor, id: Path<AccountId>) -> Result<Json<Account>> {
    actor.may(Permission::ReadAccounts)?;
    accounts.account(Within::of(&actor), id.into_inner()).await.map(Json)
}

/// Change an account. Disabling it closes its sessions at once.
#[utoipa::path(tag = "accounts", params(("id" = AccountId, Path)), request_body = AccountChange,
    responses(
        (status = OK, body = Account),
        (status = CONFLICT, description = "One's own account, the last administrator, or a second chair.", body = Problem,
            content_type = "application/problem+json"),
        Problems,
    ))]
#[patch("/v1/accounts/{id}")]
async fn change(
    accounts: Data<Accounts>,
    actor: Actor,
    id: Path<AccountId>,
    body: Json<AccountChange>,
) -> Result<Json<Account>> {
    actor.may(Permission::ManageAccounts)?;
    accounts.change(actor.by(), id.into_inner(), body.into_inner()).await.map(Json)
}

/// Set a password: an administrator anybody's, everybody their own with the `current` one. Closes the account's other sessions.
#[utoipa::path(tag = "accounts", params(("id" = AccountId, Path)), request_body = NewPassword,
    responses(
        (status = OK, body = Created),
        (status = 429, description = "The present password was wrong too often; see Retry-After.", body = Problem,
            content_type = "application/problem+json"),
        Problems,
    ))]
#[post("/v1/accounts/{id}/password")]
async fn set_password(
    accounts: Data<Accounts>,
    actor: Actor,
    request: HttpRequest,
    id: Path<AccountId>,
    body: Json<NewPassword>,
) -> Result<impl Responder> {
    if actor.account != *id {
        actor.may(Permission::ManageAccounts)?;
    }
    let changed =
        accounts.set_password(&actor, id.into_inner(), body.into_inner(), address_of(&request)).await?;
    Ok(unkept(&changed))
}

/// Which devices to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DeviceFilter {
    /// Only this person's.
    account: Option<AccountId>,
}

/// List devices: all for an administrator, those of the district's people for a supervisor.
#[utoipa::path(tag = "accounts", params(DeviceFilter, Cursor),
    responses((status = OK, body = Page<Device>), Problems))]
#[get("/v1/devices")]
async fn devices(
    accounts: Data<Accounts>,
    actor: Actor,
    filter: Query<DeviceFilter>,
    page: Query<Cursor>,
) -> Result<Json<Page<Device>>> {
    actor.may(Permission::ReadDevices)?;
    let after = page.place::<(AccountId, String)>()?;
    if after.as_ref().is_some_and(|(_, id)| !checks::is_device_id(id)) {
        return Err(Error::invalid("bad_cursor", "`after` must be the `next` of an earlier page, unchanged"));
    }
    let account = filter.into_inner().account;
    let wanted = WantedDevices { within: Within::of(&actor), account, after, limit: page.limit() };
    let found = accounts.devices(wanted).await?;
    Ok(Json(Page::of(found, page.limit(), |device| (device.account.clone(), device.id.clone()))))
}

/// Revoke a device, whoever logs in from it: its sessions are closed, and nobody logs in from it again.
#[utoipa::path(tag = "accounts", params(("id" = String, Path, description = "The device's id.")),
    responses((status = OK, body = Vec<Device>), Problems))]
#[post("/v1/devices/{id}/revoke")]
async fn revoke_device(
    accounts: Data<Accounts>,
    actor: Actor,
    id: Path<String>,
) -> Result<Json<Vec<Device>>> {
    actor.may(Permission::ManageDevices)?;
    let id = id.into_inner();
    if !checks::is_device_id(&id) {
        return Err(Error::not_found("device_not_found", "there is no device with such an id"));
    }
    accounts.revoke_device(actor.by(), id).await.map(Json)
}

const NO_STORE: (&str, &str) = ("Cache-Control", "no-store");

/// An answer with a secret in it, which nobody on the way may keep.
fn unkept(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(NO_STORE).json(body)
}

/// Where the caller is. A proxy on this machine says on whose behalf it asks, last in `X-Forwarded-For`; what anybody
/// farther away writes there is not believed.
fn address_of(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let forwarded = || {
        let header = request.headers().get_all("x-forwarded-for").last()?.to_str().ok()?;
        header.rsplit(',').next()?.trim().parse().ok()
    };
    Some(if peer.is_loopback() { forwarded().unwrap_or(peer) } else { peer })
}
