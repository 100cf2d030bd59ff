//! Reference pages of settings, as Markdown, from the tables that reading goes by.

use std::fmt::Write;

use super::section::{Absent, Field, Form, Section};

/// A chapter for a section, and one for each section within it, with a path such as `kafka.journal` as its title.
#[must_use]
pub fn section_pages(title: &str, section: &'static Section) -> String {
    let mut page = String::new();
    let mut waiting = vec![(title.to_owned(), String::new(), section)];
    let mut done: Vec<&'static str> = Vec::new();
    while let Some((title, path, section)) = waiting.pop() {
        if done.contains(&section.what) {
            continue;
        }
        done.push(section.what);
        let _ = write!(page, "\n## {title}\n\n{}\n\n| field | form | default | meaning |\n|---|---|---|---|\n", section.doc);
        let mut within = Vec::new();
        for field in section.fields {
            page.push_str(&row(field));
            let path = if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
            sections_of(&field.form, &path, &mut within);
        }
        waiting.extend(within.into_iter().rev().map(|(path, section)| (format!("`{path}`"), path, section)));
    }
    page
}

fn row(field: &Field) -> String {
    let default = match &field.absent {
        Absent::Required => "required".to_owned(),
        Absent::Default(default) => format!("`{default}`"),
        Absent::Means(words) => (*words).to_owned(),
    };
    format!("| `{}` | {} | {} | {} |\n", field.name, form_words(&field.form), cell(&default), cell(field.doc))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A form in words.
fn form_words(form: &Form) -> String {
    match form {
        Form::Text => "text".to_owned(),
        Form::Secret => "text, secret".to_owned(),
        Form::Pointer => "JSON Pointer".to_owned(),
        Form::Whole(least, u32::MAX) => format!("whole number from {least}"),
        Form::Whole(least, most) => format!("whole number, {least} to {most}"),
        Form::Number(least, most) => format!("number, {least} to {most}"),
        Form::Boolean => "`true` or `false`".to_owned(),
        Form::Duration => "duration".to_owned(),
        Form::Size => "size".to_owned(),
        Form::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Form::Scalar => "any scalar".to_owned(),
        Form::Property => "text, number or boolean".to_owned(),
        Form::List(of) => format!("list: {}", form_words(of)),
        Form::Named(of) => format!("names: {}", form_words(of)),
        Form::Section(_) => "section".to_owned(),
        Form::Either(one, other) => format!("{} or {}", form_words(one), form_words(other)),
    }
}

fn sections_of(form: &Form, path: &str, found: &mut Vec<(String, &'static Section)>) {
    match form {
        Form::Section(section) => found.push((path.to_owned(), section)),
        Form::List(of) => sections_of(of, &format!("{path}[]"), found),
        Form::Named(of) => sections_of(of, &format!("{path}.*"), found),
        Form::Either(one, other) => {
            sections_of(one, path, found);
            sections_of(other, path, found);
        }
        _ => {}
    }
}
