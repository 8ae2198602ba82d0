//! A peer that is gone without a word: its network ends while a connection is open, and no packet says so.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use super::*;

const TEST: &str =
    "transport::http::tests::vanished::a_peer_that_vanished_is_found_out_by_what_it_leaves_unacknowledged";
/// Where the server is told its address.
const ADDRESS: &str = "HOPLOG_TEST_VANISHING";
/// Of a request. Longer than any other time here: it is not what finds the peer out.
const PATIENCE: Duration = Duration::from_secs(300);

/// A network of two machines, this one and one that is to vanish. Names and addresses are of this process.
struct Net {
    namespace: String,
    link: String,
    server: Child,
    url: String,
}

fn ip(words: &str) -> Result<(), String> {
    let output = Command::new("ip").args(words.split(' ')).output().map_err(|error| error.to_string())?;
    let why = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("`ip {words}`: {}", why.trim())) }
}

impl Net {
    /// Needs root.
    fn start() -> Result<Self, String> {
        let pid = std::process::id();
        let (namespace, link, far) = (format!("hoplog{pid}"), format!("hop{pid}a"), format!("hop{pid}b"));
        // Of the addresses for benchmarks (RFC 2544), four each.
        let net = format!("198.18.{}.", pid % 256);
        let first = pid / 256 % 64 * 4;
        let (here, there) = (format!("{net}{}", first + 1), format!("{net}{}", first + 2));
        ip(&format!("netns add {namespace}"))?;
        let laid = || {
            ip(&format!("link add {link} type veth peer name {far} netns {namespace}"))?;
            ip(&format!("addr add {here}/30 dev {link}"))?;
            ip(&format!("link set {link} up"))?;
            ip(&format!("-n {namespace} addr add {there}/30 dev {far}"))?;
            ip(&format!("-n {namespace} link set {far} up"))
        };
        if let Err(why) = laid() {
            let _ = ip(&format!("netns del {namespace}"));
            return Err(why);
        }
        let mut server = Command::new("ip");
        server.args(["netns", "exec", &namespace]).arg(std::env::current_exe().unwrap());
        server.args(["--exact", TEST, "--nocapture"]).env(ADDRESS, &there);
        let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.split_once("PORT ").map(|(_, port)| port.to_owned())).unwrap();
        Ok(Self { namespace, link, server, url: format!("http://{there}:{port}/logs") })
    }

    fn vanish(&self) {
        ip(&format!("-n {} link set {}b down", self.namespace, self.link.trim_end_matches('a'))).unwrap();
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = ip(&format!("link del {}", self.link));
        let _ = ip(&format!("netns del {}", self.namespace));
    }
}

/// In the other namespace: takes every batch.
fn serve(address: &str) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    println!("PORT {}", listener.local_addr().unwrap().port());
    for mut stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            let mut request = [0; 4096];
            while stream.read(&mut request).is_ok_and(|read| read > 0) {
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"accepted\":3}";
                let _ = stream.write_all(answer.as_bytes());
            }
        });
    }
}

/// How long a request takes on a connection that was used, to a peer that has vanished since; `None`: it hangs.
fn found_after(unacknowledged: Duration, watched: Duration) -> Result<Option<Duration>, String> {
    let net = Net::start()?;
    let timing = Timing { unacknowledged, connect: Duration::from_millis(500), ..Timing::default() };
    let mut config = config(&net.url, timing);
    config.timeout = PATIENCE;
    config.reach.proxying = crate::transport::Proxying::Straight;
    let mut http = Http::new(config);
    Ok(runtime().block_on(async {
        assert_eq!(http.send(batch()).await.unwrap().status, 200);
        net.vanish();
        let begun = Instant::now();
        let ended = tokio::time::timeout(watched, http.send(batch())).await;
        ended.ok().map(|result| {
            let error = result.unwrap_err();
            assert!(matches!(error.kind, Failure::Silent | Failure::Lost | Failure::Unreachable), "{error}");
            begun.elapsed()
        })
    }))
}

#[test]
fn a_peer_that_vanished_is_found_out_by_what_it_leaves_unacknowledged() {
    if let Ok(address) = std::env::var(ADDRESS) {
        return serve(&address);
    }
    let large = std::env::var_os("HOPLOG_CHAOS").is_some();
    let silence = if large { Timing::default().unacknowledged } else { Duration::from_secs(1) };
    // The system looks at its timer at the next retransmission, which come ever more rarely.
    let most = silence + silence.max(Duration::from_secs(3));
    match found_after(silence, 2 * most) {
        Err(why) => println!("SKIPPED a vanished peer: needs root and network namespaces: {why}"),
        Ok(found) => {
            let found = found.expect("it is found out");
            println!("FIGURE transport.vanished_peer_silence {} ms", silence.as_millis());
            println!("FIGURE transport.vanished_peer_found_after {} ms", found.as_millis());
            assert!(found >= silence / 2 && found <= most, "{found:?}");
            // The control: nothing else finds it out in that time.
            assert_eq!(found_after(PATIENCE, most), Ok(None));
            println!("FIGURE transport.vanished_peer_control_hangs {} ms", most.as_millis());
        }
    }
}
