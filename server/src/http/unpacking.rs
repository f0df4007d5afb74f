//! Bodies that come packed (`Content-Encoding`), unpacked a little at a time before anything reads them. The framework's own
//! decoder gives out at once all that a stretch of the body inflates to, and a kilobyte of brotli inflates to a gigabyte, for
//! anybody, before a password was asked. Here no more is inflated than is asked for, so whoever reads up to a limit never
//! holds more than that.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, ContentEncoding, HeaderMap};
use actix_web::middleware::Next;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf as _, Bytes, BytesMut};
use flate2::write::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use futures_util::Stream;
use zstd::stream::raw::{DParameter, Decoder as Zstd, Operation as _};

/// What is given out at once.
const STEP: usize = 32 * 1024;
/// How far back zstd may reach, as a power of two: 8 MiB, which is what RFC 9659 has every receiver hold.
const ZSTD_WINDOW: u32 = 23;

/// Unpacks the bodies of requests; handlers see them as if they had come plain.
pub(crate) async fn unpack<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    if let Some(method) = method_of(request.headers()).filter(|_| !takes_files(request.path())) {
        let body = request.take_payload();
        let payload = Box::pin(Unpacked::new(body, method).map_err(PayloadError::Io)?);
        request.set_payload(Payload::Stream { payload });
        request.headers_mut().remove(header::CONTENT_ENCODING);
        // It was the length of the packed body.
        request.headers_mut().remove(header::CONTENT_LENGTH);
    }
    next.call(request).await
}

fn method_of(headers: &HeaderMap) -> Option<ContentEncoding> {
    let said: ContentEncoding = headers.get(header::CONTENT_ENCODING)?.to_str().ok()?.parse().ok()?;
    (said != ContentEncoding::Identity).then_some(said)
}

/// Files are kept as they are, whatever is said of their packing.
fn takes_files(path: &str) -> bool {
    path.starts_with("/v1/uploads") || path.contains("/media/")
}

/// A body on its way through an unpacker.
struct Unpacked<S> {
    body: S,
    /// What came and was not unpacked yet.
    packed: Bytes,
    method: Method,
    is_over: bool,
}

impl<S> Unpacked<S> {
    fn new(body: S, method: ContentEncoding) -> io::Result<Unpacked<S>> {
        Ok(Unpacked { body, packed: Bytes::new(), method: Method::of(method)?, is_over: false })
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for Unpacked<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.is_over {
            if this.packed.is_empty() && !this.method.holds_more() {
                match ready!(Pin::new(&mut this.body).poll_next(context)) {
                    Some(Ok(packed)) => this.packed = packed,
                    Some(Err(cause)) => return this.ended(Some(cause)),
                    None => {
                        let broken = this.method.check_end().err();
                        return this.ended(broken.map(PayloadError::Io));
                    }
                }
            }
            match this.method.step(&mut this.packed) {
                Ok(plain) if plain.is_empty() => {}
                Ok(plain) => return Poll::Ready(Some(Ok(plain))),
                Err(cause) => return this.ended(Some(PayloadError::Io(cause))),
            }
        }
        Poll::Ready(None)
    }
}

impl<S> Unpacked<S> {
    fn ended(&mut self, cause: Option<PayloadError>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        self.is_over = true;
        Poll::Ready(cause.map(Err))
    }
}

/// A way to pack, and how far its unpacking has come.
enum Method {
    Gzip(Box<GzDecoder<Vec<u8>>>),
    Deflate { state: Box<Decompress>, stands: Stands },
    Zstd { decoder: Box<Zstd<'static>>, stands: Stands },
    Brotli { state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>, stands: Stands },
}

/// Where an unpacker stands that fills what room it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// Nothing has come.
    AtTheBeginning,
    /// More has to come.
    InTheMidst,
    /// It has more to give than there was room for.
    WithMore,
    /// The content is whole.
    AtTheEnd,
}

