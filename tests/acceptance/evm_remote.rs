//! `--evm remote` and `--evm both`, against a double of the network's evm-server.

use std::{collections::BTreeMap, fs, path::Path, path::PathBuf};

use refiner_evm::{EmbeddedExecutor, Era, ResultFormat};
use refiner_testkit::{
    evm_server::{EvmServerDouble, Fault},
    real,
};
use serde_json::Value;

use crate::evm::server::Server;
use crate::program::{Ended, command, refiner, samples, samples_directory, text};

const ERAS: [Era; 5] = [Era::A, Era::B, Era::C, Era::D, Era::E];

/// A double that knows the embedded executor's results for these specimens, where there are any.
fn taught(specimens: &[PathBuf], era: Era) -> EvmServerDouble {
    let (double, executor) = (EvmServerDouble::start().unwrap(), EmbeddedExecutor::default());
    for path in specimens {
        let raw = fs::read(path).unwrap();
        let specimen = refiner_specimen::decode(&raw).unwrap();
        if let Ok(execution) = executor.execute(&specimen, ResultFormat::EvmServer(era)) {
            double.teach(&raw, &execution.block_result(&specimen).unwrap());
        }
    }
    double
}

/// Every specimen there is.
fn specimens() -> Vec<PathBuf> {
    let real = real::directory().map(|directory| {
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "avro")).collect::<Vec<_>>()
    });
    samples().into_iter().chain(real.unwrap_or_default()).collect()
}

/// A block that era B executed as the chain did, and a double that knows it and another.
fn one() -> (PathBuf, EvmServerDouble) {
    let specimen = samples_directory().join("1-15600000.avro");
    let double = taught(&[specimen.clone(), samples_directory().join("1-17100000.avro")], Era::B);
    (specimen, double)
}

fn replay(specimens: &[PathBuf], format: &str, more: &[&str]) -> Ended {
    let paths = specimens.iter().map(|path| text(path));
    let arguments = ["--format", format, "--json"].into_iter().chain(more.iter().copied());
    refiner(&["replay"].into_iter().chain(paths).chain(arguments).collect::<Vec<_>>())
}

fn remote(specimen: &Path, double: &EvmServerDouble, more: &[&str]) -> Ended {
    let url = double.url();
    let arguments = ["--evm", "remote", "--evm-server", &url].into_iter().chain(more.iter().copied());
    replay(&[specimen.to_owned()], "evm-server@b", &arguments.collect::<Vec<_>>())
}

/// Verdict and sha256 of each specimen.
fn results(ended: &Ended) -> BTreeMap<String, (Value, Value)> {
    let lines = ended.json_lines().into_iter();
    let of = |line: Value| (line["verdict"].clone(), line["artifacts"][0]["sha256"].clone());
    lines.map(|line| (line["specimen"].to_string(), of(line))).collect()
}

#[test]
fn remote_results_are_the_embedded_ones_byte_for_byte_over_every_specimen_and_era() {
    let specimens = specimens();
    let mut produced = 0;
    for era in ERAS {
        let (double, format) = (taught(&specimens, era), ResultFormat::EvmServer(era).to_string());
        let embedded = results(&replay(&specimens, &format, &[]));
        let remote = results(&replay(&specimens, &format, &["--evm", "remote", "--evm-server", &double.url()]));
        assert_eq!(embedded.len(), specimens.len());
        for (specimen, (verdict, sha256)) in embedded {
            if verdict == "produced" {
                assert_eq!(remote[&specimen], (verdict, sha256), "{specimen} in {format}");
                produced += 1;
            } else {
                assert!(remote[&specimen].0 != "produced" && remote[&specimen].0 != Value::Null, "{specimen} {format}");
            }
        }
    }
    assert!(produced >= 20, "{produced} results compared");
}

#[test]
fn what_one_program_serves_another_takes_for_its_own_results() {
    let specimens = specimens();
    for era in [Era::B, Era::D] {
        let format = ResultFormat::EvmServer(era).to_string();
        let server = Server::start(&["--format", &format]);
        let embedded = results(&replay(&specimens, &format, &[]));
        let remote = results(&replay(&specimens, &format, &["--evm", "remote", "--evm-server", &server.url("")]));
        let produced = |results: BTreeMap<String, (Value, Value)>| -> BTreeMap<_, _> {
            results.into_iter().filter(|(_, (verdict, _))| verdict == "produced").collect()
        };
        let (embedded, remote) = (produced(embedded), produced(remote));
        assert!(embedded.len() >= 4, "{} results compared", embedded.len());
        assert_eq!(embedded, remote, "{format}");
    }
}

