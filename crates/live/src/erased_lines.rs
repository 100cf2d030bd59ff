//! Lines of an erased customer in files that others read: found, and made blank without moving anything.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use bellwether_codec::erased_line::ERASED_LINE;

/// Bytes of a file that are looked at together.
const PART_BYTES: usize = 1 << 20;

/// Overwrites each line with the customer's id in it, in place, so that lengths and positions stay. Returns how many there were.
pub(crate) fn blank_lines(path: &Path, customer: &str) -> io::Result<usize> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut writer = OpenOptions::new().write(true).open(path)?;
    let (mut line, mut start, mut count) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if count_in(text, customer.as_bytes()) > 0 {
            let mut blank = vec![b' '; text.len()];
            let kept = ERASED_LINE.len().min(blank.len());
            if kept == ERASED_LINE.len() {
                blank[..kept].copy_from_slice(ERASED_LINE);
            }
            writer.seek(SeekFrom::Start(start))?;
            writer.write_all(&blank)?;
            count += 1;
        }
        start += length as u64;
    }
    writer.sync_all()?;
    Ok(count)
}

/// How often the id stands in a file, as a word of its own.
pub(crate) fn occurrences(path: &Path, customer: &str) -> io::Result<usize> {
    let id = customer.as_bytes();
    let mut file = File::open(path)?;
    // The bytes not yet looked at, behind one that was: it says whether they begin with a word.
    let (mut bytes, mut count) = (vec![b' '], 0);
    loop {
        let read = (&mut file).take(PART_BYTES as u64).read_to_end(&mut bytes)?;
        // A match near the end of a part may go on, or be part of a longer word: it is looked at with the next one.
        let end = if read == 0 { bytes.len() } else { bytes.len().saturating_sub(id.len() + 1).max(1) };
        count += count_between(&bytes, id, 1, end);
        if read == 0 {
            return Ok(count);
        }
        bytes.drain(..end - 1);
    }
}

fn count_in(bytes: &[u8], id: &[u8]) -> usize {
    count_between(bytes, id, 0, bytes.len())
}

/// Matches that begin from `start` on and before `end`.
fn count_between(bytes: &[u8], id: &[u8], start: usize, end: usize) -> usize {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let starts = bytes.windows(id.len().max(1)).enumerate().take(end).skip(start).filter(|(_, window)| *window == id);
    let words = starts.filter(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !is_part(before) && !is_part(bytes.get(at + id.len()))
    });
    words.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_and_parts_of_others_do_not() {
        assert_eq!(count_in(br#"{"subject":"c-1","x":"c-10, c-1; xc-1 \"c-1\""}"#, b"c-1"), 3);
    }

    #[test]
    fn a_match_across_parts_is_found_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for shift in 0..40 {
            let mut bytes = vec![b' '; PART_BYTES * 2 + 100];
            let at = PART_BYTES - 20 + shift;
            bytes[at..at + 10].copy_from_slice(b"customer-7");
            bytes[PART_BYTES * 2 + 50..PART_BYTES * 2 + 60].copy_from_slice(b"customer-7");
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(occurrences(&path, "customer-7").unwrap(), 2, "{shift}");
        }
    }

    #[test]
    fn lines_are_blanked_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let text = "{\"subject\":\"c-1\",\"data\":1}\n{\"subject\":\"c-10\"}\n{\"a\":\"the c-1 of\"}\n";
        std::fs::write(&path, text).unwrap();
        assert_eq!(blank_lines(&path, "c-1").unwrap(), 2);
        let found = std::fs::read_to_string(&path).unwrap();
        assert_eq!((found.len(), occurrences(&path, "c-1").unwrap()), (text.len(), 0));
        let lines: Vec<&str> = found.lines().collect();
        let trimmed: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(trimmed, ["{\"erased\":true}", "{\"subject\":\"c-10\"}", "{\"erased\":true}"]);
        assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    }
}
