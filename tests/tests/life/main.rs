//! The life of a signal, told by events: outcomes, feedback, age, expiry, hold-out, inhibition, silences and the owner's cap.

mod feedback;
mod held_back;
mod inhibited;
mod invisible;
mod outcomes;
mod play;
