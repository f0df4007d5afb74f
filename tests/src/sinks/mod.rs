//! The other sides: a mail server and a program that is called, as small as they can be and as ill-behaved as they must
//! be. They listen on ports of this machine and keep what they were given.

mod mail;
mod program;

pub use mail::{Letter, MailServer, Secured, Temper};
pub use program::{Call, Manners, Program};
