//! What is asked of all that was stored, a few times each: the median counts, warm.

use crate::batches::{SERVICES, Source};
use crate::collector::Collector;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

const TIMES: usize = 5;

pub(crate) fn ask(collector: &Collector, source: &Source, figure: &dyn Fn(&str, f64, &str)) {
    let service = SERVICES[1];
    let span = "from=-2h";
    let questions = [
        // By service there is a bar of each for each level, so both are asked for.
        ("count_by_service", format!("/api/v1/histogram?{span}&step=2h&by=service")),
        (
            "count_by_level_of_a_service",
            format!("/api/v1/histogram?{span}&step=2h&by=level&service={service}"),
        ),
        ("totals", "/stats".to_owned()),
        ("minute_histogram", format!("/api/v1/histogram?{span}&step=1m")),
        ("latest_50_errors_of_a_service", format!("/api/v1/logs?service={service}&level=ERROR&limit=50")),
        ("one_trace", format!("/api/v1/traces/{}", source.trace)),
        ("substring_rare", "/api/v1/logs?q=users/4711/&limit=50".to_owned()),
        ("substring_absent", "/api/v1/logs?q=nowhere-to-be-found&limit=50".to_owned()),
        ("routes", format!("/api/v1/routes?{span}")),
        ("errors", format!("/api/v1/errors?{span}")),
    ];
    for (name, path) in questions {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let status = get(&collector.address, &path);
            if status != 200 {
                println!("{name}: answered {status}");
            }
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        figure(&format!("query.{name}_ms"), times[TIMES / 2], "ms");
    }
}

/// Asks, reads the answer to its end, and says its status.
fn get(address: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let status = answer.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
    status.and_then(|code| code.parse().ok()).unwrap_or(0)
}
