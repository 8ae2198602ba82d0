//! One connection's bytes, both ways.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::fired::add;
use super::server::Shared;
use super::{Cut, Way};

/// What a proxy does to the bytes of one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// They pass.
    Pass,
    /// They are read and go nowhere, and nobody is told: a peer that is gone without a word.
    Swallow,
    /// They are not read, until the treatment is another: the sender's buffers fill.
    Hold,
    /// Each piece waits so long before it goes on.
    Late(Duration),
    /// So many bytes go on at a time, then nothing for so long: a slow line, or a slow peer.
    Drip(usize, Duration),
}

/// How the client is told of an end that was not its own.
enum End {
    Reset,
    Close,
}

/// The cut of the exchange under way.
#[derive(Default)]
struct Exchange {
    cut: Option<Cut>,
    /// The last bytes went down, or there were none: what comes up next begins another.
    answered: bool,
}

/// Carries a connection until it ends.
pub(super) async fn relay(mut client: TcpStream, mut server: TcpStream, shared: &Arc<Shared>) {
    let exchange = Mutex::new(Exchange { cut: None, answered: true });
    let mut severed = shared.severed.subscribe();
    let mut stranded = shared.stranded.subscribe();
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            tokio::try_join!(
                carry(Way::Up, from_client, to_server, &exchange, shared),
                carry(Way::Down, from_server, to_client, &exchange, shared),
            )
        };
        tokio::select! {
            ended = both => ended.err(),
            _ = severed.changed() => {
                add(&shared.counts.cuts, 1);
                Some(End::Reset)
            }
            _ = stranded.changed() => {
                add(&shared.counts.stranded, 1);
                // Both ends stay open, until the proxy goes.
                std::future::pending().await
            }
        }
    };
    if matches!(ended, Some(End::Reset)) {
        // Dropped like this, it tells its peer by a reset.
        let _ = client.set_zero_linger();
    }
}

/// One way, to its end.
async fn carry(
    way: Way,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    exchange: &Mutex<Exchange>,
    shared: &Arc<Shared>,
) -> Result<(), End> {
    let mut treatments = shared.treatments(way);
    let mut piece = vec![0; 16 << 10];
    loop {
        let held = *treatments.borrow_and_update() == Treatment::Hold;
        let read = tokio::select! {
            // A treatment that changes meanwhile holds for what comes then.
            _ = treatments.changed() => continue,
            read = from.read(&mut piece), if !held => read,
        };
        let bytes = match read {
            // Of a peer that is gone without a word, nobody hears that it is gone.
            Ok(0) if *treatments.borrow() == Treatment::Swallow => return Ok(()),
            Ok(0) => return to.shutdown().await.map_err(|_| End::Close),
            Ok(n) => &piece[..n],
            Err(_) => return Err(End::Reset),
        };
        let cut = cut_of(way, bytes.len(), exchange, shared);
        let passing = &bytes[..cut.map_or(bytes.len(), |(passing, _)| passing)];
        deliver(way, passing, &mut to, &mut treatments, shared).await.map_err(|_| End::Close)?;
        if let Some((_, reset)) = cut {
            add(&shared.counts.cuts, 1);
            return Err(if reset { End::Reset } else { End::Close });
        }
    }
}

/// How many bytes may still pass, and whether by a reset it ends, where the exchange is cut here.
fn cut_of(way: Way, bytes: usize, exchange: &Mutex<Exchange>, shared: &Shared) -> Option<(usize, bool)> {
    let mut exchange = exchange.lock().expect("no panic while it is held");
    match way {
        Way::Up if std::mem::take(&mut exchange.answered) => exchange.cut = shared.next_cut(),
        Way::Up => {}
        Way::Down => exchange.answered = true,
    }
    let cut = exchange.cut.as_mut()?;
    cut.lets_pass(way, bytes).map(|passing| (passing, cut.reset))
}

async fn deliver(
    way: Way,
    bytes: &[u8],
    to: &mut (impl AsyncWrite + Unpin),
    treatments: &mut watch::Receiver<Treatment>,
    shared: &Shared,
) -> io::Result<()> {
    let treatment = *treatments.borrow();
    let counts = &shared.counts;
    let passed = if way == Way::Up { &counts.up } else { &counts.down };
    match treatment {
        Treatment::Swallow => {
            add(&counts.swallowed, bytes.len());
            return Ok(());
        }
        Treatment::Pass | Treatment::Hold => to.write_all(bytes).await?,
        Treatment::Late(wait) => {
            add(&counts.delayed, 1);
            sleep(wait).await;
            to.write_all(bytes).await?;
        }
        Treatment::Drip(at_a_time, wait) => {
            for drop in bytes.chunks(at_a_time.max(1)) {
                to.write_all(drop).await?;
                // What is left of a piece flows on as soon as it may.
                if *treatments.borrow() == treatment {
                    add(&counts.delayed, 1);
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = treatments.changed() => treatments.mark_changed(),
                    }
                }
            }
        }
    }
    add(passed, bytes.len());
    Ok(())
}
