//! A torn network: a TCP proxy between phones and a server that is slow, cuts connections at any byte, falls silent,
//! swallows answers after the server has done what was asked, and sends requests a second time, later, when others have
//! overtaken them. The same seed gives each connection the same weather; it counts what the phones put on the wire.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use server::collector::Chance;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What the network does to those who use it.
#[derive(Clone, Debug)]
pub struct Weather {
    /// What everything begins with.
    pub seed: u64,
    /// Bits a second, one of them for each connection; empty: as fast as it goes.
    pub bits_per_second: Vec<u64>,
    /// From one end to the other.
    pub delay: Duration,
    /// A connection is cut after so many bytes one way, on average; none: never.
    pub cut_every: Option<u64>,
    /// The share of cuts nobody is told of: nothing comes through any more, and the connection seems to stand.
    pub silent: f64,
    /// For how long a silent one seems to stand.
    pub silence: Duration,
    /// The share of cuts on the way to the server after which it hears that the sending side has been closed, in order,
    /// and its answer still comes through.
    pub half_closed: f64,
    /// The share of answers that are swallowed, with the connection, once the server has given them.
    pub swallowed: f64,
    /// The share of requests that reach the server once more, after others.
    pub repeated: f64,
}

impl Weather {
    /// A network that does nothing to anybody.
    pub fn calm() -> Weather {
        Weather {
            seed: 0,
            bits_per_second: Vec::new(),
            delay: Duration::ZERO,
            cut_every: None,
            silent: 0.0,
            silence: Duration::from_secs(1),
            half_closed: 0.0,
            swallowed: 0.0,
            repeated: 0.0,
        }
    }
}

/// What the network has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes phones sent.
    pub up: u64,
    /// Bytes phones received.
    pub down: u64,
    /// Connections phones made.
    pub connections: u64,
    /// Connections refused because the server was down.
    pub refused: u64,
    /// Connections cut.
    pub cut: u64,
    /// Of these, those nobody was told of.
    pub silenced: u64,
    /// Of the cuts, those the server heard of as the end of what was sent.
    pub half_closed: u64,
    /// Answers swallowed.
    pub swallowed: u64,
    /// Requests that reached the server once more.
    pub repeated: u64,
}

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
    refused: AtomicU64,
    cut: AtomicU64,
    silenced: AtomicU64,
    half_closed: AtomicU64,
    swallowed: AtomicU64,
    repeated: AtomicU64,
}

/// A network between phones and a server. It ends when this is dropped.
pub struct Proxy {
    /// Where phones connect to.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    weather: Weather,
    target: Mutex<SocketAddr>,
    calm: AtomicBool,
    counts: Counts,
}

impl Proxy {
    /// Starts a network before the server at `target`.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub async fn start(target: SocketAddr, weather: Weather) -> Proxy {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            weather,
            target: Mutex::new(target),
            calm: AtomicBool::new(false),
            counts: Counts::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Proxy { address, shared, accepting }
    }

    /// The server has moved: new connections go there.
    pub fn leads_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// The weather clears up: from now on nothing is cut, swallowed or repeated; it stays as slow as it was.
    pub fn clears_up(&self) {
        self.shared.calm.store(true, Ordering::SeqCst);
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Seen {
        let counts = &self.shared.counts;
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Seen {
            up: of(&counts.up),
            down: of(&counts.down),
            connections: of(&counts.connections),
            refused: of(&counts.refused),
            cut: of(&counts.cut),
            silenced: of(&counts.silenced),
            half_closed: of(&counts.half_closed),
            swallowed: of(&counts.swallowed),
            repeated: of(&counts.repeated),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // What is under way ends with the proxy.
    let mut connections = tokio::task::JoinSet::new();
    let mut number = 0;
    while let Ok((phone, _)) = listener.accept().await {
        number += 1;
        shared.counts.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(carry(phone, shared.clone(), number));
        while connections.try_join_next().is_some() {}
    }
}

/// Why a direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// One of the two hung up.
    HungUp,
    /// The network cut it.
    Cut,
}

async fn carry(phone: TcpStream, shared: Arc<Shared>, number: u64) {
    let target = *shared.target.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(server) = TcpStream::connect(target).await else {
        shared.counts.refused.fetch_add(1, Ordering::SeqCst);
        return;
    };
    let _ = (phone.set_nodelay(true), server.set_nodelay(true));
    let mut chance = Chance::for_one(shared.weather.seed, number);
    let speed = chance.pick(&shared.weather.bits_per_second).map(|bits| bits / 8);
    let swallow = Arc::new(AtomicBool::new(false));
    let watch = Requests::new(shared.clone(), target, chance.clone(), swallow.clone());
    let (from_phone, to_phone) = phone.into_split();
    let (from_server, to_server) = server.into_split();
    let mut one_way = |sent: fn(&Counts) -> &AtomicU64| {
        let cut_after = shared.weather.cut_every.map(|mean| chance.distance(mean));
        Way { shared: shared.clone(), speed, cut_after, sent, clear_at: Instant::now() }
    };
    let (up, down) = (one_way(|counts| &counts.up), one_way(|counts| &counts.down));
    let up = up.run(from_phone, to_server, Some(watch), None);
    let down = down.run(from_server, to_phone, None, Some(&swallow));
    // Whichever ends first ends both; the sockets close as they are dropped, unless the end is a silent one.
    let (up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    let (end, held) = tokio::select! {
        (end, held) = up => (end, Held::Up(held)),
        (end, held) = &mut down => (end, Held::Down(held)),
    };
    if end == End::Cut {
        shared.counts.cut.fetch_add(1, Ordering::SeqCst);
        let mut chance = Chance::for_one(shared.weather.seed ^ 0xC105E, number);
        let held = match held {
            Held::Up((from_phone, to_server)) if chance.happens(shared.weather.half_closed) => {
                shared.counts.half_closed.fetch_add(1, Ordering::SeqCst);
                drop(to_server);
                tokio::select! { _ = down => {}, () = go_for_nothing(from_phone, &shared) => {} }
                return;
            }
            held => held,
        };
        let _held = held;
        if Chance::for_one(shared.weather.seed ^ 0x51E7, number).happens(shared.weather.silent) {
            shared.counts.silenced.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(shared.weather.silence).await;
        }
    }
}

/// Takes what a phone goes on sending after its way was cut.
async fn go_for_nothing<R: AsyncRead + Unpin>(mut from: R, shared: &Shared) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut piece).await {
        if read == 0 {
            break;
        }
        shared.counts.up.fetch_add(read as u64, Ordering::SeqCst);
    }
}

