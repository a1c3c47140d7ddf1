//! Files of Erlang's `disk_log` with the terms in them.

use refiner_erlang_terms::{Entry, Log, decode};

pub fn run(bytes: &[u8]) {
    let _ = decode(bytes);
    let Ok(log) = Log::open(bytes) else { return };
    let (mut seen, all) = (0, log.remaining());
    for entry in log {
        seen += match entry {
            Entry::Term(term) => {
                let _ = decode(term);
                term.len()
            }
            Entry::Damage { bytes } => {
                assert!(bytes > 0, "damage of no byte is found for ever");
                bytes
            }
        };
    }
    assert!(seen <= all, "bytes were read twice");
}

pub fn seeds() -> Vec<Vec<u8>> {
    let item = |term: &[u8]| {
        let length = u32::try_from(term.len()).unwrap_or_default().to_be_bytes();
        [&length, b"bWLA".as_slice(), term].concat()
    };
    // {vsn, {0, 1, 0}}, {discover, <<"1_2_ab_cd">>}, {start, 7000000000}, #{a => [1 | 2.5]}
    let head = item(b"\x83h\x02d\0\x03vsnh\x03a\0a\x01a\0");
    let found = item(b"\x83h\x02d\0\x08discoverm\0\0\0\x091_2_ab_cd");
    let started = item(b"\x83h\x02w\x05startn\x05\0\0\x86\x3b\xa1\x01");
    let nested = item(b"\x83t\0\0\0\x01w\x01al\0\0\0\x01a\x01F\x40\x04\0\0\0\0\0\0");
    let file = |state: [u8; 4], items: &[&[u8]]| [&[1, 2, 3, 4], state.as_slice(), &items.concat()].concat();
    vec![
        file([99, 88, 77, 11], &[&head, &found, &found]),
        file([6, 7, 8, 9], &[&head, &started, &nested, &found[..20]]),
        nested[8..].to_vec(),
    ]
}
