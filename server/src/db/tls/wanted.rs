//! What an address says about TLS, in libpq's words: `sslmode`, `sslrootcert`, `sslcert`, `sslkey`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::super::address::{parameter, without_password};
use crate::error::{Error, Result};

/// Where distributions keep the certificates everybody trusts: `sslrootcert=system`.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A server that is to be reached by TLS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    url: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// Whose certificates are believed.
    pub(super) roots: PathBuf,
    certificate: Option<(PathBuf, PathBuf)>,
}

fn bad(detail: impl Into<String>) -> Error {
    Error::invalid("database_tls", detail)
}

impl Wanted {
    /// Reads the address; none: it asks for no TLS.
    pub(super) fn of(url: &str) -> Result<Option<Wanted>> {
        match parameter(url, "sslmode") {
            None | Some("disable" | "allow" | "prefer") => return Ok(None),
            Some("verify-full") => {}
            Some(other) => {
                return Err(bad(format!(
                    "sslmode={other} does not check who answers; write sslmode=verify-full with sslrootcert=FILE, the \
                     certificate of the authority that issued the server's (sslrootcert=system for a public one)"
                )));
            }
        }
        let (host, port) = place(url)?;
        let roots = match parameter(url, "sslrootcert").map(decoded) {
            Some(system) if system == "system" => {
                let found = SYSTEM.iter().map(Path::new).find(|path| path.exists());
                found
                    .ok_or_else(|| {
                        bad("this machine has no list of public certificates; name a file in sslrootcert")
                    })?
                    .to_owned()
            }
            Some(file) => file.into(),
            None => return Err(bad("sslmode=verify-full needs sslrootcert=FILE (or sslrootcert=system)")),
        };
        let file = |name| parameter(url, name).map(|path| PathBuf::from(decoded(path)));
        let certificate = match (file("sslcert"), file("sslkey")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(bad("sslcert and sslkey are given together or not at all")),
        };
        Ok(Some(Wanted { url: url.to_owned(), host, port, roots, certificate }))
    }

    /// What two addresses have in common that may share a bridge.
    pub(super) fn key(&self) -> String {
        format!("{}|{}|{}|{:?}", self.host, self.port, self.roots.display(), self.certificate)
    }

    /// The server's name, as its certificate must have it.
    pub(super) fn name(&self) -> Result<ServerName<'static>> {
        ServerName::try_from(self.host.clone())
            .map_err(|_| bad(format!("{:?} is no name a certificate could have", self.host)))
    }

    /// The settings of the TLS client.
    pub(super) fn settings(&self) -> Result<Arc<ClientConfig>> {
        let unreadable =
            |path: &Path, cause: &dyn std::fmt::Display| bad(format!("{}: {cause}", path.display()));
        let mut roots = RootCertStore::empty();
        let certificates =
            CertificateDer::pem_file_iter(&self.roots).map_err(|cause| unreadable(&self.roots, &cause))?;
        roots.add_parsable_certificates(certificates.flatten());
        if roots.is_empty() {
            return Err(unreadable(&self.roots, &"there is no certificate in this file"));
        }
        let settings = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::internal("preparing TLS", cause))?
            .with_root_certificates(roots);
        let settings = match &self.certificate {
            None => settings.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::pem_file_iter(certificate)
                    .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
                    .map_err(|cause| unreadable(certificate, &cause))?;
                let secret = PrivateKeyDer::from_pem_file(key).map_err(|cause| unreadable(key, &cause))?;
                settings
                    .with_client_auth_cert(chain, secret)
                    .map_err(|cause| unreadable(certificate, &cause))?
            }
        };
        Ok(Arc::new(settings))
    }

    /// The same address with the socket in `folder` in the place of the server.
    pub(super) fn address_through(&self, folder: &Path) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("postgres", ""));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let who = authority.rsplit_once('@').map(|(who, _)| format!("{who}@")).unwrap_or_default();
        let ours = ["ssl", "host=", "hostaddr=", "port="];
        let kept =
            query.split('&').filter(|pair| !pair.is_empty() && !ours.iter().any(|it| pair.starts_with(it)));
        let kept: String = kept.map(|pair| format!("&{pair}")).collect();
        format!(
            "{scheme}://{who}/{database}?host={}&port={}&sslmode=disable{kept}",
            folder.display(),
            self.port
        )
    }
}

/// The one host and port of an address.
fn place(url: &str) -> Result<(String, u16)> {
    let shown = without_password(url);
    let authority =
        url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').unwrap_or((rest, ""));
            (host, port.strip_prefix(':'))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let host = parameter(url, "host").map(decoded).unwrap_or_else(|| decoded(host));
    let port = parameter(url, "port").or(port).unwrap_or("5432");
    let one = !host.is_empty() && !host.contains(',') && !host.starts_with('/');
    match port.parse() {
        Ok(port) if one => Ok((host, port)),
        _ => Err(bad(format!("{shown} does not name one host and its port, which TLS needs"))),
    }
}

/// Undoes `%2F` and its like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(meant)) => {
                bytes.push(meant);
                rest = &more[2..];
            }
            _ => {
                bytes.push(byte);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(url: &str) -> Wanted {
        Wanted::of(url).unwrap().unwrap()
    }

    #[test]
    fn the_address_leads_through_the_socket_and_keeps_the_rest() {
        let url = "postgres://n:p%40w@db.example.org:6432/nigran?sslmode=verify-full&sslrootcert=%2Fca.pem&connect_timeout=3";
        let wanted = wanted(url);

        assert_eq!((wanted.host.as_str(), wanted.port), ("db.example.org", 6432));
        assert_eq!(wanted.roots, Path::new("/ca.pem"));
        assert_eq!(
            wanted.address_through(Path::new("/tmp/x")),
            "postgres://n:p%40w@/nigran?host=/tmp/x&port=6432&sslmode=disable&connect_timeout=3"
        );
    }

    #[test]
    fn what_does_not_check_who_answers_is_refused_and_what_asks_for_none_is_left_alone() {
        for plain in ["postgres://h/d", "postgres://h/d?sslmode=disable", "postgres:///d?host=/tmp&user=n"] {
            assert_eq!(Wanted::of(plain).unwrap(), None, "{plain}");
        }
        for (refused, why) in [
            ("postgres://h/d?sslmode=require", "does not check"),
            ("postgres://h/d?sslmode=verify-ca&sslrootcert=x", "does not check"),
            ("postgres://h/d?sslmode=verify-full", "needs sslrootcert"),
            ("postgres://h,i/d?sslmode=verify-full&sslrootcert=x", "one host"),
            ("postgres:///d?host=/tmp&sslmode=verify-full&sslrootcert=x", "one host"),
            ("postgres://h/d?sslmode=verify-full&sslrootcert=x&sslcert=y", "together"),
        ] {
            let error = Wanted::of(refused).unwrap_err();
            assert!(error.code == "database_tls" && error.detail.contains(why), "{refused}: {error}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let wanted = wanted("postgres://[::1]/d?sslmode=verify-full&sslrootcert=/dev/null");

        assert_eq!((wanted.host.as_str(), wanted.port), ("::1", 5432));
        assert!(wanted.settings().unwrap_err().detail.contains("/dev/null"));
    }
}