/// The halves of a connection that a finished direction still holds: dropped, they close.
enum Held<A, B> {
    Up(A),
    Down(B),
}

/// One direction of a connection.
struct Way {
    shared: Arc<Shared>,
    /// Bytes a second.
    speed: Option<u64>,
    cut_after: Option<u64>,
    sent: fn(&Counts) -> &AtomicU64,
    clear_at: Instant,
}

impl Way {
    async fn run<R, W>(
        mut self,
        mut from: R,
        mut to: W,
        mut watch: Option<Requests>,
        swallow: Option<&AtomicBool>,
    ) -> (End, (R, W))
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut piece = vec![0; self.piece()];
        loop {
            let calm = self.shared.calm.load(Ordering::SeqCst);
            let left = self.cut_after.filter(|_| !calm).unwrap_or(u64::MAX);
            let room = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if room == 0 {
                return (End::Cut, (from, to));
            }
            let read = from.read(&mut piece[..room]).await.unwrap_or(0);
            if read == 0 {
                return (End::HungUp, (from, to));
            }
            if swallow.is_some_and(|swallow| swallow.load(Ordering::SeqCst)) {
                self.shared.counts.swallowed.fetch_add(1, Ordering::SeqCst);
                return (End::Cut, (from, to));
            }
            (self.sent)(&self.shared.counts).fetch_add(read as u64, Ordering::SeqCst);
            self.cut_after = self.cut_after.map(|left| left.saturating_sub(read as u64));
            self.take_time(read).await;
            if let Some(watch) = &mut watch {
                watch.see(&piece[..read], calm);
            }
            if to.write_all(&piece[..read]).await.is_err() {
                return (End::HungUp, (from, to));
            }
        }
    }

    /// What goes through at once: a twentieth of a second's worth.
    fn piece(&self) -> usize {
        self.speed.map_or(16 * 1024, |speed| (speed / 20).clamp(64, 16 * 1024) as usize)
    }

    /// Waits as long as so many bytes take, and the delay when they follow upon a pause.
    async fn take_time(&mut self, bytes: usize) {
        let now = Instant::now();
        let delay = self.shared.weather.delay;
        if now > self.clear_at + delay {
            self.clear_at = now + delay;
        }
        if let Some(speed) = self.speed {
            self.clear_at += Duration::from_secs_f64(bytes as f64 / speed as f64);
        }
        tokio::time::sleep_until(self.clear_at).await;
    }
}

/// Watches the requests of a connection go by: decides after each whole one whether its answer is swallowed, and whether
/// it reaches the server once more. HTTP/1.1 with Content-Length, one after the other, as phones speak it.
struct Requests {
    shared: Arc<Shared>,
    target: SocketAddr,
    chance: Chance,
    swallow: Arc<AtomicBool>,
    seen: Vec<u8>,
}

