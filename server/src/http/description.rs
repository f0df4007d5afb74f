//! Completes the description of the interface: what is so of every operation is said once, here, and not in a hundred
//! annotations. Generators and checkers take the description at its word, so it must be whole.

use std::collections::{HashMap, HashSet};

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};

const PROBLEM: &str = "application/problem+json";

/// Gives every operation a name of its own, says of every answer what its status means, and of every operation how bodies are refused.
pub(super) fn complete(api: &mut OpenApi) {
    name_operations(api);
    for item in api.paths.paths.values_mut() {
        for operation in operations(item) {
            refusals_of_bodies(operation);
            for (status, answer) in &mut operation.responses.responses {
                let RefOr::T(answer) = answer else { continue };
                if answer.description.is_empty() {
                    meaning(status).clone_into(&mut answer.description);
                }
                if let Some(content) = answer.content.get_mut(PROBLEM) {
                    *content = RefOr::T(Content::new(Some(Ref::from_schema_name("Problem"))));
                }
            }
        }
    }
}

/// Handlers are named within their file (`list`, `show`). Where two use a name, the room goes in front of it; where that
/// is not enough, the end of the path or the method behind it.
fn name_operations(api: &mut OpenApi) {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        *uses.entry(name_of(operation)).or_default() += 1;
    }
    let mut in_room: HashMap<String, usize> = HashMap::new();
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        if uses.get(&name_of(operation)).is_some_and(|uses| *uses > 1) {
            let room = operation.tags.as_ref().and_then(|tags| tags.first()).cloned().unwrap_or_default();
            operation.operation_id = Some(format!("{room}_{}", name_of(operation)));
        }
        *in_room.entry(name_of(operation)).or_default() += 1;
    }
    let mut given = HashSet::new();
    for (path, item) in &mut api.paths.paths {
        let end = path.rsplit('/').next().filter(|end| !end.contains('{'));
        for (method, operation) in with_methods(item) {
            let name = name_of(operation);
            let is_shared = in_room.get(&name).is_some_and(|uses| *uses > 1);
            let name = end.filter(|_| is_shared).map_or(name.clone(), |end| format!("{name}_{end}"));
            let name = if given.contains(&name) { format!("{name}_{method}") } else { name };
            given.insert(name.clone());
            operation.operation_id = Some(name);
        }
    }
}

fn name_of(operation: &Operation) -> String {
    operation.operation_id.clone().unwrap_or_default()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    with_methods(item).map(|(_, operation)| operation)
}

fn with_methods(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, options, head, patch, .. } = item;
    let all = [
        ("get", get),
        ("put", put),
        ("post", post),
        ("delete", delete),
        ("options", options),
        ("head", head),
        ("patch", patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
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
    response.content.insert(PROBLEM.to_owned(), RefOr::T(content));
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
