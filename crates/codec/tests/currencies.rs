//! The currencies that the engine tells apart are those of the library by which rule files and mappings are read.

use bellwether_engine::currency::NO_CURRENCY;
use bellwether_engine::event::Currency;

#[test]
fn of_all_codes_of_three_letters_those_of_iso_4217_count_for_themselves() {
    let (letters, mut listed) = (b'A'..=b'Z', 0);
    for first in letters.clone() {
        for second in letters.clone() {
            for third in letters.clone() {
                let code = Currency([first, second, third]);
                let is_listed = iso_currency::Currency::from_code(std::str::from_utf8(&code.0).expect("ASCII")).is_some();
                assert_eq!(code.counted(), if is_listed { code } else { NO_CURRENCY }, "{code:?}");
                listed += usize::from(is_listed);
            }
        }
    }
    assert!((170..200).contains(&listed), "{listed}");
}
