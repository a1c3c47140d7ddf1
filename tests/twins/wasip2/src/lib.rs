//! The same lines, by a program that takes what `std` gives it under WASI: a hash map with random keys, a clock, standard
//! output and error, and a look at what else there could be.

use std::{
    collections::HashMap,
    env, fs,
    io::Write,
    net::{Ipv4Addr, TcpStream},
    time::{Instant, SystemTime},
};

use refiner_sdk::{Output, Rule, RuleError, Specimen, Summary, U256};

struct BySender;

impl Rule for BySender {
    fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
        look_around();
        let mut totals = HashMap::<String, (u64, U256)>::new();
        for transaction in specimen.transactions() {
            let (sent, value) = totals.entry(transaction.sender.to_string()).or_default();
            *sent += 1;
            *value = value.checked_add(transaction.value).ok_or_else(more_than_there_is)?;
        }
        println!("the first sender of the map: {:?}", totals.keys().next());
        let mut totals: Vec<_> = totals.into_iter().collect();
        totals.sort();
        let mut lines = out.artifact("by-sender.ndjson", "application/x-ndjson");
        for (sender, (sent, value)) in &totals {
            writeln!(lines, r#"{{"sender":"{sender}","transactions":{sent},"value":"{value}"}}"#)?;
        }
        lines.finish();
        Ok(Summary::records(u32::try_from(totals.len()).unwrap_or(u32::MAX)))
    }
}

/// Logs what it finds. The log is no part of the output, so a twin that finds more would still give the same bytes: the
/// test reads these lines.
fn look_around() {
    let began = Instant::now();
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => println!("it is {}", since.as_secs()),
        Err(error) => println!("it is before 1970: {error}"),
    }
    println!("passed: {:?}", began.elapsed());
    eprintln!("arguments: {}", env::args_os().count());
    eprintln!("variables: {}", env::vars_os().count());
    eprintln!("root: {}", fs::read_dir("/").map_or_else(|error| error.kind().to_string(), |_| "there".to_owned()));
    let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, 80));
    eprintln!("socket: {}", connected.map_or_else(|error| error.kind().to_string(), |_| "open".to_owned()));
}

fn more_than_there_is() -> RuleError {
    RuleError::Rejected("the sum of a sender's values has more than 256 bits".to_owned())
}

refiner_sdk::export_transform!(BySender);
