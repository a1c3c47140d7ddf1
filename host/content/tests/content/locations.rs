use refiner_content::{ContentId, ENTRIES_MAX, ENTRY_BYTES_MAX, Locations, NotFetchable, content_id};

#[derive(Debug, PartialEq)]
enum Parsed {
    Content(ContentId),
    Gateway(ContentId),
    Web,
}

fn read(entry: &str) -> Result<Parsed, NotFetchable> {
    let locations = Locations::parse(&[entry]);
    let Locations { ids, gateways, web, refused } = locations;
    match (ids.as_slice(), gateways.as_slice(), web.as_slice(), refused.as_slice()) {
        ([id], [], [], []) => Ok(Parsed::Content(*id)),
        ([id], [(_, same)], [], []) if id == same => Ok(Parsed::Gateway(*id)),
        ([], [], [_], []) => Ok(Parsed::Web),
        ([], [], [], [refused]) => Err(refused.why.clone()),
        other => panic!("{entry}: {other:?}"),
    }
}

#[test]
fn every_form_that_producers_write_is_read() {
    let hello = content_id(b"hello");
    let check = |form: &str, expected: &dyn Fn(ContentId) -> Parsed| {
        let entry = form.replace("ID", &hello.to_string());
        assert_eq!(read(&entry), Ok(expected(hello)), "{entry}");
    };
    for form in [
        "ipfs://ID",
        "IPFS://ID",
        " ipfs://ID\n",
        "ipfs://ipfs/ID",
        "ipfs:///ipfs/ID",
        "ipfs://ID/",
        "ipfs://ID?filename=a",
        "ID",
        "/ipfs/ID",
    ] {
        check(form, &Parsed::Content);
    }
    for form in [
        "https://ipfs.io/ipfs/ID",
        "https://w3s.link/ipfs/ID/",
        "http://127.0.0.1:8080/ipfs/ID?download=true",
        "https://ID.ipfs.dweb.link",
        "https://ID.ipfs.w3s.link/",
    ] {
        check(form, &Parsed::Gateway);
    }
    check("https://example.org/specimens/1-22433670.avro", &|_| Parsed::Web);
    check("http://example.org:8080/", &|_| Parsed::Web);
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let hello = content_id(b"hello");
    let check = |entry: &str, expected: fn(&NotFetchable) -> bool| {
        let why = read(entry).unwrap_err();
        assert!(expected(&why), "{entry}: {why:?}");
    };
    check("", |why| *why == NotFetchable::Empty);
    check("only local: /var/bin/1-22433670-replica", |why| *why == NotFetchable::OnlyLocal);
    check("https://storage.cloud.google.com/bucket/1-22433670", |why| *why == NotFetchable::GoogleStorage);
    check("ftp://example.org/a", |why| matches!(why, NotFetchable::Scheme { scheme } if scheme.as_str() == "ftp"));
    check("file:///etc/passwd", |why| matches!(why, NotFetchable::Scheme { .. }));
    check("ipfs://", |why| matches!(why, NotFetchable::Id(_)));
    check("ipfs://hello", |why| matches!(why, NotFetchable::Id(_)));
    check("https://ipfs.io/ipfs/hello", |why| matches!(why, NotFetchable::Id(_)));
    check(&format!("ipfs://{hello}/1.avro"), |why| *why == NotFetchable::Path);
    check(&format!("https://{hello}.ipfs.dweb.link/1.avro"), |why| *why == NotFetchable::Path);
    check("https://user:word@example.org/a", |why| *why == NotFetchable::Credentials);
    check("specimen 22433670", |why| *why == NotFetchable::Unreadable);
    check(&"x".repeat(ENTRY_BYTES_MAX), |why| *why == NotFetchable::Unreadable);
    check(&"x".repeat(ENTRY_BYTES_MAX + 1), |why| *why == NotFetchable::TooLong);
}

#[test]
fn entries_that_say_the_same_are_one_place() {
    let (hello, other) = (content_id(b"hello"), content_id(b"other"));
    let entries = [
        format!("ipfs://{hello}"),
        format!("ipfs://{hello}"),
        format!("ipfs://ipfs/{hello}"),
        format!("https://ipfs.io/ipfs/{hello}"),
        format!("https://ipfs.io/ipfs/{hello}"),
        format!("https://dweb.link/ipfs/{hello}"),
        "https://example.org/a".to_owned(),
        "HTTPS://EXAMPLE.org/a".to_owned(),
        "only local: a".to_owned(),
        "only local: a".to_owned(),
        other.to_string(),
    ];
    let locations = Locations::parse(&entries);
    assert_eq!(locations.ids, [hello, other]);
    assert_eq!((locations.gateways.len(), locations.web.len(), locations.refused.len()), (2, 1, 1));
}

#[test]
fn a_list_is_read_up_to_its_limit_and_says_so() {
    let entries: Vec<String> = (0..=ENTRIES_MAX).map(|number| format!("https://example.org/{number}")).collect();
    let just_under = Locations::parse(&entries[..ENTRIES_MAX]);
    assert_eq!((just_under.web.len(), just_under.refused.len()), (ENTRIES_MAX, 0));
    let just_over = Locations::parse(&entries);
    assert_eq!((just_over.web.len(), just_over.refused.len()), (ENTRIES_MAX, 1));
    assert_eq!(just_over.refused[0].why, NotFetchable::TooMany);
}

#[test]
fn a_hostile_entry_is_shown_short_and_without_control_characters() {
    let locations = Locations::parse(&[format!("\u{1b}[2J{}", "x".repeat(1000))]);
    let shown = locations.refused[0].entry.as_str();
    assert!(shown.chars().count() < 250 && !shown.contains('\u{1b}'), "{shown}");
}
