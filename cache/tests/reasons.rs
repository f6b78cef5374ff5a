//! FORMAT.md has a row for each reason that the cache gives, and no other.

use parloop_cache::{Bypass, Caution, Miss, REJECTIONS};

/// The first columns of the rows of a table whose head begins so.
fn rows<'a>(text: &'a str, head: &str) -> Vec<(&'a str, &'a str)> {
    let table = text.split_once(head).unwrap_or_else(|| panic!("{head}")).1;
    let lines = table.lines().skip(2).take_while(|l| l.starts_with('|'));
    let cells = lines.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let code = cells.next().unwrap().trim_matches('`');
        (code, cells.next_back().unwrap_or_default())
    });
    cells.collect()
}

#[test]
fn each_reason_has_a_row_in_the_order_of_the_counts() {
    let text = include_str!("../FORMAT.md");
    let misses = Miss::ALL.map(|miss| {
        let marked = if miss.is_defect() { "rejected" } else { "" };
        (miss.code(), marked)
    });
    assert_eq!(rows(text, "| code | miss: what lies there | |"), misses);
    let codes = |head| -> Vec<&str> { rows(text, head).iter().map(|row| row.0).collect() };
    assert_eq!(
        codes("| code | bypass: why |"),
        Bypass::ALL.map(Bypass::code)
    );
    assert_eq!(codes("| code | rejected: what was found |"), REJECTIONS);
    assert_eq!(codes("| code | warning |"), Caution::ALL.map(Caution::code));
}

#[test]
fn no_two_reasons_of_a_kind_have_one_code() {
    let mut codes: Vec<&str> = Miss::ALL.iter().map(Miss::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Miss::ALL.len());
}
