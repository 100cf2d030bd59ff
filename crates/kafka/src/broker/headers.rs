//! Headers of a record: any producer may write names that the client library cannot hand over.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use rdkafka::Message as _;
use rdkafka::message::{BorrowedMessage, Header, Headers as _};

use crate::batch::Batch;

/// Stands for the name of a header that is not UTF-8; its value is not known either.
const UNREADABLE_NAME: &str = "unreadable-header-name";

thread_local! {
    /// Whether this thread is reading headers.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Adds the headers of a message to the last record of the batch.
///
/// The client library panics at a name that is not UTF-8. The record is none the worse for it, and the other headers are read all the same.
pub(super) fn push(batch: &mut Batch, message: &BorrowedMessage<'_>) {
    let Some(headers) = message.headers() else { return };
    let mut index = 0;
    loop {
        IS_READING.set(true);
        let read = catch_unwind(AssertUnwindSafe(|| {
            while let Some(Header { key, value }) = headers.try_get(index) {
                batch.push_header(key, value);
                index += 1;
            }
        }));
        IS_READING.set(false);
        if read.is_ok() {
            return;
        }
        tell_once(message);
        batch.push_header(UNREADABLE_NAME, None);
        index += 1;
    }
}

/// From now on such panics are silent: there may be one for each record.
fn tell_once(message: &BorrowedMessage<'_>) {
    static TELL: Once = Once::new();
    TELL.call_once(|| {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        tracing::warn!(
            topic,
            partition,
            offset,
            "a header has a name that is not UTF-8: it is left out, and a panic that the client library may have told of was caught. This is told once"
        );
        let hook = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                hook(panic);
            }
        }));
    });
}
