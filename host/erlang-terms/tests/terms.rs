//! Terms of every kind that is read, and bytes that are none.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::{collection::vec, prelude::*};
use refiner_erlang_terms::{DEPTH_MAX, ELEMENTS_MAX, Term, TermError, decode};

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap().to_be_bytes()
}

/// Bytes of a term without the version.
fn encode(term: &Term<'_>) -> Vec<u8> {
    match term {
        Term::Integer(number) => match (u8::try_from(*number), i32::try_from(*number)) {
            (Ok(byte), _) => vec![97, byte],
            (_, Ok(word)) => [&[98], word.to_be_bytes().as_slice()].concat(),
            _ => {
                let magnitude = u64::try_from(number.unsigned_abs()).unwrap().to_le_bytes();
                [&[110, 8, u8::from(*number < 0)], magnitude.as_slice()].concat()
            }
        },
        Term::Float(number) => [&[70], number.to_be_bytes().as_slice()].concat(),
        Term::Atom(name) => [&[119, u8::try_from(name.len()).unwrap()], *name].concat(),
        Term::Binary(bytes) => [&[109], length(bytes.len()).as_slice(), bytes].concat(),
        Term::Text(bytes) => [&[107], u16::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), bytes].concat(),
        Term::Tuple(elements) => {
            [vec![104, u8::try_from(elements.len()).unwrap()], elements.iter().flat_map(encode).collect()].concat()
        }
        Term::List(elements, None) if elements.is_empty() => vec![106],
        Term::List(elements, tail) => {
            let elements_bytes: Vec<_> = elements.iter().flat_map(encode).collect();
            let tail = tail.as_ref().map_or(vec![106], |tail| encode(tail));
            [vec![108], length(elements.len()).to_vec(), elements_bytes, tail].concat()
        }
        Term::Map(pairs) => {
            let pairs_bytes = pairs.iter().flat_map(|(key, value)| [encode(key), encode(value)].concat()).collect();
            [vec![116], length(pairs.len()).to_vec(), pairs_bytes].concat()
        }
    }
}

fn term() -> impl Strategy<Value = Term<'static>> {
    const WORDS: [&[u8]; 4] = [b"", b"discover", b"1_17081820_aa_bb", &[0xff; 70]];
    let word = prop::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| Term::Integer(number.into())),
        any::<u64>().prop_map(|number| Term::Integer(-i128::from(number))),
        (-1e9..1e9).prop_map(Term::Float),
        word.clone().prop_map(Term::Atom),
        word.clone().prop_map(Term::Binary),
        word.prop_map(Term::Text),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Term::Tuple),
            vec(inner.clone(), 0..6).prop_map(|elements| Term::List(elements, None)),
            vec(inner.clone(), 1..4).prop_map(|elements| Term::List(elements, Some(Box::new(Term::Atom(b"tail"))))),
            vec((inner.clone(), inner), 0..4).prop_map(Term::Map),
        ]
    })
}

proptest! {
    #[test]
    fn term_that_is_written_is_read_back(term in term()) {
        let bytes = [vec![131], encode(&term)].concat();
        prop_assert_eq!(decode(&bytes), Ok(term));
    }

    #[test]
    fn term_that_ends_too_early_is_an_error(term in term(), cut in 0.0..1.0_f64) {
        let bytes = [vec![131], encode(&term)].concat();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a few bytes")]
        let cut = (bytes.len() as f64 * cut) as usize;
        prop_assert_eq!(decode(&bytes[..cut]), Err(TermError::Truncated));
    }
}

#[test]
fn older_spellings_of_atoms_tuples_and_integers_are_read() {
    for (bytes, expected) in [
        (b"\x83d\0\x02ok".as_slice(), Term::Atom(b"ok")),
        (b"\x83s\x02ok", Term::Atom(b"ok")),
        (b"\x83v\0\x02ok", Term::Atom(b"ok")),
        (b"\x83i\0\0\0\x01a\x07", Term::Tuple(vec![Term::Integer(7)])),
        (b"\x83o\0\0\0\x02\x01\x01\x02", Term::Integer(-513)),
        (b"\x83n\x00\x00", Term::Integer(0)),
    ] {
        assert_eq!(decode(bytes), Ok(expected), "{bytes:?}");
    }
}

#[test]
fn lengths_that_the_bytes_do_not_have_are_errors_before_anything_is_kept_for_them() {
    for tag in [105, 108, 109, 111, 116] {
        let bytes = [131, tag, 0xff, 0xff, 0xff, 0xff, 97, 1];
        assert_eq!(decode(&bytes), Err(TermError::Truncated), "tag {tag}");
    }
    assert_eq!(decode(&[]), Err(TermError::Truncated));
    assert_eq!(decode(&[131]), Err(TermError::Truncated));
}

#[test]
fn compressed_terms_processes_and_functions_are_refused() {
    assert_eq!(decode(b"\x83P\xff\xff\xff\xffx"), Err(TermError::Compressed));
    for tag in [77, 82, 88, 89, 90, 103, 112, 113] {
        assert_eq!(decode(&[131, tag, 0, 0]), Err(TermError::Unsupported(tag)));
    }
    assert_eq!(decode(&[130, 97, 1]), Err(TermError::Version(130)));
    assert_eq!(decode(&[131, 97, 1, 0, 0]), Err(TermError::Trailing(2)));
    assert_eq!(decode(&[vec![131, 110, 9, 0], vec![1; 9]].concat()), Err(TermError::TooWide(9)));
}

#[test]
fn terms_within_each_other_and_elements_are_bounded() {
    let nested = |depth: usize| [vec![131], [104, 1].repeat(depth), vec![97, 1]].concat();
    assert!(decode(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(decode(&nested(DEPTH_MAX + 1)), Err(TermError::TooDeep));
    assert_eq!(decode(&nested(100_000)), Err(TermError::TooDeep));
    let wide = |elements: usize| [vec![131, 105], length(elements).to_vec(), [97, 1].repeat(elements)].concat();
    assert!(decode(&wide(ELEMENTS_MAX - 1)).is_ok());
    assert_eq!(decode(&wide(ELEMENTS_MAX)), Err(TermError::TooMany));
    // Many tuples, each of which is small enough.
    let many = [vec![131, 105], length(ELEMENTS_MAX / 2).to_vec(), [104, 1, 106].repeat(ELEMENTS_MAX / 2)].concat();
    assert_eq!(decode(&many), Err(TermError::TooMany));
}
