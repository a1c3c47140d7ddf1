//! `refiner health`: whether a service of this program answers, as the health check of a container asks it.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use refiner_config::{Environment, Flags, scope, table};
use refiner_diagnostics::{ErrorChain, ExitCode, Failure};
use refiner_text::OneLine;
use serde::Serialize;

use crate::terminal;

/// The code of a service that is not healthy. Docker reserves all codes above it.
const UNHEALTHY: ExitCode = ExitCode::Internal;
/// Time limit for the whole answer. A check of a container is started every half minute.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read: each answer is a line.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// `refiner health`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes:\n  0  healthy\n  1  not healthy, or no answer within 5 seconds\n  2  the command line is wrong"
)]
pub struct Health {
    /// The service to ask: the daemon, `evm serve` or `content serve`.
    #[arg(value_enum, default_value_t = Service::Run)]
    service: Service,
    /// Address of the service [default: the one that its settings give it].
    #[arg(long, value_name = "ADDRESS")]
    address: Option<SocketAddr>,
    /// Asks the daemon whether it is ready: it reached its chain and is not being stopped. Without this it is asked whether it
    /// is alive, which depends on no other service.
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    file: Flags<scope::File>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// A command that serves HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Service {
    Run,
    Evm,
    Content,
}

/// Asks, and prints one line.
pub fn run(arguments: &Health) -> Result<ExitCode, Failure> {
    let address = local(arguments.address.unwrap_or_else(|| configured(arguments)));
    let path = path(arguments.service, arguments.ready);
    let report = Report::of(format!("http://{address}{path}"), ask(address, path, ANSWER_BYTES_MAX));
    let out = &mut terminal::out(arguments.json);
    if arguments.json {
        out.json_line(&report)?;
    } else {
        let word = if report.healthy { "healthy" } else { "unhealthy" };
        let status = report.status.map(|status| format!("{status} ")).unwrap_or_default();
        writeln!(out, "{word}: {}: {status}{}", report.url, OneLine(&report.answer))?;
    }
    Ok(if report.healthy { ExitCode::Done } else { UNHEALTHY })
}

/// The answer, for people and programs.
#[derive(Debug, Serialize)]
struct Report {
    healthy: bool,
    url: String,
    /// The HTTP status, where there was one.
    status: Option<u16>,
    /// First line of the answer, or the reason for which there is none.
    answer: String,
}

impl Report {
    fn of(url: String, answer: Result<(u16, String), AskError>) -> Self {
        match answer {
            Ok((status, answer)) => {
                let first = answer.lines().next().unwrap_or_default().trim();
                Self { healthy: (200..300).contains(&status), url, status: Some(status), answer: first.to_owned() }
            }
            Err(error) => Self { healthy: false, url, status: None, answer: ErrorChain(&error).to_string() },
        }
    }
}

/// The address that the service listens on by its settings. A fault of another setting is the service's to report.
fn configured(arguments: &Health) -> SocketAddr {
    let (environment, problems) = (Environment::of_process(), &mut Vec::new());
    match arguments.service {
        Service::Run => {
            let file = arguments.file.read_from(&environment, None, problems).get(&table::CONFIG);
            Flags::<scope::Run>::default().read_from(&environment, file.as_ref(), problems).get(&table::HEALTH)
        }
        Service::Evm => {
            Flags::<scope::EvmServe>::default().read_from(&environment, None, problems).get(&table::EVM_LISTEN)
        }
        Service::Content => {
            Flags::<scope::ContentServe>::default().read_from(&environment, None, problems).get(&table::CONTENT_LISTEN)
        }
    }
}

/// An address to listen on as one to connect to: all addresses of this machine include loopback.
pub fn local(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

const fn path(service: Service, ready: bool) -> &'static str {
    match (service, ready) {
        (Service::Run, false) => "/livez",
        (Service::Run, true) => "/readyz",
        (Service::Evm | Service::Content, _) => "/health",
    }
}

/// Reasons for which a service of this machine gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TooSlow,
    #[error("not an HTTP answer")]
    Malformed,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The status of an answer and its body, of which a part may be missing beyond `limit_bytes`.
///
/// # Errors
///
/// [`AskError`]
pub fn ask(address: SocketAddr, path: &str, limit_bytes: usize) -> Result<(u16, String), AskError> {
    let until = Instant::now() + PATIENCE;
    let left = || {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(AskError::TooSlow) } else { Ok(left) }
    };
    let slow = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => AskError::TooSlow,
        _ => error.into(),
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?).map_err(slow)?;
    stream.set_write_timeout(Some(left()?))?;
    // In one piece: a server may answer and close after the first.
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(slow)?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while answer.len() <= limit_bytes {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut part).map_err(slow)? {
            0 => break,
            count => answer.extend_from_slice(&part[..count]),
        }
    }
    parse(&String::from_utf8_lossy(&answer)).ok_or(AskError::Malformed)
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_its_status_and_its_body() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 9\r\n\r\nstarting\nmore";
        assert_eq!(parse(answer), Some((503, "starting\nmore".to_owned())));
        assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\n"), Some((200, String::new())));
        for other in ["", "SSH-2.0-OpenSSH", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 OK\r\n\r\n"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn address_of_every_interface_is_asked_on_loopback() {
        for (listens, asked) in
            [("0.0.0.0:9568", "127.0.0.1:9568"), ("[::]:1", "[::1]:1"), ("192.0.2.1:2", "192.0.2.1:2")]
        {
            assert_eq!(local(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
