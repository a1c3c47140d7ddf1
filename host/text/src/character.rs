//! Characters that can make a line read as what it is not.

/// Whether a character is escaped wherever untrusted text is shown.
///
/// The list follows the Unicode property `Default_Ignorable_Code_Point` and the bidirectional controls. It is written out, so that
/// the same text is shown the same way whatever version of Unicode the compiler knows.
pub const fn is_deceptive(character: char) -> bool {
    match character {
        // Most text ends here.
        ' '..='~' => false,
        _ => {
            is_control(character)
                || is_bidirectional(character)
                || is_invisible(character)
                || is_tag(character)
                || has_no_meaning(character)
        }
    }
}

/// C0, DEL, C1, and what breaks lines without being one of them.
const fn is_control(character: char) -> bool {
    matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

/// Marks, embeddings, overrides and isolates of direction, the deprecated ones too.
const fn is_bidirectional(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
    )
}

/// Characters without a width or without ink: joiners, fillers, variation selectors, controls of scripts and notations.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2065}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
    )
}

/// Tags, the further variation selectors, and the rest of their plane, which is set aside for invisible characters.
const fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0000}'..='\u{e0fff}')
}

/// Private use and noncharacters: every program shows them in its own way.
const fn has_no_meaning(character: char) -> bool {
    matches!(
        character,
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}'
    ) || character as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(category: &str, characters: &[char]) {
        for character in characters {
            assert!(is_deceptive(*character), "{category}: {}", character.escape_unicode());
        }
    }

    #[test]
    fn characters_that_move_the_cursor_are_escaped() {
        check("C0", &['\0', '\x07', '\x08', '\t', '\n', '\r', '\x1b', '\x1f']);
        check("DEL and C1", &['\x7f', '\u{80}', '\u{85}', '\u{9b}', '\u{9d}', '\u{9f}']);
        check("separators", &['\u{2028}', '\u{2029}']);
    }

    #[test]
    fn characters_that_reorder_text_are_escaped() {
        check("marks", &['\u{61c}', '\u{200e}', '\u{200f}']);
        check("embeddings and overrides", &['\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}']);
        check("isolates", &['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}']);
    }

    #[test]
    fn characters_that_nobody_sees_are_escaped() {
        check("zero width", &['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{2064}', '\u{feff}', '\u{180e}']);
        check("soft hyphen and joiner", &['\u{ad}', '\u{34f}']);
        check("fillers", &['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{2800}', '\u{17b4}', '\u{17b5}']);
        check("variation selectors", &['\u{180b}', '\u{180f}', '\u{fe00}', '\u{fe0f}', '\u{e0100}', '\u{e01ef}']);
        check("interlinear annotations", &['\u{fff9}', '\u{fffa}', '\u{fffb}']);
        check("tags", &['\u{e0000}', '\u{e0001}', '\u{e0020}', '\u{e007f}']);
        check("notations", &['\u{13430}', '\u{1bca0}', '\u{1d173}']);
    }

    #[test]
    fn characters_without_a_meaning_of_their_own_are_escaped() {
        check("private use", &['\u{e000}', '\u{f8ff}', '\u{f0000}', '\u{10fffd}']);
        check("noncharacters", &['\u{fdd0}', '\u{fdef}', '\u{fffe}', '\u{ffff}', '\u{1fffe}', '\u{10ffff}']);
    }

    #[test]
    fn ordinary_text_of_every_script_stays_as_it_is() {
        let text =
            "~ !\"\\ größe Ελλάδα עברית العربية हिन्दी ไทย 日本語　한국어 e\u{301} 🦀 – … ‘’ \u{fffd}\u{fffc}\u{a0}";
        for character in text.chars() {
            assert!(!is_deceptive(character), "{}", character.escape_unicode());
        }
    }
}