impl Method {
    fn of(method: ContentEncoding) -> io::Result<Method> {
        let stands = Stands::AtTheBeginning;
        Ok(match method {
            ContentEncoding::Gzip => Method::Gzip(Box::new(GzDecoder::new(Vec::new()))),
            ContentEncoding::Deflate => Method::Deflate { state: Box::new(Decompress::new(true)), stands },
            ContentEncoding::Zstd => {
                let mut decoder = Zstd::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW))?;
                Method::Zstd { decoder: Box::new(decoder), stands }
            }
            ContentEncoding::Brotli => {
                let room = StandardAlloc::default;
                // Strict: no windows beyond the 16 MiB of the standard.
                let state = Box::new(BrotliState::new_strict(room(), room(), room()));
                Method::Brotli { state, stands }
            }
            _ => return Err(damaged("it is packed in a way nobody here knows")),
        })
    }

    fn holds_more(&self) -> bool {
        match self {
            Method::Gzip(_) => false,
            Method::Deflate { stands, .. } | Method::Zstd { stands, .. } | Method::Brotli { stands, .. } => {
                *stands == Stands::WithMore
            }
        }
    }

    /// Unpacks the beginning of `packed`, and takes from it what was read. What comes of one step is bounded.
    fn step(&mut self, packed: &mut Bytes) -> io::Result<Bytes> {
        match self {
            Method::Gzip(decoder) => {
                pass(decoder.as_mut(), packed)?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
            Method::Deflate { state, stands } => inflate(state, stands, packed),
            Method::Zstd { decoder, stands } => unfold(decoder, stands, packed),
            Method::Brotli { state, stands } => expand(state, stands, packed),
        }
    }

    /// Fails if the packed content breaks off.
    fn check_end(&mut self) -> io::Result<()> {
        match self {
            Method::Gzip(decoder) => decoder.try_finish(),
            Method::Deflate { stands, .. } | Method::Zstd { stands, .. } | Method::Brotli { stands, .. } => {
                match stands {
                    Stands::InTheMidst | Stands::WithMore => Err(damaged("the packed content breaks off")),
                    Stands::AtTheBeginning | Stands::AtTheEnd => Ok(()),
                }
            }
        }
    }
}

/// Gives a decoder as much as it takes at once; it has a buffer of its own, and stops when that is full.
fn pass<W: io::Write>(decoder: &mut W, packed: &mut Bytes) -> io::Result<()> {
    match decoder.write(packed)? {
        0 => return Err(damaged("something follows the packed content")),
        read => packed.advance(read),
    }
    match packed.is_empty() {
        true => decoder.flush(),
        false => Ok(()),
    }
}

fn inflate(state: &mut Decompress, stands: &mut Stands, packed: &mut Bytes) -> io::Result<Bytes> {
    if *stands == Stands::AtTheEnd {
        return Err(damaged("something follows the packed content"));
    }
    let mut room = BytesMut::zeroed(STEP);
    let (read, written) = (state.total_in(), state.total_out());
    let status = state.decompress(packed, &mut room, FlushDecompress::None).map_err(io::Error::other)?;
    let (read, written) = ((state.total_in() - read) as usize, (state.total_out() - written) as usize);
    packed.advance(read);
    room.truncate(written);
    *stands = match status {
        Status::StreamEnd => Stands::AtTheEnd,
        _ if written == STEP => Stands::WithMore,
        _ => Stands::InTheMidst,
    };
    if read == 0 && written == 0 && !packed.is_empty() {
        return Err(damaged("the packed content leads nowhere"));
    }
    Ok(room.freeze())
}

fn unfold(decoder: &mut Zstd<'_>, stands: &mut Stands, packed: &mut Bytes) -> io::Result<Bytes> {
    let mut room = BytesMut::zeroed(STEP);
    let status = decoder.run_on_buffers(packed, &mut room)?;
    packed.advance(status.bytes_read);
    room.truncate(status.bytes_written);
    *stands = match status.remaining {
        // The end of a frame; another may follow.
        0 => Stands::AtTheEnd,
        _ if status.bytes_written == STEP => Stands::WithMore,
        _ => Stands::InTheMidst,
    };
    if status.bytes_read == 0 && status.bytes_written == 0 && !packed.is_empty() {
        return Err(damaged("the packed content leads nowhere"));
    }
    Ok(room.freeze())
}

