//! The life of a signal, told by events: outcomes, feedback, age, expiry, hold-out, silences and the owner's cap.

mod feedback;
mod held_back;
mod invisible;
mod outcomes;
mod play;
