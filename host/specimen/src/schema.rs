//! The Avro schemas of `schemas/specimen`, inside the program.

use std::sync::LazyLock;

use apache_avro::Schema;

use crate::Layout;

impl Layout {
    /// The layout's Avro schema, as JSON text.
    pub const fn avsc(self) -> &'static str {
        match self {
            Self::V0_2 => include_str!("../../../schemas/specimen/0.2.avsc"),
            Self::V0_3 => include_str!("../../../schemas/specimen/0.3.avsc"),
            Self::V0_31 => include_str!("../../../schemas/specimen/0.31.avsc"),
            Self::V0_32 => include_str!("../../../schemas/specimen/0.32.avsc"),
            Self::V0_33 => include_str!("../../../schemas/specimen/0.33.avsc"),
            Self::V0_34 => include_str!("../../../schemas/specimen/0.34.avsc"),
            Self::V0_35 => include_str!("../../../schemas/specimen/0.35.avsc"),
            Self::V0_36 => include_str!("../../../schemas/specimen/0.36.avsc"),
            Self::V0_37 => include_str!("../../../schemas/specimen/0.37.avsc"),
            Self::V0_38 => include_str!("../../../schemas/specimen/0.38.avsc"),
        }
    }
}

/// The parsed schema of a layout.
pub(crate) fn parsed(layout: Layout) -> &'static Schema {
    static PARSED: LazyLock<Vec<(Layout, Schema)>> = LazyLock::new(|| {
        let parse = |layout: Layout| match Schema::parse_str(layout.avsc()) {
            Ok(schema) => (layout, schema),
            Err(error) => unreachable!("our own schema of {layout} is valid Avro: {error}"),
        };
        Layout::NEWEST_FIRST.into_iter().map(parse).collect()
    });
    match PARSED.iter().find(|(parsed, _)| *parsed == layout) {
        Some((_, schema)) => schema,
        None => unreachable!("NEWEST_FIRST has every layout"),
    }
}
