//! Bodies of some hundred bytes that inflate to gigabytes, sent by somebody without a password: each is refused, and none
//! becomes large in the server's memory.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::future::join_all;
use harness::Person;
use harness::folders::TemporaryFolder;
use harness::process::PASSWORD;
use reqwest::Method;
use uuid::Uuid;

/// 64 MiB of blanks, packed with brotli.
const BROTLI: &str = "y///PwAkQOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBI\
    AMRhAeje//H//w8ACYA4LADd+7/8//8DIAEQhwWge/8H";
const INFLATED: usize = 64 * 1024 * 1024;
/// At most so much may ever have been in memory. It needs a third of that for itself, mostly for checking passwords.
const MOST_KIB: u64 = 450 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_are_refused_and_do_not_go_off_in_memory() {
    let folder = TemporaryFolder::new();
    let server = super::nigran(folder.path()).serve().unwrap_or_else(|reason| panic!("{reason}"));
    let stranger = Person::at(format!("http://{}", server.address));
    let phone = stranger.login("inspector", PASSWORD).await;
    let bombs = [
        ("br", BASE64.decode(BROTLI).unwrap()),
        ("zstd", zstd::bulk::compress(&vec![b' '; INFLATED], 19).unwrap()),
    ];
    let send = async |person: &Person, method: Method, path: &str, (packing, bomb): &(&str, Vec<u8>)| {
        let request = person.request(method, path).header("Content-Encoding", packing);
        request.json_bytes(bomb.clone()).send().await
    };

    for bomb in &bombs {
        let logins = (0..16).map(|_| send(&stranger, Method::POST, "/v1/auth/login", bomb));
        for answer in join_all(logins).await {
            answer.refused(413, "body_too_large");
        }
        let id = Uuid::new_v4();
        let filed = send(&phone, Method::PUT, &format!("/v1/submissions/{id}"), bomb).await;
        filed.refused(413, "body_too_large");
        let corrected = send(&phone, Method::POST, &format!("/v1/submissions/{id}/corrections"), bomb).await;
        corrected.refused(413, "body_too_large");
        let batch = send(&phone, Method::POST, "/v1/submissions/batch", bomb).await.expect(200).text();
        assert!(batch.lines().all(|line| line.contains("\"status\":413")), "{batch}");
    }

    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    let peak: u64 = peak.unwrap().parse().unwrap();
    eprintln!("at most {} MiB were resident", peak / 1024);
    assert!(peak < MOST_KIB, "{peak} KiB were resident");
}
