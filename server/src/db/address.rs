//! What is added to a PostgreSQL address unless it says otherwise: how long a server that does not answer is waited for. libpq
//! would wait for as long as the network lets it.

/// Given up after so many seconds while connecting, and after as many milliseconds without an acknowledgement later.
const PATIENCE: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "15000"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("application_name", "nigran"),
];

/// The address with its parameters, and with ours where it has none of its own.
pub(super) fn with_patience(url: &str) -> String {
    let mut address = url.to_owned();
    for (name, value) in PATIENCE {
        if parameter(url, name).is_none() {
            address.push(if address.contains('?') { '&' } else { '?' });
            address += &format!("{name}={value}");
        }
    }
    address
}

/// A parameter after the `?`, as it is written.
pub(super) fn parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

/// The address without its password, for messages and logs.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = match place.rsplit_once('@') {
        Some((who, host)) => format!("{}@{host}", who.split(':').next().unwrap_or_default()),
        None => place.to_owned(),
    };
    let secret = |pair: &&str| !pair.starts_with("password=") && !pair.starts_with("sslpassword=");
    let query: Vec<&str> = query.into_iter().flat_map(|query| query.split('&')).filter(secret).collect();
    match query.is_empty() {
        true => format!("{scheme}://{place}"),
        false => format!("{scheme}://{place}?{}", query.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_address_says_itself_stands() {
        let address = with_patience("postgres://a@b/c?connect_timeout=1&sslmode=disable");

        assert!(
            address.starts_with("postgres://a@b/c?connect_timeout=1&sslmode=disable&tcp_user_timeout=15000&")
        );
        assert_eq!(address.matches("connect_timeout").count(), 1);
        assert!(with_patience("postgres:///c").starts_with("postgres:///c?connect_timeout=5&"));
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("postgres://nigran:secret@db:5432/nigran", "postgres://nigran@db:5432/nigran"),
            (
                "postgres://nigran:a@b@db/n?sslmode=disable&password=x",
                "postgres://nigran@db/n?sslmode=disable",
            ),
            ("postgres:///n?password=x", "postgres:///n"),
            ("postgres:///n", "postgres:///n"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
