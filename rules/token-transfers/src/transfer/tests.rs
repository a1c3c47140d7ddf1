//! Logs of every shape, as a contract could emit them.

use super::*;

const FROM: u64 = 0xf0;
const TO: u64 = 0x70;
const OPERATOR: u64 = 0x09;

fn topic(number: u64) -> B256 {
    U256::from(number).into()
}

fn log(topics: &[B256], data: &[U256]) -> Log {
    Log { topics: topics.to_vec(), data: bytes(data), ..Log::default() }
}

fn bytes(words: &[U256]) -> Vec<u8> {
    words.iter().flat_map(|word| B256::from(*word).to_bytes()).collect()
}

fn numbers<const N: usize>(numbers: [u64; N]) -> [U256; N] {
    numbers.map(U256::from)
}

/// Standard, operator, and the items as (batch index, token id, amount).
type Seen = (Standard, Option<Address>, Vec<(Option<u32>, Option<U256>, U256)>);

fn seen(log: &Log) -> Result<Option<Seen>, Misshapen> {
    let Some(event) = read(log)? else { return Ok(None) };
    assert_eq!((event.from, event.to), (address(topic(FROM))?, address(topic(TO))?));
    let items = event.items().map(|item| (item.batch_index, item.token_id, item.amount)).collect();
    Ok(Some((event.standard, event.operator, items)))
}

#[test]
fn number_of_topics_and_length_of_data_tell_the_standards_apart() {
    let check = |topics: &[B256], data: &[u8], expected: Result<(Standard, Option<U256>, U256), Misshapen>| {
        let log = Log { topics: topics.to_vec(), data: data.to_vec(), ..Log::default() };
        let expected = expected.map(|(standard, id, amount)| Some((standard, None, vec![(None, id, amount)])));
        assert_eq!(seen(&log), expected, "{} topics, {} bytes", topics.len(), data.len());
    };
    let (from, to, id) = (topic(FROM), topic(TO), topic(77));
    let amount = bytes(&numbers([500]));
    check(&[TRANSFER, from, to], &amount, Ok((Standard::Erc20, None, U256::from(500))));
    check(&[TRANSFER, from, to], &[0xff; 32], Ok((Standard::Erc20, None, U256::MAX)));
    check(&[TRANSFER, from, to], &[0; 32], Ok((Standard::Erc20, None, U256::ZERO)));
    check(&[TRANSFER, from, to, id], &[], Ok((Standard::Erc721, Some(U256::from(77)), U256::from(1))));
    check(&[TRANSFER, from, to, TRANSFER], &[], Ok((Standard::Erc721, Some(TRANSFER.into()), U256::from(1))));

    check(&[TRANSFER, from, to], &[], Err(Misshapen::Data));
    check(&[TRANSFER, from, to], &amount[..31], Err(Misshapen::Data));
    check(&[TRANSFER, from, to], &[0; 33], Err(Misshapen::Data));
    check(&[TRANSFER, from, to], &[0; 64], Err(Misshapen::Data));
    check(&[TRANSFER, from, to, id], &[0], Err(Misshapen::Data));
    check(&[TRANSFER, from, to, id], &amount, Err(Misshapen::Data));
    check(&[TRANSFER], &[0; 96], Err(Misshapen::Topics));
    check(&[TRANSFER, from], &[0; 64], Err(Misshapen::Topics));
    check(&[TRANSFER, from, to, id, id], &[], Err(Misshapen::Topics));
}

#[test]
fn topic_that_is_no_address_makes_no_transfer() {
    let dirty = B256::from_words([0, 1 << 32, 0, FROM]);
    let (from, to, id, amount) = (topic(FROM), topic(TO), topic(1), numbers([1]));
    for topics in [[TRANSFER, dirty, to], [TRANSFER, from, dirty]] {
        assert_eq!(seen(&log(&topics, &amount)), Err(Misshapen::Address));
        assert_eq!(seen(&log(&[&topics[..], &[id]].concat(), &[])), Err(Misshapen::Address));
    }
    for position in 1..4 {
        let mut topics = [TRANSFER_SINGLE, topic(OPERATOR), from, to];
        topics[position] = dirty;
        assert_eq!(seen(&log(&topics, &numbers([1, 1]))), Err(Misshapen::Address), "topic {position}");
    }
    // The token id of ERC-721 is a number and may have any bytes.
    assert!(seen(&log(&[TRANSFER, from, to, dirty], &[])).is_ok());
}

