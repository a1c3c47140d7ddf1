//! Specimens that other machines keep: in an object store, on a web server, by content id.

use std::{fs, path::PathBuf, process::Command};

use refiner_teststore::{Fault, SECRET, TestStore};

use crate::{
    content::Served,
    data_sets::{files, some_samples},
    program::{Ended, command, ended, refiner, refiner_reading, text},
};

const RULES: [&str; 4] = ["--rule", "transaction-summary", "--rule", "token-transfers"];

/// A store with samples of mainnet, and the same as files.
fn stored(count: usize) -> (TestStore, tempfile::TempDir, Vec<PathBuf>) {
    let (directory, copies) = some_samples(count);
    let store = TestStore::start();
    for copy in &copies {
        store.put(
            "specimens",
            &format!("mainnet/{}", copy.file_name().unwrap().to_str().unwrap()),
            &fs::read(copy).unwrap(),
        );
    }
    store.put("specimens", "mainnet/notes.txt", b"no specimen");
    (store, directory, copies)
}

fn with(store: &TestStore, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.envs(store.variables());
    command
}

fn run(store: &TestStore, arguments: &[&str]) -> Ended {
    ended(with(store, arguments))
}

/// Requests for whole objects.
fn whole(store: &TestStore) -> usize {
    let requests = store.requests();
    requests.iter().filter(|line| line.starts_with("GET /specimens/mainnet/") && !line.contains("bytes=")).count()
}

