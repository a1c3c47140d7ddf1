//! A node of this machine, for containers.

use std::net::Ipv4Addr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::engine::{Engine, must};

/// Makes a node on loopback reachable from containers; gives its URL for them.
pub async fn forward(engine: &Engine, url: &str) -> String {
    let config = must(&mut engine.docker(&["network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]));
    let gateway = gateway(&config).unwrap_or_else(|| panic!("no gateway in {config}"));
    let listener = TcpListener::bind((gateway, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            let target = target.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = TcpStream::connect(target).await else { return };
                let _ = copy_bidirectional(&mut inner, &mut outer).await;
            });
        }
    });
    format!("http://host.docker.internal:{port}")
}

/// This machine's address on the bridge. An engine that finds the bridge there leaves out the gateway: it is the first of the subnet.
fn gateway(config: &str) -> Option<Ipv4Addr> {
    let config: Vec<serde_json::Value> = serde_json::from_str(config).ok()?;
    config.iter().find_map(|of_family| {
        let given = of_family["Gateway"].as_str().and_then(|text| text.parse().ok());
        let subnet = || of_family["Subnet"].as_str()?.split_once('/')?.0.parse::<Ipv4Addr>().ok();
        given.or_else(|| Some(Ipv4Addr::from_bits(subnet()?.to_bits() | 1)))
    })
}

#[test]
fn gateway_is_the_first_address_of_the_bridge_where_none_is_named() {
    let at = |text: &str| gateway(text).map(|address| address.to_string());
    assert_eq!(at(r#"[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.9"}]"#).as_deref(), Some("172.17.0.9"));
    assert_eq!(at(r#"[{"Subnet":"fd00::/80"},{"Subnet":"172.17.0.0/16"}]"#).as_deref(), Some("172.17.0.1"));
    assert_eq!(at("[]"), None);
}
