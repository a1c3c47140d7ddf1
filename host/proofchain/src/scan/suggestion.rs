//! The range of blocks that a provider suggests in its refusal.

use crate::rpc::RpcError;

/// The number of blocks after and with `first` that the refusal of `first..=last` names as a range that is answered: two numbers in
/// a row, of which the first is `first`. A suggestion of everything that was asked for, which reth makes too, is none.
pub fn suggested(error: &RpcError, first: u64, last: u64) -> Option<u64> {
    let message = &error.refusal()?.message;
    let mut before: Option<(u64, usize)> = None;
    for (number, begin, end) in numbers(message) {
        if let Some((one, one_end)) = before
            && one == first
            && (first..last).contains(&number)
            && separates(&message[one_end..begin])
        {
            return Some(number - first + 1);
        }
        before = Some((number, end));
    }
    None
}

/// `22000000-22000500`, `[0x1, 0x2]` and `1 to 2`; anything longer stands between numbers that have nothing to do with each other.
fn separates(text: &str) -> bool {
    matches!(text.trim(), "-" | "–" | "," | ".." | "to")
}

/// Every decimal and `0x` number of a text, with where it begins and ends. One above 64 bits is none.
fn numbers(text: &str) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let begin = rest + text[rest..].find(|c: char| c.is_ascii_digit())?;
            let (digits, radix) = match text[begin..].strip_prefix("0x") {
                Some(hex) => (hex, 16),
                None => (&text[begin..], 10),
            };
            let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
            let end = text.len() - digits.len() + length;
            rest = end;
            if let Ok(number) = u64::from_str_radix(&digits[..length], radix) {
                return Some((number, begin, end));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::{Endpoint, NodeError};

    fn suggestion(message: &str, first: u64, last: u64) -> Option<u64> {
        let endpoint = Endpoint::new("http://127.0.0.1".parse().unwrap());
        let refusal = NodeError { code: -32602, message: message.to_owned(), data: None };
        suggested(&RpcError::Refused { endpoint, method: "eth_getLogs", refusal }, first, last)
    }

    #[test]
    fn suggestions_of_providers_are_read() {
        let reth = "query exceeds max results 20000, retry with the range 6000000-6000509";
        assert_eq!(suggestion(reth, 6_000_000, 6_002_000), Some(510));
        let infura = "query returned more than 10000 results. Try with this block range [0xCB3D, 0x7B737].";
        assert_eq!(suggestion(infura, 0xcb3d, 0x8_0000), Some(0x7_b737 - 0xcb3d + 1));
        let alchemy = "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your \
                       parameters, this block range should work: [0x1180fca, 0x1180fd3]. Upgrade to PAYG for expanded block range.";
        assert_eq!(suggestion(alchemy, 0x118_0fca, 0x118_2000), Some(10));
    }

    #[test]
    fn numbers_that_are_no_part_of_the_range_that_was_asked_suggest_nothing() {
        let the_same = "query exceeds max results 20000, retry with the range 25766988-25775072";
        assert_eq!(suggestion(the_same, 25_766_988, 25_775_072), None);
        assert_eq!(suggestion(the_same, 1, 2_000), None);
        for message in [
            "range 2000 exceeds limit of 1000",
            "eth_getLogs is limited to a 10,000 range",
            "ranges over 10000 blocks are not supported on freetier",
            "Response is too big: Exceeded max limit of 15728640",
            "99999999999999999999999-5",
            "1 or 5, 10-5",
            "0x, 1–",
            "",
        ] {
            assert_eq!(suggestion(message, 1, 2_000), None, "{message}");
        }
    }
}