#[test]
fn objects_of_a_store_give_the_data_set_that_the_same_files_give_and_are_read_once() {
    let (store, directory, copies) = stored(5);
    let [expected, found] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let replay = |from: &str, out: &tempfile::TempDir| {
        let mut arguments = vec!["replay".to_owned(), from.to_owned(), "--out".to_owned(), text(out.path()).to_owned()];
        arguments.extend(RULES.map(str::to_owned));
        arguments
    };
    let arguments = replay(text(directory.path()), &expected);
    refiner(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
    let arguments = replay("s3://specimens/mainnet/", &found);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    store.fail(Fault::SlowDown, 3);
    let first = run(&store, &arguments).expect(0);
    assert!(first.text().contains("5 specimens: 10 runs produced"), "{}", first.text());
    assert_eq!(files(found.path()), files(expected.path()));
    assert!(whole(&store) >= copies.len());
    let before = whole(&store);
    let again = run(&store, &arguments).expect(0);
    assert!(again.text().contains("5 done before"), "{}", again.text());
    assert_eq!(whole(&store), before, "what is done is not read again");
}

#[test]
fn data_set_in_a_store_is_continued_verified_and_found_to_differ() {
    let (store, directory, copies) = stored(4);
    let verify = |more: &[&str]| {
        let mut arguments = vec!["verify", "s3://specimens/results/_manifest.json", text(directory.path())];
        arguments.extend(more);
        run(&store, &arguments)
    };
    let missing = verify(&[]).expect(4);
    assert!(missing.stderr.contains("s3://specimens/results/_manifest.json: no such file"), "{}", missing.stderr);
    let mut first = vec!["replay", text(&copies[0]), "--out", "s3://specimens/results"];
    first.extend(RULES);
    let planned = run(&store, &[&first[..], &["--dry-run"]].concat()).expect(0);
    assert!(planned.text().contains(" in s3://specimens/results"), "{}", planned.text());
    assert!(store.objects("specimens", "results").is_empty(), "a plan writes nothing");
    store.fail_writes(Fault::AccessDenied, usize::MAX);
    let refused = run(&store, &first).expect(5);
    assert!(refused.stderr.contains("the store refuses it: 403 Forbidden, AccessDenied"), "{}", refused.stderr);
    store.fail_writes(Fault::AccessDenied, 0);
    run(&store, &first).expect(0);
    let mut all = vec!["replay", text(directory.path()), "--out", "s3://specimens/results/"];
    all.extend(RULES);
    let continued = run(&store, &all).expect(0);
    assert!(continued.text().contains("1 done before"), "{}", continued.text());

    let expected = tempfile::tempdir().unwrap();
    let mut local = vec!["replay", text(directory.path()), "--out", text(expected.path())];
    local.extend(RULES);
    refiner(&local).expect(0);
    assert_eq!(store.objects("specimens", "results"), files(expected.path()));
    let same = verify(&[]).expect(0);
    assert!(same.text().contains("the same"), "{}", same.text());

    let (path, bytes) =
        files(expected.path()).into_iter().find(|(path, _)| path.extension().unwrap() == "ndjson").unwrap();
    let (path, key) = (path.display().to_string(), format!("results/{}", path.display()));
    let mut other = bytes;
    *other.last_mut().unwrap() = b'?';
    store.put("specimens", &key, &other);
    let differs = verify(&[]).expect(3);
    assert!(differs.text().contains(&format!("{path}: differs from what is computed at byte")), "{}", differs.text());
    store.remove("specimens", &key);
    let absent = verify(&[]).expect(3);
    assert!(absent.text().contains(&format!("{path}: the file is not there")), "{}", absent.text());

    let refused = run(&store, &["replay", text(&copies[0]), "--out", "https://user:canary@host/results"]).expect(2);
    assert!(refused.stderr.contains("nothing is written to URLs of the scheme https"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    assert!(!PathBuf::from("https:").exists() && !PathBuf::from("s3:").exists(), "no directory of that name");
}

#[test]
fn arguments_that_are_refused_show_no_credentials() {
    for argument in [
        "https://user:canary@127.0.0.1:1/a.avro?token=canary",
        "ftp://user:canary@host/a.avro?token=canary",
        "s3://id:canary@bucket/a.avro",
        "https://[canary/a.avro?token=canary",
    ] {
        let refused = refiner(&["replay", argument]);
        assert_eq!(refused.code, 4, "{argument}: {}", refused.stderr);
        let shown = refused.stderr.replace("[canary", "");
        assert!(!shown.contains("canary"), "{argument}: {}", refused.stderr);
    }
}

#[test]
fn object_that_cannot_be_read_is_one_unusable_specimen_and_the_others_are_run() {
    let (store, _directory, copies) = stored(3);
    let name = copies[1].file_name().unwrap().to_str().unwrap();
    let arguments = ["replay", "s3://specimens/mainnet/*.avro", "-j", "1", "--json"];
    let all = run(&store, &arguments).expect(0).json_lines();
    assert_eq!(all.iter().filter(|line| line["verdict"] == "produced").count(), 3);
    store.put("specimens", &format!("mainnet/{name}"), b"no specimen at all");
    let lines = run(&store, &arguments).expect(4).json_lines();
    let unusable = lines.iter().find(|line| line["verdict"] == "unusable").unwrap();
    assert_eq!(unusable["specimen"], format!("s3://specimens/mainnet/{name}"));
    assert_eq!(lines.iter().filter(|line| line["verdict"] == "produced").count(), 2);
}

#[test]
fn specimen_whose_heading_cannot_be_read_is_unusable_and_the_next_run_makes_it() {
    let (store, directory, _copies) = stored(3);
    for more in [&[][..], &["--table", "csv"]] {
        let out = tempfile::tempdir().unwrap();
        let mut arguments = vec!["replay", "s3://specimens/mainnet/", "--out", text(out.path())];
        arguments.extend(RULES.iter().chain(more));
        let failing_once = |arguments: &[&str]| {
            store.fail(Fault::AccessDenied, 1);
            run(&store, arguments).expect(4)
        };
        let planned = failing_once(&[&arguments[..], &["--dry-run"]].concat());
        assert!(planned.text().contains("specimens  2 to run, 0 done already"), "{}", planned.text());
        assert!(planned.text().contains("1 cannot be read"), "{}", planned.text());
        assert!(planned.stderr.contains("403 Forbidden"), "{}", planned.stderr);
        let first = failing_once(&arguments);
        assert!(first.text().contains("3 specimens: 4 runs produced"), "{}", first.text());
        assert!(first.text().contains("1 specimen unusable"), "{}", first.text());
        assert!(first.stderr.contains("403 Forbidden"), "{}", first.stderr);
        let again = run(&store, &arguments).expect(0);
        assert!(again.text().contains("1 specimen: 2 runs produced"), "{}", again.text());
        assert!(again.text().contains("2 done before"), "{}", again.text());
        refiner(&["verify", text(out.path()), text(directory.path())]).expect(0);
        let unread = failing_once(&["verify", text(out.path()), "s3://specimens/mainnet/"]);
        assert!(unread.stderr.contains("403 Forbidden"), "{}", unread.stderr);
    }
    // Also where nothing is kept, since the check `knownBlock` of others rests on it.
    store.fail(Fault::AccessDenied, 1);
    let lines = run(&store, &["replay", "s3://specimens/mainnet/", "--json"]).expect(4).json_lines();
    assert_eq!(lines.iter().filter(|line| line["verdict"] == "unusable").count(), 1, "{lines:?}");
}

#[test]
fn store_that_refuses_is_an_error_that_names_the_variables() {
    let (store, _directory, _copies) = stored(1);
    let mut command = with(&store, &["replay", "s3://specimens/mainnet/"]);
    command.env("AWS_SECRET_ACCESS_KEY", format!("{SECRET}-wrong"));
    let refused = ended(command).expect(4);
    assert!(
        refused.stderr.contains("s3://specimens/mainnet/: the store refuses it: 403 Forbidden"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("AWS_ACCESS_KEY_ID"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(SECRET), "{}", refused.stderr);
}

#[test]
fn specimens_by_content_id_and_by_url_are_replayed_from_a_list() {
    let (_directory, copies) = some_samples(2);
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(&["content", "serve", "--data", text(data.path()), "--listen", "127.0.0.1:0"]);
    let ids: Vec<_> = copies
        .iter()
        .map(|copy| {
            let put = refiner_reading(
                &["content", "put", "-", "--data", text(data.path()), "--pinner", &served.url],
                &fs::read(copy).unwrap(),
            );
            put.expect(0).text().split_whitespace().next().unwrap().to_owned()
        })
        .collect();
    let list = data.path().join("list");
    fs::write(
        &list,
        format!("ipfs://{}\n{}\n", ids[0].trim_start_matches("ipfs://"), ids[1].trim_start_matches("ipfs://")),
    )
    .unwrap();
    let replayed = refiner(&["replay", "--json", "--files-from", text(&list), "--ipfs-gateway", &served.url]).expect(0);
    let expected = refiner(&["replay", "--json", text(&copies[0]), text(&copies[1])]).expect(0);
    let results = |ended: &Ended| ended.json_lines().iter().map(|line| line["artifacts"].clone()).collect::<Vec<_>>();
    assert_eq!(results(&replayed), results(&expected));
    let url = format!("{}/ipfs/{}?token=canary", served.url, ids[0].trim_start_matches("ipfs://"));
    let by_url = refiner(&["replay", "--json", &url]).expect(0);
    assert_eq!(results(&by_url)[0], results(&expected)[0]);
    assert!(!by_url.text().contains("canary") && !by_url.stderr.contains("canary"));
}

#[test]
fn commands_that_read_files_of_this_machine_say_so_of_a_url() {
    let refused = refiner(&["specimen", "check", "s3://specimens/a.avro"]).expect(4);
    assert!(
        refused.stderr.contains("s3://specimens/a.avro: files of this machine alone are read here"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("refiner replay"), "{}", refused.stderr);
}
