//! One connection through a proxy: two threads, one for each direction.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::Shared;
use super::faults::Fate;

/// A frame that is longer is not Kafka's.
const MAX_FRAME_BYTES: usize = 128 << 20;

/// How long a broker takes to answer, at most.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The kinds of the requests that were not answered yet, by the number that their answers begin with.
type Open = Arc<Mutex<BTreeMap<[u8; 4], i16>>>;

/// Starts to hand on in both directions, until one of the ends hangs up.
pub(super) fn serve(client: TcpStream, broker: TcpStream, shared: &Arc<Shared>) {
    let (Ok(from_client), Ok(from_broker)) = (client.try_clone(), broker.try_clone()) else { return };
    let number = shared.lines().add(&client);
    let Some(number) = number else {
        _ = client.shutdown(Shutdown::Both);
        return;
    };
    let open = Open::default();
    let (for_answers, asked) = (shared.clone(), open.clone());
    thread::spawn(move || both_ends(from_broker, client, |from, to| answers(from, to, &open, &for_answers)));
    let shared = shared.clone();
    thread::spawn(move || {
        both_ends(from_client, broker, |from, to| requests(from, to, &asked, &shared));
        shared.lines().remove(number);
    });
}

/// However one direction ends, the other ends too.
fn both_ends(mut from: TcpStream, mut to: TcpStream, hand_on: impl Fn(&mut TcpStream, &mut TcpStream) -> io::Result<()>) {
    _ = from.set_nodelay(true);
    _ = hand_on(&mut from, &mut to);
    _ = from.shutdown(Shutdown::Both);
    _ = to.shutdown(Shutdown::Both);
}

/// A request is its length, its kind (2 bytes), the version of that (2 bytes), its number (4 bytes), and what does not matter here.
fn requests(from: &mut TcpStream, to: &mut TcpStream, open: &Open, shared: &Shared) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        read_frame(from, &mut frame)?;
        if let [_, _, _, _, kind_high, kind_low, _, _, a, b, c, d, ..] = frame[..] {
            let kind = i16::from_be_bytes([kind_high, kind_low]);
            open.lock().expect("no holder panics").insert([a, b, c, d], kind);
            if shared.held.takes(kind) {
                return late(from, to, &frame, open, shared);
            }
            shared.held.let_it_go_before(kind);
        }
        to.write_all(&frame)?;
    }
}

/// Hangs up on the client, and hands its request on when its turn has come. The connection to the broker stays until that is answered.
fn late(from: &TcpStream, to: &mut TcpStream, frame: &[u8], open: &Open, shared: &Shared) -> io::Result<()> {
    from.shutdown(Shutdown::Both)?;
    shared.held.wait_for_its_turn();
    to.write_all(frame)?;
    let started = Instant::now();
    while !open.lock().expect("no holder panics").is_empty() && started.elapsed() < ANSWERED_WITHIN {
        thread::sleep(Duration::from_millis(1));
    }
    shared.held.answered();
    Ok(())
}

/// An answer is its length, the number of its request (4 bytes), and the rest.
fn answers(from: &mut TcpStream, to: &mut TcpStream, open: &Open, shared: &Shared) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        read_frame(from, &mut frame)?;
        let number = frame.get(4..8).and_then(|number| <[u8; 4]>::try_from(number).ok()).unwrap_or_default();
        let kind = open.lock().expect("no holder panics").remove(&number);
        match kind.map_or(Fate::Good, |kind| shared.faults().fate(kind)) {
            Fate::Good => {}
            Fate::Late(wait) => thread::sleep(wait),
            Fate::Lost => return Ok(()),
        }
        to.write_all(&frame)?;
    }
}

/// Reads a frame together with its length.
fn read_frame(from: &mut TcpStream, frame: &mut Vec<u8>) -> io::Result<()> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let size = u32::from_be_bytes(length) as usize;
    if size > MAX_FRAME_BYTES {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    frame.clear();
    frame.extend(length);
    frame.resize(4 + size, 0);
    from.read_exact(&mut frame[4..])
}
