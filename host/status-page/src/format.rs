//! Numbers and times as people read them.

/// A number with a comma between thousands.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number where it is known, else a dash.
pub fn known(value: Option<u64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// A large number in few characters, such as `28.2 M`.
pub fn short(value: f64) -> String {
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")] {
        if value >= unit {
            let unit = if name == "k" { 1e3 } else { unit };
            return format!("{:.1} {name}", value / unit);
        }
    }
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// A duration by its largest unit.
pub fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 && ms % 1e3 == 0.0 => format!("{:.0} s", ms / 1e3),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1e3),
        ms if ms < 3_600_000.0 => format!("{:.0} min", ms / 6e4),
        ms if ms < 172_800_000.0 => format!("{:.0} h", ms / 3.6e6),
        ms => format!("{:.0} days", ms / 8.64e7),
    }
}

/// The time from `since_ms` to `now_ms`.
pub fn since(now_ms: u64, since_ms: u64) -> String {
    duration(float(now_ms.saturating_sub(since_ms)))
}

/// Counts are far below 2⁵³.
#[allow(clippy::cast_precision_loss)]
pub const fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!([0, 999, 1_000, 28_029_199].map(number), ["0", "999", "1,000", "28,029,199"]);
        assert_eq!(
            [0.0, 0.25, 12.0, 99.96, 9_999.0, 12_345.0, 2.8e7].map(short),
            ["0", "0.2", "12", "100.0", "9999", "12.3 k", "28.0 M"]
        );
        assert_eq!(
            [12.4, 1_500.0, 2e3, 90_000.0, 7.2e6, 2.6e8].map(duration),
            ["12 ms", "1.5 s", "2 s", "2 min", "2 h", "3 days"]
        );
    }
}
