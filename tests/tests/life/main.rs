//! The life of a signal, told by events: outcomes, feedback, age, expiry, hold-out, inhibition, silences and the owner's cap.

mod again;
mod feedback;
mod held_back;
mod inhibited;
mod invisible;
mod one_instant;
mod outcomes;
mod play;
