//! What is said about wrong expressions.

use super::super::Expected;
use super::errors_of;

/// Each paragraph is an expression with the errors under it as a terminal shows them.
#[track_caller]
fn check(paragraphs: &str) {
    for paragraph in paragraphs.trim_matches('\n').split("\n\n") {
        let source = paragraph.lines().next().expect("a paragraph has a line");
        let found = errors_of(source, Expected::Boolean);
        assert_eq!(found, paragraph, "\n{found}\n");
    }
}

#[test]
fn names() {
    check(
        r#"
days_since_logn > 3 && weather == 1 || mr > 2
^^^^^^^^^^^^^^^ unknown name `days_since_logn`
help: did you mean `days_since_login`?
days_since_logn > 3 && weather == 1 || mr > 2
                       ^^^^^^^ unknown name `weather`
                       help: a name is a feature or one of the rule's params
days_since_logn > 3 && weather == 1 || mr > 2
                                       ^^ unknown name `mr`
                                       help: did you mean `mrr`?

		mrr > nsp
		      ^^^ unknown name `nsp`
		      help: did you mean `nps`?

!(weather)
 ^^^^^^^^^ unknown name `weather`
 help: a name is a feature or one of the rule's params

max > 3
^^^ `max` is a function
help: write what it applies to: `max(...)`

has(mr)
    ^^ unknown name `mr`
    help: did you mean `mrr`?
"#,
    );
}

#[test]
fn all_errors_at_once() {
    check(
        r#"
mrr = 3 and not onboarded or nsp <> 2 + at_risk
    ^ `=` is not an operator
    help: write `==`
mrr = 3 and not onboarded or nsp <> 2 + at_risk
        ^^^ `and` is not an operator
        help: write `&&`
mrr = 3 and not onboarded or nsp <> 2 + at_risk
            ^^^ `not` is not an operator
            help: write `!`
mrr = 3 and not onboarded or nsp <> 2 + at_risk
                          ^^ `or` is not an operator
                          help: write `||`
mrr = 3 and not onboarded or nsp <> 2 + at_risk
                             ^^^ unknown name `nsp`
                             help: did you mean `nps`?
mrr = 3 and not onboarded or nsp <> 2 + at_risk
                                 ^^ `<>` is not an operator
                                 help: write `!=`
mrr = 3 and not onboarded or nsp <> 2 + at_risk
                                        ^^^^^^^ expected a number, found a condition
                                        help: `condition ? 1 : 0` makes a number of a condition

mrr = 3 )
    ^ `=` is not an operator
    help: write `==`
mrr = 3 )
        ^ expected an operator or the end of the expression, found `)`
"#,
    );
}

#[test]
fn habits_of_other_languages() {
    check(
        r#"
mrr & nps > 2
^^^ expected a condition (true or false), found a number
help: compare it with something, as in `mrr > 0`
mrr & nps > 2
    ^ `&` is not an operator
    help: write `&&`

1 === 2
  ^^^ `===` is not an operator
  help: write `==`

mrr ≥ 2 || mrr => 3
    ^ `≥` is not an operator
    help: write `>=`
mrr ≥ 2 || mrr => 3
               ^^ `=>` is not an operator
               help: write `>=`

grade == “red”
         ^ unexpected `“`
         help: a text stands in straight quotes, as in "red"

mrr % 2 == 1
    ^ unexpected `%`
    help: the arithmetic operators are + - * /

grade in ['red']
         ^ unexpected `[`
         help: there are no lists: compare with each label, joined by `||`

grade in x
      ^^ expected an operator or the end of the expression, found `in`
      help: compare with each label: `grade == "red" || grade == "amber"`

not nps > 2
^^^ `not` is not an operator
help: write `!`
not nps > 2
    ^^^ `!` stands before a condition, found a number
    help: `!` binds tightest: write `!(mrr > 0)`
"#,
    );
}

#[test]
fn chained_comparisons() {
    check(
        r#"
1 < mrr < 9 <= nps
^^^^^^^^^^^^^^^^^^ comparisons cannot be chained
help: write `1 < mrr && mrr < 9 && 9 <= nps`
"#,
    );
}