fn expand(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    stands: &mut Stands,
    packed: &mut Bytes,
) -> io::Result<Bytes> {
    if *stands == Stands::AtTheEnd {
        return Err(damaged("something follows the packed content"));
    }
    let mut room = BytesMut::zeroed(STEP);
    let (mut to_read, mut read, mut left, mut written, mut total) = (packed.len(), 0, STEP, 0, 0);
    let result = BrotliDecompressStream(
        &mut to_read,
        &mut read,
        packed,
        &mut left,
        &mut written,
        &mut room,
        &mut total,
        state,
    );
    packed.advance(read);
    room.truncate(written);
    *stands = match result {
        BrotliResult::ResultSuccess => Stands::AtTheEnd,
        BrotliResult::NeedsMoreInput => Stands::InTheMidst,
        BrotliResult::NeedsMoreOutput => Stands::WithMore,
        BrotliResult::ResultFailure => return Err(damaged("the packed content is damaged")),
    };
    Ok(room.freeze())
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use futures_util::{StreamExt as _, stream};

    use super::*;

    /// 64 MiB of blanks, packed with brotli.
    const BROTLI_BOMB: &str = "y///PwAkQOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBI\
        AMRhAeje//H//w8ACYA4LADd+7/8//8DIAEQhwWge/8H";
    const BOMB: usize = 64 * 1024 * 1024;
    /// `{"a":1}`, packed with brotli.
    const BROTLI: &str = "CwOAeyJhIjoxfQM=";

    /// Nobody reads further than this.
    const ENOUGH: usize = 8 * 1024 * 1024;

    /// What comes out, and the most that came out at once.
    async fn unpacked(method: ContentEncoding, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize), PayloadError> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut body = Unpacked::new(stream::iter(pieces), method).unwrap();
        let (mut plain, mut most) = (Vec::new(), 0);
        while let Some(piece) = body.next().await {
            let piece = piece?;
            most = most.max(piece.len());
            plain.extend_from_slice(&piece);
            if plain.len() >= ENOUGH {
                break;
            }
        }
        Ok((plain, most))
    }

    fn packed(method: ContentEncoding, plain: &[u8]) -> Vec<u8> {
        match method {
            ContentEncoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            ContentEncoding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            ContentEncoding::Zstd => zstd::bulk::compress(plain, 3).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    const PACKED: [ContentEncoding; 3] =
        [ContentEncoding::Gzip, ContentEncoding::Deflate, ContentEncoding::Zstd];

    #[tokio::test]
    async fn what_was_packed_comes_out_however_it_was_cut() {
        let plain: Vec<u8> = (0..300_000_u32).flat_map(|n| (n / 7).to_string().into_bytes()).collect();
        for method in PACKED {
            let packed = packed(method, &plain);
            for size in [1, 700, packed.len()] {
                let pieces: Vec<&[u8]> = packed.chunks(size).collect();
                assert!(unpacked(method, &pieces).await.unwrap().0 == plain, "{method:?} by {size}");
            }
        }
        let small = STANDARD.decode(BROTLI).unwrap();
        let bytes: Vec<&[u8]> = small.chunks(1).collect();
        assert_eq!(unpacked(ContentEncoding::Brotli, &bytes).await.unwrap().0, br#"{"a":1}"#);
    }

    #[tokio::test]
    async fn a_bomb_goes_off_a_little_at_a_time() {
        let blanks = vec![b' '; BOMB];
        let mut bombs: Vec<_> = PACKED.iter().map(|method| (*method, packed(*method, &blanks))).collect();
        bombs.push((ContentEncoding::Brotli, STANDARD.decode(BROTLI_BOMB).unwrap()));
        for (method, bomb) in bombs {
            let (plain, most) = unpacked(method, &[&bomb]).await.unwrap();

            assert!((ENOUGH..ENOUGH + most).contains(&plain.len()), "{method:?}: {}", plain.len());
            assert!(most <= 4 * STEP, "{method:?} gave {most} bytes at once");
        }
    }

    #[tokio::test]
    async fn what_breaks_off_or_is_damaged_is_said() {
        let plain = b"{\"answers\":{}}".repeat(5_000);
        let mut all: Vec<_> = PACKED.iter().map(|method| (*method, packed(*method, &plain))).collect();
        all.push((ContentEncoding::Brotli, STANDARD.decode(BROTLI).unwrap()));
        for (method, packed) in all {
            let cut = unpacked(method, &[&packed[..packed.len() / 2]]).await;
            assert!(cut.is_err(), "{method:?} was cut");
            assert!(unpacked(method, &[b"not packed at all, whatever is said"]).await.is_err(), "{method:?}");
            let followed = unpacked(method, &[&packed, b"more of it"]).await;
            assert!(followed.is_err(), "{method:?} was followed by something");
        }
    }

    #[test]
    fn files_are_left_alone() {
        assert!(takes_files("/v1/uploads/7") && takes_files("/v1/submissions/7/media/front.jpg"));
        assert!(!takes_files("/v1/submissions/7") && !takes_files("/v1/submissions/batch"));
    }
}
