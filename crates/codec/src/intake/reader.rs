//! The intake itself: a thread that reads ahead, and the queue of epochs that it fills.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::followed::Followed;
use super::input::{InputList, STANDARD_INPUT_NAME};
use super::merge::Merge;
use super::renamed::{self, RenamedInput};
use super::source::{Refusal, Source};
use super::{InputPosition, InputProblem, InputSpec, IntakeError, Present, Progress, QUEUED_EPOCHS, RawEpoch, Resume, STOP_CHECK};
use bellwether_engine::time::Time;

type Delivery = Result<RawEpoch, IntakeError>;

/// Inputs being read, as a sequence of epochs. Dropping it stops the reader.
pub struct Intake {
    /// Taken away on drop, so that a reader that waits to deliver gives up.
    epochs: Option<Receiver<Delivery>>,
    reader: Option<JoinHandle<()>>,
    progress: Arc<Progress>,
    names: Arc<[String]>,
    renamed: Vec<RenamedInput>,
    is_over: bool,
}

impl Intake {
    /// Opens all inputs and begins to read, from their starts or from where an earlier run stopped.
    ///
    /// Inputs that an earlier run did not have start at 0, but for files that it read under other names: those go on where they were. Positions of
    /// files that are not among the inputs are kept. `ingest_clock` is the one against which the events will be sequenced: what it refuses does
    /// not order several inputs.
    ///
    /// # Errors
    ///
    /// Every input that cannot be read, that is not the file it was, or that could be several of those read before is listed; then nothing was read.
    pub fn open(inputs: &[InputSpec], resume: Option<Resume>, ingest_clock: fn() -> Option<Time>) -> Result<Self, IntakeError> {
        Self::open_with(inputs, resume, ingest_clock, Box::new(io::stdin()))
    }

    /// The same with another standard input.
    pub(super) fn open_with(
        inputs: &[InputSpec],
        resume: Option<Resume>,
        ingest_clock: fn() -> Option<Time>,
        standard_input: Box<dyn Read + Send>,
    ) -> Result<Self, IntakeError> {
        let progress = Arc::new(Progress::default());
        let mut merge = merge(inputs, resume, Present::new(ingest_clock), standard_input, &progress)?;
        let (names, renamed) = (merge.names(), merge.take_renamed());
        let (sender, epochs) = sync_channel(QUEUED_EPOCHS);
        let reader = thread::Builder::new().name("intake".into()).spawn(move || read(merge, &sender)).map_err(IntakeError::Thread)?;
        Ok(Self { epochs: Some(epochs), reader: Some(reader), progress, names, renamed, is_over: false })
    }

    /// The next epoch, waiting for it; nothing after the one that says it is the last.
    ///
    /// # Errors
    ///
    /// A file that turns out to end before the position of the earlier run.
    ///
    /// # Panics
    ///
    /// If the reader thread panicked: with the same message.
    pub fn next_epoch(&mut self) -> Result<Option<RawEpoch>, IntakeError> {
        self.next_epoch_until(&AtomicBool::new(false))
    }

    /// The same, until `stop` is set. From then on there is only what had arrived on standard input and what waits in the queue, and no last
    /// epoch; files are left where they are.
    ///
    /// # Errors
    ///
    /// A file that turns out to end before the position of the earlier run.
    ///
    /// # Panics
    ///
    /// If the reader thread panicked: with the same message.
    pub fn next_epoch_until(&mut self, stop: &AtomicBool) -> Result<Option<RawEpoch>, IntakeError> {
        let Some(epochs) = self.epochs.as_ref().filter(|_| !self.is_over) else { return Ok(None) };
        let received = loop {
            if stop.load(Ordering::Relaxed) {
                self.progress.drain();
            }
            match epochs.recv_timeout(STOP_CHECK) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break None,
                Ok(delivery) => break Some(delivery),
            }
        };
        let Some(delivery) = received else {
            self.is_over = true;
            if let Some(Err(panic)) = self.reader.take().map(JoinHandle::join) {
                resume_unwind(panic);
            }
            return Ok(None);
        };
        self.is_over = delivery.as_ref().map_or(true, |epoch| epoch.is_last);
        delivery.map(Some)
    }

    /// The names of all inputs, by the index that lines hold.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.names
    }

    /// The inputs that an earlier run read under other names.
    #[must_use]
    pub fn renamed(&self) -> &[RenamedInput] {
        &self.renamed
    }

    /// How far the reader has come; it outlives the intake.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Bytes read from all files so far, as they are on disk.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.progress.bytes_read()
    }

    /// The size of all files when they were opened.
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.progress.bytes_total()
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.progress.stop();
        self.epochs = None;
        if let Some(reader) = self.reader.take() {
            // A panic of the reader is no news to somebody who has stopped listening.
            drop(reader.join());
        }
    }
}

/// Opens all inputs, from their starts or from where an earlier run stopped.
pub(super) fn merge(
    inputs: &[InputSpec],
    resume: Option<Resume>,
    present: Present,
    standard_input: Box<dyn Read + Send>,
    progress: &Arc<Progress>,
) -> Result<Merge, IntakeError> {
    let list = InputList::expand(inputs)?;
    let Resume { next_epoch, positions } = resume.unwrap_or_default();
    let mut earlier: BTreeMap<String, InputPosition> = positions.into_iter().map(|position| (position.name.clone(), position)).collect();
    let renamed = renamed::take_over(&list.files, &mut earlier, |_| true)?;
    let mut sources = open_files(&list, &earlier, progress)?;
    for source in &sources {
        earlier.remove(&source.name);
    }
    if list.standard_input {
        sources.push(Source::standard_input(standard_input, Arc::clone(progress)).map_err(IntakeError::Thread)?);
    }
    let followed = list.followed.map(|(directory, once)| Followed::open(&directory, once, &mut earlier)).transpose()?;
    let merge = Merge::new(sources, earlier.into_values().collect(), next_epoch, present, Arc::clone(progress)).with_renamed(renamed);
    Ok(match followed {
        Some((followed, renamed)) => merge.following(followed).with_renamed(renamed),
        None => merge,
    })
}

fn open_files(list: &InputList, earlier: &BTreeMap<String, InputPosition>, progress: &Arc<Progress>) -> Result<Vec<Source>, IntakeError> {
    let mut sources = Vec::with_capacity(list.files.len() + 1);
    let (mut unreadable, mut changed): (Vec<InputProblem>, Vec<InputProblem>) = (Vec::new(), Vec::new());
    for file in &list.files {
        assert_ne!(file.name, STANDARD_INPUT_NAME, "a file has an extension");
        match Source::open(file, earlier.get(&file.name), None, progress) {
            Ok(source) => sources.push(source),
            Err(Refusal::Unreadable(problem)) => unreadable.push(problem),
            Err(Refusal::Changed(problem)) => changed.push(problem),
        }
    }
    match (unreadable.is_empty(), changed.is_empty()) {
        (true, true) => Ok(sources),
        (false, _) => Err(IntakeError::Unreadable(unreadable)),
        (true, false) => Err(IntakeError::Changed(changed)),
    }
}

/// Reads until the end of the inputs, an error, or nobody wants more.
fn read(mut merge: Merge, epochs: &SyncSender<Delivery>) {
    loop {
        let delivery = match merge.next_epoch() {
            Ok(Some(epoch)) => Ok(epoch),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let is_final = delivery.as_ref().map_or(true, |epoch| epoch.is_last);
        if epochs.send(delivery).is_err() || is_final {
            return;
        }
    }
}