#[test]
fn syntax() {
    check(
        r#"
(mrr > 1
        ^ expected an operator or `)`, found the end of the expression

mrr > 1)
       ^ expected an operator or the end of the expression, found `)`

mrr.nps
   ^ unexpected `.`

mrr nps
    ^^^ expected an operator or the end of the expression, found `nps`

onboarded ? true
                ^ expected `:`, found the end of the expression
                help: a choice is `condition ? value : otherwise`

onboarded ? at_risk ? true : false : true
                    ^ expected `:`, found `?`
                    help: put a `? :` between `?` and `:` in parentheses

max(1,
      ^ expected a value, found the end of the expression

grade == 'red
         ^ the text is not closed by '

grade == '\d'
         ^ after `\` a text has a quote or another `\`
"#,
    );
}

#[test]
fn numbers() {
    check(
        r#"
mrr > 30d
      ^^^ `30d` is not a number
      help: a number is digits with at most one decimal point, in the unit of what it is compared with

mrr > 1e5
      ^^^ `1e5` is not a number
      help: a number is digits with at most one decimal point, in the unit of what it is compared with

mrr > 1. + 1_000
      ^^ `1.` is not a number
      help: a number is digits with at most one decimal point, in the unit of what it is compared with
mrr > 1. + 1_000
           ^^^^^ `1_000` is not a number
           help: a number is digits with at most one decimal point, in the unit of what it is compared with
"#,
    );
}

#[test]
fn types() {
    check(
        r#"
mrr + 1
^^^^^^^ expected a condition (true or false), found a number
help: compare it with something, as in `mrr > 0`

mrr + onboarded > 3
      ^^^^^^^^^ expected a number, found a condition
      help: `condition ? 1 : 0` makes a number of a condition

(mrr > 1) + (nps > 2) > 1
^^^^^^^^^ expected a number, found a condition
help: `condition ? 1 : 0` makes a number of a condition
(mrr > 1) + (nps > 2) > 1
            ^^^^^^^^^ expected a number, found a condition
            help: `condition ? 1 : 0` makes a number of a condition

onboarded == 1
^^^^^^^^^^^^^^ cannot compare a condition with a number

onboarded > true
^^^^^^^^^^^^^^^^ true and false have no order, so `>` cannot compare them
help: compare them by == or !=

mrr > 'a'
^^^^^^^^^ cannot compare a number with a text

onboarded ? 1 : true
                ^^^^ one branch is a number, the other a condition

onboarded ? 'a' : grade
            ^^^ a branch is a number or a condition, found a text
onboarded ? 'a' : grade
                  ^^^^^ a branch is a number or a condition, found a label
"#,
    );
}

#[test]
fn labels() {
    check(
        r#"
grade == 'rde'
         ^^^^^ "rde" is not one of the labels
         help: did you mean "red"? The labels are "red", "amber", "green"

stage != 'churned'
         ^^^^^^^^^ "churned" is not one of the labels
         help: the labels are "onboarding", "adoption", "retention"

grade > 'red'
^^^^^^^^^^^^^ labels have no order, so `>` cannot compare them
help: compare them by == or !=

grade == 1
^^^^^^^^^^ cannot compare a label with a number
help: a label is compared with a text, as in `== "red"`

grade
^^^^^ expected a condition (true or false), found a label
help: compare it with a label, as in `== "red"`

'red'
^^^^^ expected a condition (true or false), found a text
help: compare a label feature with it, as in `grade == "red"`

'red' == 'red'
^^^^^^^^^^^^^^ two texts are compared
help: a text is compared with a label feature

grade == stage
^^^^^^^^^^^^^^ the two labels are from different lists

grade + 1 > 2
^^^^^ expected a number, found a label
help: a label can only be compared, as in `grade == "red"`
"#,
    );
}

#[test]
fn functions() {
    check(
        r#"
max(1) > 2
^^^^^^ `max` takes at least 2 arguments, found 1

min() > 2
^^^^^ `min` takes at least 2 arguments, found 0

abs(1,2) > 0
^^^^^^^^ `abs` takes 1 argument, found 2

has()
^^^^^ `has` takes 1 argument, found 0

has(days)
    ^^^^ `has` takes the name of a feature, and `days` is a param

has(1)
    ^ `has` takes the name of a feature

maxx(1,2) > 1
^^^^ unknown function `maxx`
help: did you mean `max`?

foo(1) > 1
^^^ unknown function `foo`
help: the functions are max, min, abs, has

mrr(1) > 1
^^^ `mrr` is not a function
help: write it without `(...)`
"#,
    );
}

#[test]
fn clock_features() {
    check(
        r#"
days_since_login - 7 > days
^^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, so it must stand alone on one side of < <= > >=
help: move the rest to the other side, as in `days_since_login > days + 7`

-days_since_login < 3
 ^^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, so it must stand alone on one side of < <= > >=
 help: move the rest to the other side, as in `days_since_login > days + 7`

days_since_login == 3
^^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, so it equals a number only for an instant
help: compare it by < <= > or >=

max(days_since_login, 1) > 3
    ^^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, so it must stand alone on one side of < <= > >=
    help: move the rest to the other side, as in `days_since_login > days + 7`

days_since_login > days_to_renewal
                   ^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, and so does this other side
                   help: compare each with a number or with features that stand still

mrr > 0 && days_since_login > (has(days_to_renewal) ? 1 : 2)
                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, and so does this other side
                              help: compare each with a number or with features that stand still

days_since_login > onboarded
                   ^^^^^^^^^ cannot compare a number with a condition

onboarded ? days_since_login : 1
            ^^^^^^^^^^^^^^^^ `days_since_login` runs with the clock, so it must stand alone on one side of < <= > >=
            help: move the rest to the other side, as in `days_since_login > days + 7`

days_since_login
^^^^^^^^^^^^^^^^ expected a condition (true or false), found a number
help: compare it with something, as in `mrr > 0`
"#,
    );
}

#[test]
fn blanks_and_lines() {
    for (source, expected) in [
        ("mrr >\n  1 +\n  wether", "  wether\n  ^^^^^^ unknown name `wether`\n  help: a name is a feature or one of the rule's params"),
        ("", "\n^ the expression is empty"),
        ("  ", "  \n^ the expression is empty"),
        ("mrr > ", "mrr > \n      ^ expected a value, found the end of the expression"),
    ] {
        assert_eq!(errors_of(source, Expected::Boolean), expected);
    }
}

#[test]
fn a_number_is_expected() {
    let number = |source| errors_of(source, Expected::Number);
    assert!(number("mrr > 1").contains("expected a number, found a condition"));
    assert!(number("grade").contains("expected a number, found a label"));
    assert!(number("'red'").contains("expected a number, found a text"));
    assert!(number("days_since_login").contains("runs with the clock"));
}
