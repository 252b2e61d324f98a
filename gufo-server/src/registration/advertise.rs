//! Advertise: the address others reach a server at, which is not always the one it listens at.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

use gufo_core::{BackendUrl, Endpoint, Error, Result};

use crate::bind::parts;

/// Where others reach what listens at `url`. `own` gives the address of this host for the family
/// of the one given.
pub(super) fn reachable(
    url: &str,
    own: impl FnOnce(IpAddr) -> io::Result<IpAddr>,
) -> Result<Endpoint> {
    let Some(everywhere) = unspecified(&BackendUrl::parse(url)?) else {
        let endpoint = Endpoint::parse(url)?;
        check_reachable(&endpoint)?;
        return Ok(endpoint);
    };
    let own = own(everywhere).map_err(|error| {
        Error::failed_precondition(format!(
            "cannot tell at which address others reach {url}; say it with advertise(url)"
        ))
        .source(error)
    })?;
    let own = match own {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let (scheme, authority, tail) = parts(url);
    let port = authority.rfind(':').map_or("", |colon| &authority[colon..]);
    let endpoint = Endpoint::parse(&format!("{scheme}://{own}{port}{tail}"))?;
    check_reachable(&endpoint)?;
    Ok(endpoint)
}

/// The address of a URL when it stands for every address of the host.
fn unspecified(url: &BackendUrl) -> Option<IpAddr> {
    let mut addresses = url
        .hosts()
        .iter()
        .filter_map(|host| host.name().parse().ok());
    addresses.find(|address: &IpAddr| {
        address.is_unspecified() || matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped() == Some(Ipv4Addr::UNSPECIFIED))
    })
}

pub(super) fn check_reachable(endpoint: &Endpoint) -> Result<()> {
    let url = endpoint.url();
    let problem = if unspecified(&url).is_some() {
        "stands for every address of a host"
    } else if url.hosts().iter().any(|host| host.port() == Some(0)) {
        "has port 0"
    } else {
        return Ok(());
    };
    Err(Error::invalid_argument(format!(
        "cannot advertise {endpoint}: it {problem}, so nobody else can connect to it"
    )))
}

/// The address this host has towards others. Nothing is sent: connecting a datagram socket only
/// chooses the way out.
pub(super) fn own_address(family: IpAddr) -> io::Result<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): routed like any other, used by nobody.
    let (from, to): (IpAddr, IpAddr) = match family {
        IpAddr::V4(_) => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        IpAddr::V6(_) => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ),
    };
    let route = |from, to| {
        let socket = UdpSocket::bind((from, 0))?;
        socket.connect((to, 9))?;
        Ok::<_, io::Error>(socket.local_addr()?.ip())
    };
    // `[::]` takes IPv4 peers as well: without a way out over IPv6 that one counts.
    route(from, to).or_else(|error| match family {
        IpAddr::V6(_) => own_address(Ipv4Addr::UNSPECIFIED.into()),
        IpAddr::V4(_) => Err(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(address: &str) -> impl FnOnce(IpAddr) -> io::Result<IpAddr> {
        let address = address.parse().expect("an address");
        move |_| Ok(address)
    }

    #[test]
    fn an_address_of_every_interface_is_replaced_by_the_hosts_own() {
        let cases = [
            ("grpc://0.0.0.0:50051", "10.0.0.7", "grpc://10.0.0.7:50051"),
            ("grpc+tls://[::]:443", "fd00::7", "grpc+tls://[fd00::7]:443"),
            (
                "grpc://[::]:443/x?y=z",
                "10.0.0.7",
                "grpc://10.0.0.7:443/x?y=z",
            ),
            ("grpc://[::ffff:0.0.0.0]:1", "10.0.0.7", "grpc://10.0.0.7:1"),
        ];
        for (listening, address, expected) in cases {
            let endpoint = reachable(listening, own(address)).expect(listening);
            assert_eq!(endpoint.as_str(), expected);
        }
    }

    #[test]
    fn any_other_address_stays_as_it_is() {
        for url in [
            "grpc://127.0.0.1:50051",
            "grpc://owl.example:50051",
            "grpc+unix:///run/owl.sock",
            "memory://greeter",
        ] {
            let endpoint = reachable(url, |_| panic!("nothing to look up")).expect(url);
            assert_eq!(endpoint.as_str(), url);
        }
    }

    #[test]
    fn a_host_without_a_way_out_asks_for_an_explicit_address() {
        let nowhere = |_| Err(io::ErrorKind::NetworkUnreachable.into());

        let error = reachable("grpc://0.0.0.0:1", nowhere).expect_err("nowhere");

        assert!(error.message().contains("advertise(url)"), "{error}");
    }

    #[test]
    fn a_way_out_that_is_no_address_is_not_advertised() {
        assert!(reachable("grpc://0.0.0.0:1", own("0.0.0.0")).is_err());
        assert!(reachable("grpc://0.0.0.0:0", own("10.0.0.7")).is_err());
    }
}
