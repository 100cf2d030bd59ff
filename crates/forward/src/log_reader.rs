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
