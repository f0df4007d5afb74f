//! How long a request's body may stand still. A slow link is slow for as long as it takes: at 16 kbit/s a photo of 200 KB is
//! under way for two minutes, and that is fine. But a phone that drove out of reach hangs up on nobody, and a body that never
//! ends would hold its connection for ever. So what counts is silence: each byte that comes begins it anew.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Sleep, sleep};

/// How long a body may bring nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(pub(crate) Duration);

/// Ends a body that brings nothing for too long as if its connection had broken off.
pub(crate) async fn be_patient<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    if let Some(patience) = request.app_data::<Data<Patience>>().map(|patience| patience.0) {
        let body = request.take_payload();
        if !matches!(body, Payload::None) {
            let payload = Box::pin(Patient { body, patience, silence: None });
            request.set_payload(Payload::Stream { payload });
        }
    }
    next.call(request).await
}

/// A body whose silence is timed.
struct Patient {
    body: Payload,
    patience: Duration,
    /// Runs while the body is waited for.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Stream for Patient {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = Pin::new(&mut self.body).poll_next(context) {
            self.silence = None;
            return Poll::Ready(piece);
        }
        let patience = self.patience;
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(patience)));
        match silence.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                metrics::counter!("nigran_silent_requests_total").increment(1);
                // Whoever reads on finds the end.
                self.body = Payload::None;
                Poll::Ready(Some(Err(PayloadError::Incomplete(None))))
            }
        }
    }
}
