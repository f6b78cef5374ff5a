//! The known name that a misspelt one probably means.

/// The longest name that is compared.
const LENGTH_MAX: usize = 40;
/// How many names are compared at most.
pub(super) const NAMES_MAX: usize = 200;

/// The nearest of `names` within a third of the length, the first of equals.
pub(super) fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let near = names
        .take(NAMES_MAX)
        .filter(|name| name.len() <= LENGTH_MAX)
        .map(|name| (distance(text, name), name))
        .min_by_key(|(distance, _)| *distance)?;
    let allowed = (text.len() / 3).max(1);
    (near.0 <= allowed && near.0 < text.len()).then(|| near.1.to_owned())
}

/// How many bytes must be inserted, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
