//! People with a phone or a browser: they log in, ask, send, and look at the answer. An answer is opened by saying
//! what it should be, `.created()` or `.refused(409, "submission_conflict")`, and a wrong one shows what came instead.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::photos::Photo;
use crate::samples::Submission;

/// Somebody who talks to the server.
#[derive(Clone)]
pub struct Person {
    http: Client,
    url: String,
    /// The access token, once logged in.
    pub token: Option<String>,
    /// The refresh token, once logged in.
    pub refresh_token: Option<String>,
}

impl Person {
    pub(crate) fn stranger(http: Client, url: String) -> Person {
        Person { http, url, token: None, refresh_token: None }
    }

    /// Somebody with a server at `url`.
    pub fn at(url: String) -> Person {
        Person::stranger(Client::new(), url)
    }

    /// Logs in.
    pub async fn login(&self, username: &str, password: &str) -> Person {
        let tokens =
            self.post("/v1/auth/login", &json!({ "username": username, "password": password })).await.ok();
        self.with_tokens(&tokens)
    }

    /// The same person with the tokens of a login or refresh.
    pub fn with_tokens(&self, tokens: &Value) -> Person {
        let text = |member: &str| tokens[member].as_str().map(str::to_owned);
        Person { token: text("access_token"), refresh_token: text("refresh_token"), ..self.clone() }
    }

    /// The same person with this access token, whatever it is worth.
    pub fn with_token(&self, token: &str) -> Person {
        Person { token: Some(token.to_owned()), ..self.clone() }
    }

    /// A request to be added to and sent.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let mut builder = self.http.request(method.clone(), format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        Request { builder, line: format!("{method} {path}") }
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// Sends JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path).json(body).send().await
    }

    /// Puts JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path).json(body).send().await
    }

    /// Puts JSON over what was read with this ETag.
    pub async fn put_known(&self, path: &str, body: &Value, etag: &str) -> Answer {
        self.request(Method::PUT, path).header("If-Match", etag).json(body).send().await
    }

    /// Sends JSON to change what was read with this ETag.
    pub async fn patch_known(&self, path: &str, body: &Value, etag: &str) -> Answer {
        self.request(Method::PATCH, path).header("If-Match", etag).json(body).send().await
    }

    /// Files a submission.
    pub async fn file(&self, submission: &Submission) -> Answer {
        self.put_submission(submission.id, submission.bytes()).await
    }

    /// Files a submission with a server that may be gone: none, if it did not answer.
    pub async fn try_file(&self, submission: &Submission) -> Option<Answer> {
        let path = format!("/v1/submissions/{}", submission.id);
        self.request(Method::PUT, &path).json_bytes(submission.bytes()).try_send().await
    }

    /// Sends a file to a server that may be gone: none, if it did not answer.
    pub async fn try_upload(&self, submission: Uuid, photo: &Photo) -> Option<Answer> {
        let path = format!("/v1/submissions/{submission}/media/{}", photo.name);
        let request = self.request(Method::PUT, &path).header("Content-Type", photo.content_type);
        request.bytes(photo.bytes.clone()).try_send().await
    }

    /// Files these bytes under this id, whatever they are.
    pub async fn put_submission(&self, id: Uuid, body: Vec<u8>) -> Answer {
        self.request(Method::PUT, &format!("/v1/submissions/{id}")).json_bytes(body).send().await
    }

    /// Revises a submission whose last revision has this hash.
    pub async fn revise(&self, submission: &Submission, last: &str) -> Answer {
        let request = self.request(Method::PUT, &format!("/v1/submissions/{}", submission.id));
        request.header("If-Match", &format!("\"{last}\"")).json_bytes(submission.bytes()).send().await
    }

    /// Sends a file of a submission.
    pub async fn upload(&self, submission: Uuid, photo: &Photo) -> Answer {
        let path = format!("/v1/submissions/{submission}/media/{}", photo.name);
        let request = self.request(Method::PUT, &path).header("Content-Type", photo.content_type);
        request.bytes(photo.bytes.clone()).send().await
    }

    /// Files a submission and sends all its files; the receipt of the filing.
    pub async fn file_whole(&self, submission: &Submission) -> Value {
        let receipt = self.file(submission).await.created();
        for photo in &submission.photos {
            self.upload(submission.id, photo).await.created();
        }
        receipt
    }
}

/// A request being put together.
pub struct Request {
    builder: RequestBuilder,
    line: String,
}

impl Request {
    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Request {
        Request { builder: self.builder.header(name, value), ..self }
    }

    /// With a query.
    pub fn query(self, query: &[(&str, &str)]) -> Request {
        Request { builder: self.builder.query(query), ..self }
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Request {
        Request { builder: self.builder.json(body), ..self }
    }

    /// With these bytes, said to be JSON.
    pub fn json_bytes(self, body: Vec<u8>) -> Request {
        self.header("Content-Type", "application/json").bytes(body)
    }

    /// With these bytes.
    pub fn bytes(self, body: Vec<u8>) -> Request {
        Request { builder: self.builder.body(body), ..self }
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(self) -> Answer {
        let line = self.line.clone();
        self.answer().await.unwrap_or_else(|cause| panic!("{line}: {cause:?}"))
    }

    /// Sends it to a server that may be gone: none, if the answer did not come whole.
    pub async fn try_send(self) -> Option<Answer> {
        self.answer().await.ok()
    }

    async fn answer(self) -> reqwest::Result<Answer> {
        let response = self.builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        Ok(Answer { asked: self.line, status, headers, bytes })
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    asked: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header, where it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.bytes) {
            Ok(value) => value,
            Err(_) => panic!("{} was answered {} without JSON: {}", self.asked, self.status, self.text()),
        }
    }

    /// 200 and its JSON.
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.expect(200).json()
    }

    /// 201 and its JSON.
    #[track_caller]
    pub fn created(&self) -> Value {
        self.expect(201).json()
    }

    /// 202 and its JSON.
    #[track_caller]
    pub fn accepted(&self) -> Value {
        self.expect(202).json()
    }

    /// This status, whatever the body.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Answer {
        assert_eq!(self.status, status, "{} was answered {}", self.asked, self.text());
        self
    }

    /// A problem document with this status and code, complete as every error of ours is.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status).json();
        assert_eq!(problem["code"], code, "{} was answered {}", self.asked, self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.asked);
        assert_eq!(problem["status"], status, "{}", self.asked);
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.len() > 10),
            "{}: no detail",
            self.asked
        );
        assert!(problem["request_id"].is_string(), "{}: no request_id in {}", self.asked, self.text());
        problem
    }
}

/// The codes of violations or findings, sorted.
pub fn codes(list: &Value) -> Vec<&str> {
    let mut codes: Vec<&str> =
        list.as_array().into_iter().flatten().filter_map(|item| item["code"].as_str()).collect();
    codes.sort_unstable();
    codes
}
