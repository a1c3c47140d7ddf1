use refiner_content::{CharacterError, Codec, ContentId, ID_CHARACTERS_MAX, IdError, content_id};

use crate::Outcome;

const HELLO: &str = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";

#[test]
fn an_id_of_either_version_is_read_and_written_as_version_1() {
    let check = |text: &str, written: &str| {
        assert_eq!(text.parse::<ContentId>().map(|id| id.to_string()).as_deref(), Ok(written));
    };
    check(HELLO, HELLO);
    check(&format!("B{}", HELLO[1..].to_uppercase()), HELLO);
    // The empty file and the empty directory of every IPFS node.
    let (file, directory) =
        ("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    check(file, "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y");
    check(file, &ContentId::of_block(Codec::DagPb, &[0x0a, 4, 8, 2, 0x18, 0]).to_string());
    check(directory, &ContentId::of_block(Codec::DagPb, &[0x0a, 2, 8, 1]).to_string());
    check(
        "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA",
        "bafkreidon73zkcrwdb5iafqtijxildoonbwnpv7dyd6ef3qdgads2jc4su",
    );
}

#[test]
fn what_is_no_id_is_refused_with_the_reason() {
    let check = |text: &str, expected: IdError| assert_eq!(text.parse::<ContentId>(), Err(expected), "{text}");
    let of = |bytes: &[u8]| base32(bytes);
    let digest = [7; 32];
    let id = |head: &[u8]| of(&[head, &digest].concat());

    check("", IdError::Empty);
    check(&"b".repeat(ID_CHARACTERS_MAX + 1), IdError::TooLong { characters: ID_CHARACTERS_MAX + 1 });
    check(&format!("b{}", "a".repeat(ID_CHARACTERS_MAX - 1)), IdError::Version { version: 0 });
    check("k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r", IdError::Multibase { multibase: 'k' });
    check("Qmb", IdError::Version0Length { characters: 3 });
    check(&HELLO.replace('x', "1"), IdError::Character(CharacterError::Unknown { character: '1', base: 32 }));
    check(
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1Aw0H",
        IdError::Character(CharacterError::Unknown { character: '0', base: 58 }),
    );
    check(&HELLO.replace("yeq", "yer"), IdError::Character(CharacterError::LeftOver));
    check(&HELLO[..HELLO.len() - 2], IdError::Truncated);
    check("b", IdError::Truncated);
    check(&id(&[2, 0x55, 0x12, 32]), IdError::Version { version: 2 });
    check(&id(&[0x12, 0x20]), IdError::Version { version: 0x12 });
    check(&id(&[1, 0x72, 0x12, 32]), IdError::Codec { codec: 0x72 });
    check(&id(&[1, 0x55, 0x13, 32]), IdError::HashFunction { hash: 0x13 });
    check(&id(&[1, 0x55, 0x12, 31]), IdError::DigestLength { length: 31 });
    check(&of(&[&[1, 0x55, 0x12, 32], &digest[..], &[0]].concat()), IdError::Trailing { bytes: 1 });
    check(&id(&[0x81, 0, 0x55, 0x12, 32]), IdError::Truncated);
}

#[test]
fn an_id_survives_json() -> Outcome {
    let id = content_id(b"hello");
    let json = serde_json::to_string(&id)?;
    assert_eq!(json, format!("\"{HELLO}\""));
    assert_eq!(serde_json::from_str::<ContentId>(&json)?, id);
    assert!(serde_json::from_str::<ContentId>("\"hello\"").is_err());
    assert_eq!(id.url(), format!("ipfs://{HELLO}"));
    Ok(())
}

fn base32(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digit = |at: usize| (at..at + 5).fold(0, |value, at| value << 1 | bit(at));
    let letters = (0..bytes.len() * 8).step_by(5).map(digit);
    letters.map(|digit| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(digit)])).fold(
        "b".into(),
        |mut text: String, letter| {
            text.push(letter);
            text
        },
    )
}
