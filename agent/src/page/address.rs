//! The address under which a phone finds the page, as the display shows it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// Neighbours in the networks that a trap makes itself, and an address for documentation that
/// stands for everywhere else.
const SOMEWHERE: [Ipv4Addr; 3] = [
    Ipv4Addr::new(10, 42, 0, 2),
    Ipv4Addr::new(192, 168, 4, 2),
    Ipv4Addr::new(192, 0, 2, 1),
];

/// `http://192.168.4.1:8080` for a socket that listens there or on all addresses.
pub(super) fn found(listening: SocketAddr) -> String {
    let port = listening.port();
    let at = |ip: IpAddr| format!("http://{}", SocketAddr::new(ip, port));
    if !listening.ip().is_unspecified() {
        return at(listening.ip());
    }
    match SOMEWHERE.into_iter().find_map(own_address_towards) {
        Some(ip) => at(ip),
        None => format!("http://{}:{port}", host_name()),
    }
}

/// The own address that a packet to there would carry; none is sent.
fn own_address_towards(somewhere: Ipv4Addr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((somewhere, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified() && !own.is_loopback()).then_some(own)
}

/// Phones find this name where the trap announces it.
fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    format!("{}.local", name.trim_end_matches(".local"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_address_is_shown_as_it_is() {
        let listening: SocketAddr = "192.168.4.1:8080".parse().unwrap();
        assert_eq!(found(listening), "http://192.168.4.1:8080");
        let listening: SocketAddr = "[fe80::1]:80".parse().unwrap();
        assert_eq!(found(listening), "http://[fe80::1]:80");
    }

    #[test]
    fn any_address_becomes_one_that_a_phone_can_ask() {
        let shown = found("0.0.0.0:8080".parse().unwrap());
        assert!(shown.starts_with("http://"), "{shown}");
        assert!(shown.ends_with(":8080"), "{shown}");
        assert!(!shown.contains("0.0.0.0"), "{shown}");
    }
}
