//! One run: a service does every step, what it sent is handed to a collector, and all that came out is gathered.

use std::net::SocketAddr;

use hoplog_testkit::scripted::{Answer, Received, Scripted};
use hoplog_testkit::wire::Wire;
use serde_json::{Value, json};

use super::FRAMEWORKS;
use super::process::{Process, Said};
use super::table::Place;
use crate::collector::{Directory, get_with};

/// One request.
pub(crate) struct Step {
    pub(crate) framework: &'static str,
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A run to be.
pub(crate) struct Run<'a> {
    steps: &'a [Step],
    settings: &'a Value,
    directory: Directory,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Everything that can be read from outside, by the name of the place.
    pub(crate) sinks: Vec<(String, Vec<u8>)>,
    /// The stored entries of each step.
    pub(crate) entries: Vec<Vec<Value>>,
    /// How many entries the collector says to have.
    pub(crate) stored: u64,
}

impl Outcome {
    /// What can be read in the places whose name begins so.
    pub(crate) fn of<'s>(&'s self, sink: &'s str) -> impl Iterator<Item = &'s Vec<u8>> {
        self.sinks.iter().filter(move |(name, _)| name.starts_with(sink)).map(|(_, bytes)| bytes)
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(steps: &'a [Step], settings: &'a Value) -> Self {
        Self { steps, settings, directory: Directory::new() }
    }

    pub(crate) async fn go(self) -> Outcome {
        let mut sinks = Vec::new();
        // The first batch is refused once: what the service says about that is looked at too.
        let wire = Scripted::start([Answer::status(503)]);
        let Said { stdout, stderr } = self.serve(&wire).await;
        sinks.extend([("stdout of the service".into(), stdout), ("stderr of the service".into(), stderr)]);
        sinks.push(("file of the service".into(), std::fs::read(self.directory.path("log")).unwrap()));
        let received = wire.received();
        for (n, request) in received.iter().enumerate() {
            sinks.push((format!("wire, request {n}"), on_the_wire(request)));
        }

        let key = self.settings["api_key"].as_str().unwrap_or_default();
        let data = self.directory.path("data");
        let collector =
            Process::start(&["collector", data.to_str().unwrap()], &[("HOPLOG_API_KEY", key)], "");
        let address = collector.addresses()[0];
        for request in &received {
            hand_on(address, request).await;
        }
        let api = Api { address, key };
        let mut entries = Vec::new();
        for n in 0..self.steps.len() {
            entries.push(api.entries(&mut sinks, n).await);
        }
        let stored = api.everything(&mut sinks).await;
        sinks.extend(self.files("store, open"));
        let Said { stdout, stderr } = collector.end().await;
        sinks
            .extend([("stdout of the collector".into(), stdout), ("stderr of the collector".into(), stderr)]);
        sinks.extend(self.files("store, closed"));
        Outcome { sinks, entries, stored }
    }

    fn files(&self, name: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
        let data = self.directory.path("data");
        let files = self.directory.files().into_iter().filter(move |(path, _)| path.starts_with(&data));
        files.map(move |(path, bytes)| (format!("{name}, {}", path.display()), bytes))
    }

    async fn serve(&self, wire: &Scripted) -> Said {
        let mut plan = self.settings.clone();
        let path = plan["endpoint_path"].as_str().unwrap_or_default();
        plan["endpoint"] = format!("{}/{path}", wire.url()).into();
        plan["file"] = self.directory.path("log").to_str().into();
        plan["steps"] = self.steps.iter().map(Step::plan).collect();
        let service = Process::start(&["service"], &[], &plan.to_string());
        let addresses = service.addresses();
        for (n, step) in self.steps.iter().enumerate() {
            let at = FRAMEWORKS.iter().position(|framework| *framework == step.framework).unwrap();
            let mut connection = Wire::connect(addresses[at]).await;
            connection.send(step.request(n)).await;
            let answer = connection.until_end().await;
            let status = answer.map(|answer| answer.status);
            assert!(
                status == step.status() || status.is_none() && step.breaks_off(),
                "{}: {status:?}",
                step.name
            );
        }
        service.end().await
    }
}

impl Step {
    /// What the handler is to do.
    fn plan(&self) -> Value {
        let (act, kind, text) = match self.place {
            Place::AnswerHeader => ("answer_headers", "", &*self.text),
            Place::Answer(kind) => ("answer_body", kind, &*self.text),
            Place::Act(act, _) => (act, "", &*self.text),
            _ => ("none", "", ""),
        };
        json!({ "act": act, "kind": kind, "text": text })
    }

