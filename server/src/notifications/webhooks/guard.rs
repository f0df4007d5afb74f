//! Where calls may go. An administrator names the address, and an administrator's account can be stolen: a server that
//! calls whatever it is told to would reach into its own network for a stranger. So addresses of this machine and of
//! private networks are refused when they are named, and again when a name is looked up, at every call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::WebhookConfig;
use crate::error::{Error, Result};

/// No address is longer.
const LONGEST: usize = 2000;

/// An address calls may be sent to, as far as can be told without looking its name up.
pub(super) fn checked(text: &str, config: &WebhookConfig) -> Result<String> {
    let refused = |why: &str| Error::invalid("url_invalid", format!("`url` {why}"));
    let url =
        Url::parse(text.trim()).map_err(|_| refused("is no address such as https://example.org/hook"))?;
    if text.len() > LONGEST {
        return Err(refused(&format!("has at most {LONGEST} characters")));
    }
    match url.scheme() {
        "https" => {}
        "http" if config.allow_http => {}
        _ => return Err(refused("must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(refused("must hold no user, password or fragment; calls are signed instead"));
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() {
        return Err(refused("names no host"));
    }
    let is_inside = match address(&host) {
        Some(address) => !is_public(address),
        None => is_inside(&host),
    };
    match is_inside && !config.allow_private {
        true => Err(Error::invalid(
            "url_private",
            "`url` leads into a private network; calls go to public addresses only, unless webhooks.allow_private is set",
        )),
        false => Ok(url.to_string()),
    }
}

/// The address a host is written as, if it is no name.
fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Names that mean this machine or this network wherever they are looked up.
fn is_inside(host: &str) -> bool {
    let ends = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
    host == "localhost" || !host.contains('.') || ends.iter().any(|end| host.ends_with(end))
}

/// Whether an address is one of the public Internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !(is_special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

/// Only what is given out for the Internet (2000::/3), and of that nothing that leads to an IPv4 address by another name.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_global = a & 0xe000 == 0x2000;
    // Teredo, ORCHID and other protocol assignments, 6to4, documentation.
    let is_special =
        (a == 0x2001 && b < 0x0200) || a == 0x2002 || (a == 0x2001 && b == 0x0db8) || a == 0x3fff;
    is_global && !is_special
}

/// Looks names up and keeps only addresses calls may go to. Asked at each new connection, so a name that leads elsewhere
/// later leads nowhere.
pub(super) struct Guard {
    pub(super) allow_private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|it| allow_private || is_public(it.ip())).collect();
            match allowed.is_empty() {
                true => Err("its name leads to no public address".into()),
                false => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_refused_however_they_are_written() {
        let config = WebhookConfig::default();
        for inside in [
            "https://localhost/hook",
            "https://LOCALHOST./hook",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://10.0.0.5:8443/",
            "https://192.168.1.1/",
            "https://172.16.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://100.100.100.200/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a00:5]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://db/",
            "https://metadata.google.internal/",
            "https://printer.local/",
        ] {
            let refused = checked(inside, &config).unwrap_err();
            assert_eq!(refused.code, "url_private", "{inside}: {refused}");
        }
    }

    #[test]
    fn addresses_outside_are_taken() {
        let config = WebhookConfig::default();
        for outside in
            ["https://example.org/hook?k=1", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/x"]
        {
            assert!(checked(outside, &config).is_ok(), "{outside}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_leads_nowhere() {
        let look_up =
            async |allow_private| Guard { allow_private }.resolve("localhost".parse().unwrap()).await;

        assert!(look_up(false).await.is_err());
        assert!(look_up(true).await.is_ok_and(|found| found.count() > 0));
    }

    #[test]
    fn only_plain_https_addresses_are_taken() {
        let config = WebhookConfig::default();
        for bad in [
            "",
            "example.org",
            "http://example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://user:secret@example.org/",
            "https://example.org/#part",
            "javascript:alert(1)",
            "https://",
        ] {
            assert_eq!(checked(bad, &config).unwrap_err().code, "url_invalid", "{bad}");
        }
        let open = WebhookConfig { allow_http: true, allow_private: true, ..config };
        assert!(checked("http://127.0.0.1:9/", &open).is_ok());
    }
}