#[test]
fn single_transfer_of_a_multi_token_has_an_operator_and_two_words_of_data() {
    let check = |topics: &[B256], data: &[u8], expected: Result<(u64, u64), Misshapen>| {
        let log = Log { topics: topics.to_vec(), data: data.to_vec(), ..Log::default() };
        let operator = address(topic(OPERATOR)).ok();
        let expected = expected.map(|(id, amount)| {
            Some((Standard::Erc1155, operator, vec![(None, Some(U256::from(id)), U256::from(amount))]))
        });
        assert_eq!(seen(&log), expected, "{} topics, {} bytes", topics.len(), data.len());
    };
    let topics = [TRANSFER_SINGLE, topic(OPERATOR), topic(FROM), topic(TO)];
    let data = bytes(&numbers([8, 9]));
    check(&topics, &data, Ok((8, 9)));
    check(&topics, &data[..63], Err(Misshapen::Data));
    check(&topics, &[0; 65], Err(Misshapen::Data));
    check(&topics[..3], &data, Err(Misshapen::Topics));
    check(&[&topics[..], &[topic(0)]].concat(), &data, Err(Misshapen::Topics));
    check(&topics[..1], &data, Err(Misshapen::Topics));
}

#[test]
fn batch_gives_its_pairs_in_order_wherever_the_arrays_lie() {
    let topics = [TRANSFER_BATCH, topic(OPERATOR), topic(FROM), topic(TO)];
    let check = |data: &[u64], expected: &[(u64, u64)]| {
        let data: Vec<U256> = data.iter().map(|word| U256::from(*word)).collect();
        let items =
            (0..).zip(expected).map(|(index, (id, amount))| (Some(index), Some(U256::from(*id)), U256::from(*amount)));
        let expected = (Standard::Erc1155, address(topic(OPERATOR)).ok(), items.collect());
        assert_eq!(seen(&log(&topics, &data)), Ok(Some(expected)), "{data:?}");
    };
    check(&[64, 96, 0, 0], &[]);
    check(&[64, 128, 1, 5, 1, 6], &[(5, 6)]);
    check(&[64, 160, 2, 5, 7, 2, 6, 8], &[(5, 6), (7, 8)]);
    // The same token twice is two rows.
    check(&[64, 160, 2, 5, 5, 2, 6, 6], &[(5, 6), (5, 6)]);
    // Amounts first, both arrays the same, bytes after the last one: all of it is what the ABI allows.
    check(&[128, 64, 1, 6, 1, 5], &[(5, 6)]);
    check(&[64, 64, 1, 5], &[(5, 5)]);
    check(&[64, 128, 1, 5, 1, 6, 99], &[(5, 6)]);
    check(&[64, 64, 0], &[]);
}

#[test]
fn batch_whose_arrays_do_not_fit_is_skipped() {
    let topics = [TRANSFER_BATCH, topic(OPERATOR), topic(FROM), topic(TO)];
    let check = |data: &[U256], expected: Misshapen| {
        assert_eq!(seen(&log(&topics, data)), Err(expected), "{data:?}");
    };
    check(&[], Misshapen::Array);
    check(&numbers([64]), Misshapen::Array);
    check(&numbers([64, 96, 0]), Misshapen::Array);
    check(&numbers([64, 96, 1, 0]), Misshapen::Lengths);
    check(&numbers([64, 128, 1, 5, 0]), Misshapen::Lengths);
    check(&numbers([64, 128, 1, 5, 2, 6, 7]), Misshapen::Lengths);
    check(&numbers([64, 128, 1, 5, 1]), Misshapen::Array);
    check(&numbers([64, 160, 1, 5, 1, 6]), Misshapen::Array);
    check(&numbers([64, 192, 1, 5, 1, 6]), Misshapen::Array);
    check(&numbers([64, u64::MAX, 1, 5]), Misshapen::Array);
    check(&numbers([64, 128, u64::MAX, 5, 1, 6]), Misshapen::Array);
    check(&numbers([64, 128, u64::MAX / 32 + 2, 5, 1, 6]), Misshapen::Array);
    check(&[U256::MAX, U256::MAX, U256::MAX, U256::MAX], Misshapen::Array);
    let whole = log(&topics, &numbers([64, 128, 1, 5, 1, 6]));
    for length in 0..whole.data.len() {
        let cut = Log { data: whole.data[..length].to_vec(), ..whole.clone() };
        assert_eq!(seen(&cut), Err(Misshapen::Array), "{length} bytes");
    }
    assert_eq!(seen(&log(&topics[..3], &numbers([64, 96, 0, 0]))), Err(Misshapen::Topics));
}

#[test]
fn other_logs_say_nothing_of_tokens() {
    let (from, to) = (topic(FROM), topic(TO));
    for topics in [&[][..], &[from], &[from, to, TRANSFER], &[topic(0), from, to]] {
        assert_eq!(seen(&log(topics, &numbers([1]))), Ok(None), "{topics:?}");
    }
}