/// No request larger than this is remembered.
const REMEMBERED: usize = 1024 * 1024;

impl Requests {
    fn new(shared: Arc<Shared>, target: SocketAddr, chance: Chance, swallow: Arc<AtomicBool>) -> Requests {
        Requests { shared, target, chance, swallow, seen: Vec::new() }
    }

    fn see(&mut self, piece: &[u8], calm: bool) {
        self.seen.extend_from_slice(piece);
        while let Some(length) = request_length(&self.seen).filter(|length| *length <= self.seen.len()) {
            let request: Vec<u8> = self.seen.drain(..length).collect();
            let swallowed = self.chance.happens(self.shared.weather.swallowed);
            let repeated = self.chance.happens(self.shared.weather.repeated);
            let later = Duration::from_millis(self.chance.between(0, 1500));
            if calm {
                continue;
            }
            self.swallow.store(swallowed, Ordering::SeqCst);
            if repeated && request.len() <= REMEMBERED {
                self.shared.counts.repeated.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(repeat(request, self.target, later));
            }
        }
    }
}

/// The length of the first request in `bytes`, head and body; none: its head is not whole yet.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + length.unwrap_or(0))
}

/// The same request on a connection of its own; what the server answers reaches nobody.
async fn repeat(request: Vec<u8>, target: SocketAddr, later: Duration) {
    tokio::time::sleep(later).await;
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    if server.write_all(&request).await.is_ok() {
        let mut answer = [0; 4096];
        let _ = tokio::time::timeout(Duration::from_secs(10), server.read(&mut answer)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each connection's bytes with as many.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn send(address: SocketAddr, bytes: usize) -> usize {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let sending = vec![7; bytes];
        let (mut from, mut to) = stream.split();
        let mut back = 0;
        let mut buffer = vec![0; 4096];
        let writing = async {
            let _ = to.write_all(&sending).await;
            std::future::pending::<()>().await;
        };
        let reading = async {
            while back < bytes {
                match from.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => back += read,
                }
            }
        };
        tokio::select! { () = writing => {}, () = reading => {} }
        back
    }

    #[tokio::test]
    async fn a_calm_network_carries_everything_and_counts_it() {
        let proxy = Proxy::start(echo().await, Weather::calm()).await;

        assert_eq!(send(proxy.address, 100_000).await, 100_000);

        let seen = proxy.seen();
        assert_eq!((seen.up, seen.down, seen.cut), (100_000, 100_000, 0));
    }

    #[tokio::test]
    async fn the_same_seed_cuts_at_the_same_byte() {
        let cut = async |seed| {
            let weather = Weather { seed, cut_every: Some(5_000), ..Weather::calm() };
            let proxy = Proxy::start(echo().await, weather).await;
            send(proxy.address, 1_000_000).await;
            let seen = proxy.seen();
            assert_eq!(seen.cut, 1);
            // The way that is cut first is cut at its byte; the other got about as far.
            seen.up.min(seen.down)
        };

        let (one, same, other) = (cut(3).await, cut(3).await, cut(4).await);

        assert!(one < 100_000 && other < 100_000);
        assert!(one.abs_diff(same) <= 16 * 1024, "{one} and {same}");
    }

    #[tokio::test]
    async fn a_way_that_is_half_closed_brings_the_answer_to_what_came_through() {
        let mut answered = Vec::new();
        for seed in 0..8 {
            let weather = Weather { seed, cut_every: Some(50_000), half_closed: 1.0, ..Weather::calm() };
            let proxy = Proxy::start(echo().await, weather).await;
            let back = send(proxy.address, 2_000_000).await;
            if proxy.seen().half_closed == 1 {
                answered.push(back);
            }
        }

        assert!(!answered.is_empty() && answered.iter().any(|back| *back > 0), "{answered:?}");
    }

    #[tokio::test]
    async fn a_slow_network_takes_its_time() {
        let weather = Weather { bits_per_second: vec![160_000], ..Weather::calm() };
        let proxy = Proxy::start(echo().await, weather).await;
        let began = Instant::now();

        assert_eq!(send(proxy.address, 10_000).await, 10_000);

        // 20 kB a second: half a second, and the last piece back.
        assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());
    }

    #[test]
    fn requests_are_told_apart_by_their_length() {
        let two = b"PUT /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n";

        let first = request_length(two).unwrap();

        assert_eq!(&two[..first], b"PUT /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!(request_length(&two[first..]), Some(two.len() - first));
        assert_eq!(request_length(b"PUT /a HTTP/1.1\r\nContent-Le"), None);
    }
}
