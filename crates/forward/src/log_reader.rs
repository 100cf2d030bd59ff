//! The whole log of signals, read from its beginning: from a file, or from all partitions of the topic.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;

use bellwether_kafka::{Batch, Reader, TopicPartition};
use bellwether_live::kafka::Connect;

use crate::error::ForwardError;
use crate::notice::{is_erased, structured};
use crate::source::MAX_LINE_BYTES;

/// Records of a topic that are held at once.
const RECORDS: usize = 4_096;
/// Bytes of them.
const BYTES: usize = 8 << 20;

/// Where the log is.
pub(crate) enum LogReader {
    File(PathBuf),
    Topic(Box<Connect>),
}

impl LogReader {
    /// Shows every signal as of now, each customer's in their order.
    pub fn read(&self, visit: &mut dyn FnMut(&[u8])) -> Result<(), ForwardError> {
        match self {
            Self::File(path) => read_file(path, visit).map_err(|error| ForwardError::Signals { path: path.clone(), error }),
            Self::Topic(connect) => read_topic(connect, visit),
        }
    }
}

fn read_file(path: &PathBuf, visit: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut reader = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => BufReader::new(file?),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        io::Read::take(&mut reader, MAX_LINE_BYTES as u64).read_until(b'\n', &mut line)?;
        if line.len() >= MAX_LINE_BYTES && !line.ends_with(b"\n") {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it has a line that is far too long for a signal"));
        }
        // A line without an end is still being written.
        let Some(text) = line.strip_suffix(b"\n") else { return Ok(()) };
        if !is_erased(text) {
            visit(text);
        }
    }
}

fn read_topic(connect: &Connect, visit: &mut dyn FnMut(&[u8])) -> Result<(), ForwardError> {
    let topic = connect.topics().signals;
    let described = connect.admin()?.describe(&[&topic])?;
    let partitions = described.first().map_or(0, |topic| topic.partitions);
    let mut batch = Batch::default();
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        let mut reader = Reader::of_all(connect.connection(), TopicPartition::new(topic.as_str(), partition))?;
        loop {
            batch.clear();
            let more = reader.read(&mut batch, RECORDS, BYTES)?;
            batch.records().filter_map(|record| structured(&record)).for_each(|body| visit(&body));
            if !more {
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = directory.path().join("signals.jsonl");
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        let mut lines = Vec::new();
        LogReader::File(path).read(&mut |line| lines.push(line.to_vec())).map_err(|error| error.to_string())?;
        Ok(lines)
    }

    #[test]
    fn a_line_that_never_ends_is_an_error_and_one_that_is_being_written_is_none() {
        assert_eq!(lines(b"a\nb"), Ok(vec![b"a".to_vec()]));
        let longest = [vec![b'x'; MAX_LINE_BYTES - 1], b"\n".to_vec(), b"b\n".to_vec()].concat();
        assert_eq!(lines(&longest).map(|lines| lines.len()), Ok(2));
        let longer = [b"a\n".to_vec(), vec![b'x'; MAX_LINE_BYTES], b"\nb\n".to_vec()].concat();
        let error = lines(&longer).expect_err("it cannot be a signal");
        assert!(error.contains("signals.jsonl") && error.contains("far too long"), "{error}");
    }
}
