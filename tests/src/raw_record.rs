//! A record as no client library would write it: by a request of our own making.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

/// A record of no key.
pub struct RawRecord<'a> {
    /// Its value.
    pub value: &'a [u8],
    /// Names, whatever bytes they are, and values of its headers.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

impl RawRecord<'_> {
    /// Writes it to a partition that this broker leads.
    ///
    /// # Panics
    ///
    /// When the broker refuses it.
    pub fn produce(&self, broker: &str, topic: &str, partition: i32) {
        let batch = self.batch();
        // Produce, version 3, correlation 7, client "raw".
        let mut request = [&[0, 0, 0, 3, 0, 0, 0, 7][..], &text("raw")].concat();
        // No transaction, all acknowledgements, 30 seconds; one topic, one partition.
        request.extend([&[0xff, 0xff, 0xff, 0xff][..], &30_000_i32.to_be_bytes(), &[0, 0, 0, 1], &text(topic), &[0, 0, 0, 1]].concat());
        request.extend([&partition.to_be_bytes()[..], &length(&batch).to_be_bytes(), &batch].concat());
        let mut connection = TcpStream::connect(broker).expect("the broker takes connections");
        connection.write_all(&[&length(&request).to_be_bytes()[..], &request].concat()).expect("the request can be sent");
        let mut size = [0; 4];
        connection.read_exact(&mut size).expect("the broker answers");
        let mut answer = vec![0; i32::from_be_bytes(size) as usize];
        connection.read_exact(&mut answer).expect("the broker answers");
        // Correlation, one topic with its name, one partition with its number, and whether it was written.
        let code = 4 + 4 + text(topic).len() + 4 + 4;
        assert_eq!(answer[code..code + 2], [0, 0], "the broker refuses the record");
    }

    fn batch(&self) -> Vec<u8> {
        // No attributes, no time and no offset beyond those of the batch, no key.
        let mut record = vec![0, 0, 0];
        varint(-1, &mut record);
        sized(Some(self.value), &mut record);
        varint(self.headers.len() as i64, &mut record);
        for (name, value) in self.headers {
            sized(Some(name), &mut record);
            sized(*value, &mut record);
        }
        let mut checked = vec![0; 2 + 4];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let now_ms = (now.as_millis() as i64).to_be_bytes();
        // Two timestamps, no producer, epoch and sequence, one record.
        checked.extend([&now_ms[..], &now_ms, &[0xff; 8 + 2 + 4], &[0, 0, 0, 1]].concat());
        sized(Some(&record), &mut checked);
        // The epoch of the leader is not known; the format is the second.
        let rest = [&[0xff, 0xff, 0xff, 0xff, 2][..], &crc32c(&checked).to_be_bytes(), &checked].concat();
        [&[0; 8][..], &length(&rest).to_be_bytes(), &rest].concat()
    }
}

fn length(bytes: &[u8]) -> i32 {
    bytes.len() as i32
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

/// A length, or -1 for none, and the bytes.
fn sized(bytes: Option<&[u8]>, to: &mut Vec<u8>) {
    varint(bytes.map_or(-1, |bytes| bytes.len() as i64), to);
    to.extend(bytes.unwrap_or_default());
}

/// Signs alternate, seven bits a byte.
fn varint(number: i64, to: &mut Vec<u8>) {
    let mut left = ((number << 1) ^ (number >> 63)) as u64;
    while left > 0x7f {
        to.push(left as u8 | 0x80);
        left >>= 7;
    }
    to.push(left as u8);
}

/// Castagnoli's, which Kafka checks its batches by.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_of_its_standard() {
        assert_eq!(super::crc32c(b"123456789"), 0xe306_9283);
    }
}
