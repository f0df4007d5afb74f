//! Completes the description of the interface: what is so of every operation is said once, here, and not in a hundred
//! annotations. Generators and checkers take the description at its word, so it must be whole.

use std::collections::{HashMap, HashSet};

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};

/// Gives every operation a name of its own, says of every answer what its status means, and of every operation how bodies are refused.
pub(super) fn complete(api: &mut OpenApi) {
    name_operations(api);
    for item in api.paths.paths.values_mut() {
        for operation in operations(item) {
            refusals_of_bodies(operation);
            for (status, answer) in &mut operation.responses.responses {
                if let RefOr::T(answer) = answer
                    && answer.description.is_empty()
                {
                    meaning(status).clone_into(&mut answer.description);
                }
            }
        }
    }
}

/// Handlers are named within their room (`list`, `show`); where two rooms use a name, the room goes in front of it.
fn name_operations(api: &mut OpenApi) {
    let mut known: HashMap<String, usize> = HashMap::new();
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        *known.entry(operation.operation_id.clone().unwrap_or_default()).or_default() += 1;
    }
    let mut given = HashSet::new();
    for (path, item) in &mut api.paths.paths {
        for operation in operations(item) {
            let name = operation.operation_id.clone().unwrap_or_default();
            if known.get(&name).is_some_and(|count| *count > 1) {
                let room = operation.tags.as_ref().and_then(|tags| tags.first()).cloned().unwrap_or_default();
                operation.operation_id = Some(format!("{room}_{name}"));
            }
            let name = operation.operation_id.clone().unwrap_or_default();
            if !given.insert(name.clone()) {
                tracing::error!(name, path, "two operations have one name; rename one of the handlers");
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, .. } = item;
    [get, put, post, delete, options, head, patch].into_iter().flatten()
}

fn refusals_of_bodies(operation: &mut Operation) {
    if operation.request_body.is_none() {
        return;
    }
    for (status, why) in
        [("413", "The body is larger than is taken here"), ("415", "The body is of a kind not taken here")]
    {
        let responses = &mut operation.responses.responses;
        if !responses.contains_key(status) {
            responses.insert(status.to_owned(), RefOr::T(problem(why)));
        }
    }
}

fn problem(why: &str) -> Response {
    let mut response = Response::new(why);
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    response.content.insert("application/problem+json".to_owned(), content);
    response
}

fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "It is so",
        "201" => "It was made",
        "202" => "It is taken, and not done yet",
        "204" => "It is done; there is nothing to say",
        "206" => "The part that was asked for",
        "304" => "What you have is current",
        "400" => "The request cannot be understood",
        "401" => "Not logged in, or the token is not good",
        "403" => "Not allowed",
        "404" => "No such thing, or none you may know of",
        "409" => "Something else stands in its place",
        "410" => "It is gone",
        "412" => "You knew an older state than the one stored",
        "413" => "Too large",
        "415" => "Of a kind not taken here",
        "416" => "There is no such part",
        "429" => "Too many attempts; see Retry-After",
        "460" => "Damaged on the way",
        "503" => "Not possible at the moment; see Retry-After",
        _ => "See the code of the problem",
    }
}