#[test]
fn fault_of_the_server_is_a_failure_of_this_host_and_never_a_verdict() {
    let faults = [
        (Fault::Empty, "200 and nothing"),
        (Fault::Partial, "206"),
        (Fault::DieInRequest, "broke"),
        (Fault::DieInAnswer, "broke"),
        (Fault::Truncated, "no whole JSON object"),
        (Fault::Stall, "within 1000 ms"),
        (Fault::StallInAnswer, "1000 ms"),
        (Fault::Endless, "more than 67108864 bytes"),
        (Fault::EndlessStated, "more than 67108864 bytes"),
        (Fault::OwnDisk, "ERROR(11)"),
        (Fault::Status(503, "overloaded".into()), "503"),
        (Fault::Status(404, "404 page not found".into()), "404"),
        (Fault::OtherJson, "no block result"),
        (Fault::OtherGas, "contradicts the block's header (gasUsed failed"),
        (Fault::OtherRemoved, "not what evm-server@b writes"),
        (Fault::OtherValue, "not what evm-server@b writes"),
        (Fault::OtherBlock, "another block, or a server of another era"),
    ];
    let check = |(fault, expected): (Fault, &str)| {
        let (specimen, double) = one();
        double.fault(fault.clone());
        let timeout = if matches!(fault, Fault::Stall | Fault::StallInAnswer) { "1" } else { "60" };
        let ended = remote(&specimen, &double, &["--evm-timeout-s", timeout]).expect(5);
        let line = &ended.json_lines()[0];
        assert_eq!(line["verdict"], Value::Null, "{fault:?}: {line}");
        let failure = line["failure"].as_str().unwrap();
        assert!(failure.contains(expected), "{fault:?}: {failure}");
    };
    // Mostly they wait between two tries.
    std::thread::scope(|scope| faults.into_iter().for_each(|fault| drop(scope.spawn(move || check(fault)))));
}

#[test]
fn root_of_the_state_is_believed_only_where_the_header_proves_the_rest() {
    let (proved, double) = one();
    double.fault(Fault::OtherRoot);
    remote(&proved, &double, &[]).expect(0);
    // Era B executed this one wrongly, so that the embedded executor has to give the same bytes.
    let ended = remote(&samples_directory().join("1-17100000.avro"), &double, &[]).expect(5);
    assert!(ended.json_lines()[0]["failure"].to_string().contains("receiptsRoot failed"));
}

#[test]
fn server_that_is_not_there_is_a_failure_of_this_host() {
    let (specimen, double) = one();
    let url = double.url();
    drop(double);
    let arguments = ["--evm", "remote", "--evm-server", &url];
    let ended = replay(&[specimen], "evm-server@b", &arguments).expect(5);
    let failure = ended.json_lines()[0]["failure"].to_string();
    assert!(failure.contains(&format!("no connection to {url}")), "{failure}");
}

#[test]
fn failure_that_passes_costs_one_more_request() {
    let (specimen, double) = one();
    for fault in [Fault::Empty, Fault::DieInAnswer, Fault::Panic, Fault::Status(502, "bad gateway".into())] {
        let before = double.processed();
        double.fault_times(fault.clone(), 1);
        remote(&specimen, &double, &[]).expect(0);
        assert_eq!(double.processed() - before, 2, "{fault:?}");
    }
}

#[test]
fn same_error_twice_from_a_healthy_server_is_a_verdict_in_the_servers_words() {
    let (specimen, double) = one();
    for (fault, words) in [
        (Fault::JsonError("error on EBE: gas limit reached".into()), "error on EBE: gas limit reached"),
        (Fault::BrokenJson, "invalid character '\"' in \"Header\""),
        (Fault::Panic, "nil pointer dereference"),
    ] {
        let before = double.processed();
        double.fault(fault);
        let ended = remote(&specimen, &double, &[]).expect(3);
        let line = &ended.json_lines()[0];
        assert_eq!(line["verdict"], "unsupported");
        let message = line["message"].as_str().unwrap();
        assert!(message.contains("the evm-server refuses the block") && message.contains(words), "{message}");
        assert_eq!(double.processed() - before, 2);
    }
}

#[test]
fn same_error_from_a_server_that_is_not_well_is_no_verdict() {
    let (specimen, double) = one();
    double.fault(Fault::Panic);
    double.sabotage();
    remote(&specimen, &double, &[]).expect(5);
    double.mend();
    remote(&specimen, &double, &[]).expect(0);
}

#[test]
fn canonical_result_is_no_servers_and_says_what_to_do() {
    let (specimen, double) = one();
    let ended = refiner(&["replay", text(&specimen), "--json", "--evm", "remote", "--evm-server", &double.url()]);
    let ended = ended.expect(2);
    assert!(ended.stderr.contains("no evm-server writes; expected --format evm-server@a"), "{}", ended.stderr);
    assert_eq!(double.processed(), 0);
}