    /// Its request, in a trace of its own.
    fn request(&self, n: usize) -> String {
        let step = format!("/steps/{n}");
        let (mut method, mut target, mut lines, mut body) = ("GET", step.clone(), String::new(), "");
        match self.place {
            Place::Header => lines = format!("{}\r\n", self.text),
            Place::Query => target = format!("{step}?{}", self.text),
            Place::Path => target = format!("{step}/{}", self.text),
            Place::Target => target = self.text.replace("STEP", &step),
            Place::Body(kind) | Place::Unread(kind) | Place::Never(kind) => {
                (method, body) = ("POST", &*self.text);
                lines = format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
            }
            Place::AnswerHeader | Place::Answer(_) | Place::Act(..) => {}
        }
        if !lines.starts_with("host:") {
            lines = format!("host: canary\r\n{lines}");
        }
        let trace = trace(n);
        format!(
            "{method} {target} HTTP/1.1\r\n{lines}connection: close\r\n\
             traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n\r\n{body}"
        )
    }

    /// How it is answered, if it is.
    fn status(&self) -> Option<u16> {
        match (self.place, self.framework) {
            (Place::Act("fail", _), "axum") => Some(502),
            (Place::Act("fail" | "refuse" | "report", _), _) => Some(500),
            (Place::Act("panic", _), _) => None,
            _ => Some(200),
        }
    }

    /// Whether the connection may end before the head of the answer is sent.
    fn breaks_off(&self) -> bool {
        matches!(self.place, Place::Act("break_off", _))
    }
}

fn trace(n: usize) -> String {
    format!("{:032x}", 0xa000 + n)
}

/// A request of the service's, without the key that belongs there and the path that it was told.
fn on_the_wire(request: &Received) -> Vec<u8> {
    let headers = request.headers.iter().filter(|(name, _)| name != "authorization");
    let head: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{head}\n{}", request.json).into_bytes()
}

/// Sends the same bytes to a collector.
async fn hand_on(address: SocketAddr, request: &Received) {
    let mut wire = Wire::connect(address).await;
    let mut head = format!("POST /logs HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for name in ["authorization", "content-type", "content-encoding"] {
        if let Some(value) = request.header(name) {
            head += &format!("{name}: {value}\r\n");
        }
    }
    head += &format!("content-length: {}\r\n\r\n", request.sent.len());
    wire.send([head.as_bytes(), &request.sent].concat()).await;
    let answer = wire.response("POST").await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// A reader of the collector's.
struct Api<'a> {
    address: SocketAddr,
    key: &'a str,
}

impl Api<'_> {
    async fn ask(&self, sinks: &mut Vec<(String, Vec<u8>)>, path: &str) -> Value {
        let answer = get_with(self.address, path, &format!("authorization: Bearer {}\r\n", self.key)).await;
        assert_eq!(answer.status, 200, "{path}");
        let json = serde_json::from_slice(&answer.body).unwrap_or_default();
        sinks.push((format!("api, {path}"), answer.raw));
        json
    }

    /// The entries of a step's trace, as the trace shows them and as they are by themselves.
    async fn entries(&self, sinks: &mut Vec<(String, Vec<u8>)>, step: usize) -> Vec<Value> {
        let answer = self.ask(sinks, &format!("/api/v1/traces/{}", trace(step))).await;
        let entries = answer["logs"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            self.ask(sinks, &format!("/api/v1/logs/{}", entry["id"].as_str().unwrap())).await;
        }
        entries
    }

    /// Every other answer; how many entries there are.
    async fn everything(&self, sinks: &mut Vec<(String, Vec<u8>)>) -> u64 {
        for path in ["/", "/api/v1/services", "/api/v1/routes", "/metrics"] {
            self.ask(sinks, path).await;
        }
        let mut path = "/api/v1/logs?limit=1000".to_owned();
        while let Some(cursor) = self.ask(sinks, &path).await["next_cursor"].as_str() {
            path = format!("/api/v1/logs?limit=1000&cursor={cursor}");
        }
        self.ask(sinks, "/stats").await["total_logs"].as_u64().unwrap()
    }
}
