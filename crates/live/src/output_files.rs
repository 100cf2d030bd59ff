//! Which files a data directory writes to, so that no file of somebody else is cut to the length that is committed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::LiveError;
use crate::options::{EmbeddedOptions, SignalsTarget};
use crate::process_state::ProcessState;
use crate::session::DEAD_LETTERS;

/// The files that were last written to: within the data directory relative to it, else whole. None before the first run that knew of this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFiles {
    /// The signals; the decisions are beside them.
    pub signals: Option<PathBuf>,
    /// The KPIs.
    pub kpis: Option<PathBuf>,
}

impl OutputFiles {
    /// The same after the files of a run are made.
    pub(crate) fn with(&self, options: &EmbeddedOptions) -> Self {
        let named =
            |path: Option<&Path>, before: &Option<PathBuf>| path.map(|path| name_of(path, &options.data)).or_else(|| before.clone());
        Self { signals: named(signals_of(options), &self.signals), kpis: named(options.kpis.as_deref(), &self.kpis) }
    }
}

/// Refuses files with content that is not of this data directory, before anything is made or cut. What a crash left behind the committed length
/// is ours: it is in the file that was written to.
///
/// # Errors
///
/// The first such file.
pub(crate) fn check(options: &EmbeddedOptions, state: Option<&ProcessState>) -> Result<(), LiveError> {
    let known = state.map(|state| state.files.clone()).unwrap_or_default();
    let (signal_bytes, decision_bytes) = state.map_or((0, 0), |state| state.output_bytes);
    if let Some(path) = signals_of(options) {
        let is_ours = is_known(path, known.signals.as_deref(), signal_bytes + decision_bytes, options);
        refuse(path, signal_bytes, is_ours)?;
        refuse(&decisions_of(path), decision_bytes, is_ours)?;
    }
    if let Some(path) = &options.kpis {
        let committed = state.map_or(0, |state| state.kpis_bytes);
        refuse(path, committed, is_known(path, known.kpis.as_deref(), committed, options))?;
    }
    refuse(&options.data.join(DEAD_LETTERS), 0, state.is_some())
}

/// The file of decisions beside one of signals.
pub(crate) fn decisions_of(signals: &Path) -> PathBuf {
    let mut name = OsString::from(signals);
    name.push(".decisions");
    name.into()
}

fn signals_of(options: &EmbeddedOptions) -> Option<&Path> {
    match &options.signals {
        SignalsTarget::File(path) => Some(path),
        SignalsTarget::StandardOutput => None,
    }
}

/// Whether a file is the one that was written to. A state from before files were remembered is believed, if something is committed.
fn is_known(path: &Path, known: Option<&Path>, committed: u64, options: &EmbeddedOptions) -> bool {
    known.map_or(committed > 0, |known| known == name_of(path, &options.data))
}

fn refuse(path: &Path, committed: u64, is_ours: bool) -> Result<(), LiveError> {
    let found = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if is_ours || found <= committed {
        return Ok(());
    }
    Err(LiveError::ForeignOutput { path: path.to_owned(), found, committed })
}

/// A file by a name that stays when the data directory is moved with it.
fn name_of(path: &Path, data: &Path) -> PathBuf {
    let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (path, data) = (whole(path), whole(data));
    path.strip_prefix(&data).map(Path::to_owned).unwrap_or(path)
}