#[test]
fn url_alone_selects_nothing_and_an_earlier_name_gives_it() {
    let (specimen, double) = one();
    let run = |more: &[&str]| {
        let arguments = ["replay", text(&specimen), "--format", "evm-server@b", "--json"];
        let arguments: Vec<_> = arguments.iter().chain(more).copied().collect();
        command(&arguments).env("EVM_SERVER_URL", double.url()).output().unwrap().status.code()
    };
    assert_eq!((run(&[]), double.processed()), (Some(0), 0));
    assert_eq!((run(&["--evm", "remote"]), double.processed()), (Some(0), 1));
}

#[test]
fn secret_in_the_servers_url_is_shown_nowhere() {
    let (specimen, double) = one();
    let url = double.url().replace("http://", "http://operator:s3cret@");
    double.fault(Fault::Empty);
    let arguments = ["--evm", "remote", "--evm-server", &url, "--log", "trace"];
    let ended = replay(&[specimen], "evm-server@b", &arguments).expect(5);
    assert!(!ended.text().contains("s3cret") && !ended.stderr.contains("s3cret"));
}

#[test]
fn who_executes_is_part_of_the_identity_of_rules_that_execute() {
    let (specimen, double) = one();
    let url = double.url();
    let identities = |more: &[&str]| -> Vec<String> {
        let rules = ["--rule", "block-result", "--rule", "state-access", "--evm-server", &url];
        let arguments: Vec<_> = rules.iter().chain(more).copied().collect();
        let ended = replay(std::slice::from_ref(&specimen), "evm-server@b", &arguments).expect(0);
        ended.json_lines().iter().map(|line| line["ruleIdentity"].to_string()).collect()
    };
    let embedded = identities(&[]);
    let remote = identities(&["--evm", "remote"]);
    let held = identities(&["--evm", "both"]);
    let preferred = identities(&["--evm", "both", "--evm-on-difference", "prefer-remote"]);
    for (one, other) in [(&embedded, &remote), (&embedded, &held), (&remote, &held), (&held, &preferred)] {
        assert_ne!(one[0], other[0], "block-result executes");
        assert_eq!(one[1], other[1], "state-access does not");
    }
}

#[test]
fn difference_is_kept_and_ends_as_the_policy_says() {
    let (specimen, double) = one();
    let url = double.url();
    let sha256 = |ended: &Ended| ended.json_lines()[0]["artifacts"][0]["sha256"].clone();
    let embedded = sha256(&replay(std::slice::from_ref(&specimen), "evm-server@b", &[]));
    let both = |policy: &str, code: i32| {
        let out = tempfile::tempdir().unwrap();
        let arguments = ["--evm", "both", "--evm-server", &url, "--evm-on-difference", policy, "--out"];
        let arguments: Vec<_> = arguments.into_iter().chain([text(out.path())]).collect();
        let ended = replay(std::slice::from_ref(&specimen), "evm-server@b", &arguments).expect(code);
        let read = |side: &str| fs::read(out.path().join(format!("differences/1-15600000.evm-server@b.{side}"))).ok();
        let kept = ["embedded.json", "remote.json", "remote.txt"].map(read);
        (ended, kept)
    };
    let (agreed, kept) = both("hold", 0);
    assert_eq!((sha256(&agreed), kept), (embedded.clone(), [None, None, None]));

    // A root of the state that cannot be checked without executing.
    double.fault(Fault::OtherRoot);
    let (ended, [ours, theirs, _]) = both("prefer-embedded", 0);
    assert_eq!(sha256(&ended), embedded);
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert!(ours.len() == theirs.len() && ours != theirs);
    let (ended, _) = both("prefer-remote", 0);
    assert_ne!(sha256(&ended), embedded);
    let (ended, kept) = both("hold", 5);
    assert!(ended.json_lines()[0]["failure"].to_string().contains("differences are held"));
    assert_eq!(kept, [Some(ours), Some(theirs), None]);

    // A lie that can be checked is never preferred.
    double.fault(Fault::OtherGas);
    let (ended, _) = both("prefer-remote", 5);
    assert!(ended.json_lines()[0]["failure"].to_string().contains("gasUsed"));
    // One that refuses differs from one that does not.
    double.fault(Fault::Panic);
    let (ended, [ours, theirs, words]) = both("prefer-embedded", 0);
    assert_eq!(sha256(&ended), embedded);
    assert!(ours.is_some() && theirs.is_none());
    assert!(String::from_utf8(words.unwrap()).unwrap().contains("nil pointer"));
    both("prefer-remote", 3);
}
