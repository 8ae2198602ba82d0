use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Cut, Proxy, Treatment, Way};
use crate::facts::{PATIENCE, fact_blocking};

/// Sends every byte back.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut reader = stream.try_clone().unwrap();
                let _ = io::copy(&mut reader, &mut stream);
            });
        }
    });
    address
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn said(stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(text)?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

#[test]
fn what_passes_is_unchanged_and_connections_go_where_it_leads() {
    let proxy = Proxy::to(echo());
    let mut stream = client(&proxy);
    assert_eq!(said(&mut stream, b"hello").unwrap(), b"hello");
    proxy.lead_to(None);
    assert_eq!(said(&mut stream, b"still").unwrap(), b"still");
    assert!(said(&mut client(&proxy), b"gone").is_err());
    proxy.lead_to(Some(echo()));
    assert_eq!(said(&mut client(&proxy), b"there").unwrap(), b"there");
    let fired = proxy.fired();
    assert_eq!((fired.connections, fired.refused, fired.up), (3, 1, 15));
}

#[test]
fn a_cut_lets_its_bytes_pass_and_hits_one_exchange() {
    let proxy = Proxy::to(echo());
    proxy.cut([Cut::reset(Way::Up, 2), Cut::reset(Way::Down, 3), Cut::close(Way::Down, 0)]);
    for (expected, resets) in [(2, true), (3, true), (0, false)] {
        let mut stream = client(&proxy);
        let _ = stream.write_all(b"hello");
        let mut back = Vec::new();
        let ended = stream.read_to_end(&mut back);
        // A reset may outrun what came before it.
        assert!(back.len() <= expected, "{back:?}");
        assert_eq!(ended.is_err(), resets, "{ended:?}");
    }
    let mut stream = client(&proxy);
    assert_eq!(said(&mut stream, b"one").unwrap(), b"one");
    proxy.cut([Cut::reset(Way::Up, 0)]);
    assert!(said(&mut stream, b"two").is_err(), "also on a connection that is in use");
    assert_eq!((proxy.fired().cuts, proxy.cuts_left()), (4, 0));
    let mut stream = client(&proxy);
    assert_eq!(said(&mut stream, b"three").unwrap(), b"three");
    proxy.sever();
    assert!(stream.read_exact(&mut [0]).is_err());
    assert_eq!(proxy.fired().cuts, 5);
}

#[test]
fn what_is_swallowed_is_gone_and_nobody_hears_of_an_end() {
    let proxy = Proxy::to(echo());
    let mut stream = client(&proxy);
    assert_eq!(said(&mut stream, b"one").unwrap(), b"one");
    proxy.treat(Way::Up, Treatment::Swallow);
    stream.write_all(b"two").unwrap();
    fact_blocking("it is swallowed", || (proxy.fired().swallowed == 3).then_some(()));
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let silence = stream.read(&mut [0]).unwrap_err().kind();
    assert!(matches!(silence, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{silence:?}");
    proxy.heal();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(said(&mut stream, b"three").unwrap(), b"three");
    proxy.strand();
    fact_blocking("it is half open", || (proxy.fired().stranded == 1).then_some(()));
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(said(&mut stream, b"four").is_err());
    assert_eq!(said(&mut client(&proxy), b"five").unwrap(), b"five", "on another connection");
}

#[test]
fn what_is_held_comes_later_and_what_is_slow_comes_in_drops() {
    let proxy = Proxy::to(echo());
    let mut stream = client(&proxy);
    proxy.treat(Way::Up, Treatment::Hold);
    stream.write_all(b"held").unwrap();
    proxy.heal();
    stream.read_exact(&mut [0; 4]).unwrap();
    let wait = Duration::from_millis(20);
    for treatment in [Treatment::Late(wait), Treatment::Drip(2, wait / 2)] {
        proxy.treat(Way::Down, treatment);
        let begun = Instant::now();
        assert_eq!(said(&mut stream, b"hello").unwrap(), b"hello");
        assert!(begun.elapsed() >= wait, "{treatment:?}");
    }
    assert!(proxy.fired().delayed >= 3);
    proxy.treat(Way::Down, Treatment::Drip(1, PATIENCE));
    stream.write_all(b"a long text").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    proxy.heal();
    stream.read_exact(&mut [0; 10]).unwrap();
}
