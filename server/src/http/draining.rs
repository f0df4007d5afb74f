//! Going away without leaving anybody standing. A server that is told to stop still answers everybody for a while, but
//! says that it is not ready, so that balancers send nobody here, and closes each connection with its next answer.
//! Only then does it stop listening.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is about to go. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on it is.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
