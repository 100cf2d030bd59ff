//! Whatever is done to a rule file, reading it ends with a file or with mistakes that have places, and never with a panic.

use bellwether_codec::rules::RuleFile;
use proptest::prelude::*;

const TEXTS: [&str; 2] = [include_str!("mistakes.yaml"), crate::fields::EVERYTHING];

#[track_caller]
fn check(text: &str) {
    if let Err(errors) = RuleFile::parse("rules.yaml", text) {
        let lines = text.lines().count().max(1);
        assert!(!errors.0.is_empty() && errors.0.iter().all(|error| (1..=lines + 1).contains(&error.line)), "{errors}");
    }
}

#[test]
fn cut_off_anywhere() {
    for text in TEXTS {
        (0..text.len()).filter(|end| text.is_char_boundary(*end)).for_each(|end| check(&text[..end]));
    }
}

proptest! {
    #[test]
    fn with_something_put_in(which in 0..TEXTS.len(), at in 0..1000_usize, insert in r#"[ \n\t!&*{}\[\]"':#|>ü€0-9a-]{1,4}"#, skip in 0..6_usize) {
        let text = TEXTS[which];
        let at = at * text.len() / 1000;
        let rest = (at + skip).min(text.len());
        check(&format!("{}{insert}{}", &text[..at], &text[rest..]));
    }

    #[test]
    fn arbitrary_text(text in "[ -~\\n\\tü€]{0,80}") {
        check(&text);
    }
}
