//! Realistic traffic over real sockets, each request with an id of its own and some with secrets.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// What must never be found in the store.
pub(crate) const SECRETS: [&str; 6] = [
    "demo-secret-bearer-8c1f",
    "demo-secret-cookie-27aa",
    "demo-secret-apikey-90de",
    "demo-secret-query-5b3c",
    "demo-secret-session-e1f0",
    "4111111111111111",
];

/// What was sent, and what became of it as the sender saw it.
pub(crate) struct Sent {
    /// `x-request-id` of each.
    pub(crate) ids: Vec<String>,
    pub(crate) took: Duration,
    /// Status, or what the sender did instead of reading one.
    pub(crate) answers: BTreeMap<String, u32>,
}

const AT_ONCE: usize = 24;

/// Sends `requests` requests, a few at once, and shows how far it is.
pub(crate) async fn send(shop: SocketAddr, requests: u32) -> Result<Sent, Box<dyn Error>> {
    let started = Instant::now();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let (mut ids, mut tasks) = (Vec::new(), Vec::new());
    for n in 0..requests {
        let place = Arc::clone(&places).acquire_owned().await?;
        let id = format!("demo-{n:05}");
        ids.push(id.clone());
        tasks.push(tokio::spawn(async move {
            let answer = one(shop, n, &id).await;
            drop(place);
            answer
        }));
        if n % 20 == 0 || n + 1 == requests {
            eprint!("\rsending    {}/{requests}", n + 1);
            std::io::stderr().flush()?;
        }
    }
    let mut answers = BTreeMap::new();
    for task in tasks {
        *answers.entry(task.await??).or_insert(0) += 1;
    }
    eprintln!();
    Ok(Sent { ids, took: started.elapsed(), answers })
}

/// What kind of request the n-th is: a fixed mix, so that each run is like the last.
async fn one(shop: SocketAddr, n: u32, id: &str) -> std::io::Result<String> {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\n");
    match n % 20 {
        0..5 => read_all(shop, &get("/products"), id, "").await,
        5..8 => read_all(shop, &get(&format!("/products/{}", n % 60)), id, "").await,
        8 => read_all(shop, &get("/products?token=demo-secret-query-5b3c&page=2"), id, "").await,
        9..15 => {
            let body = format!("{{\"order\":{n},\"cents\":{}}}", 500 + n * 37 % 9_000);
            read_all(shop, "POST /orders HTTP/1.1\r\nContent-Type: application/json\r\n", id, &body).await
        }
        15 => read_all(shop, &get("/nothing/here"), id, "").await,
        16 => read_all(shop, &get(&format!("/reports/{}", 2000 + n % 30)), id, "").await,
        17 => read_all(shop, &get("/exports/orders.csv"), id, "").await,
        18 if n % 40 == 18 => hang_up_before_the_head(shop, &get("/reports/2024"), id).await,
        18 => hang_up_in_the_body(shop, &get("/exports/orders.csv"), id).await,
        _ if n % 60 == 19 => read_all(shop, &get("/panic"), id, "").await,
        _ => read_all(shop, &get("/products;jsessionid=demo-secret-session-e1f0"), id, "").await,
    }
}

async fn open(shop: SocketAddr, head: &str, id: &str, body: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(shop).await?;
    let request = format!(
        "{head}Host: shop.example\r\nUser-Agent: demo/1.0\r\nAccept: */*\r\nX-Request-Id: {id}\r\n\
         Authorization: Bearer demo-secret-bearer-8c1f\r\nCookie: sid=demo-secret-cookie-27aa\r\n\
         X-Api-Key: demo-secret-apikey-90de\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

async fn read_all(shop: SocketAddr, head: &str, id: &str, body: &str) -> std::io::Result<String> {
    let mut stream = open(shop, head, id, body).await?;
    let mut answer = Vec::new();
    // A handler that panics closes the connection without an answer.
    let _ = stream.read_to_end(&mut answer).await;
    let status = answer.get(9..12).map(|s| String::from_utf8_lossy(s).into_owned());
    Ok(status.unwrap_or_else(|| "no answer".into()))
}

async fn hang_up_before_the_head(shop: SocketAddr, head: &str, id: &str) -> std::io::Result<String> {
    let stream = open(shop, head, id, "").await?;
    // Long enough for the server to have begun, far shorter than the report takes.
    tokio::time::sleep(Duration::from_millis(10)).await;
    drop(stream);
    Ok("hung up before the head".into())
}

async fn hang_up_in_the_body(shop: SocketAddr, head: &str, id: &str) -> std::io::Result<String> {
    let mut stream = open(shop, head, id, "").await?;
    let mut some = [0; 1024];
    let _ = stream.read(&mut some).await?;
    drop(stream);
    Ok("hung up in the body".into())
}
