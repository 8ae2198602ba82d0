//! The collector that is asked: where it is, how it is asked, and what its refusals mean.

use super::Failure;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

const DEFAULT: &str = "http://127.0.0.1:8000";
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// For an answer, which takes a collector 10 s at most by default.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// More of an answer is not read; a collector's are a quarter of it by default.
const MOST_BYTES: usize = 64 << 20;
/// More of a refusal is not read.
const REFUSAL_BYTES: usize = 64 << 10;

/// Which collector.
#[derive(clap::Args)]
#[command(next_help_heading = "Collector")]
pub(crate) struct Remote {
    /// The collector's address.
    #[arg(long, value_name = "URL", env = "HOPLOG_ENDPOINT", hide_env_values = true, default_value = DEFAULT)]
    url: String,
    /// The collector's key, if it has one.
    #[arg(long, value_name = "KEY", env = "HOPLOG_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Lets the key go over plain HTTP to another machine, where anyone on the way can read it.
    #[arg(long)]
    allow_insecure_http: bool,
}

/// A collector that can be asked.
pub(crate) struct Collector {
    client: Client,
    base: Url,
    has_key: bool,
}

impl Remote {
    /// Checks what was said; nothing is sent yet.
    pub(crate) fn open(&self) -> Result<Collector, Failure> {
        let usage = |why: String| Err(Failure::Usage(why));
        let said = if self.url.is_empty() { DEFAULT } else { &self.url };
        let base = match Url::parse(said) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            // What stands before an `@` may be a password.
            _ if said.contains('@') => {
                return usage(format!("this is no address of a collector: pass --url such as {DEFAULT}"));
            }
            _ => {
                return usage(format!("`{said}` is no address of a collector: pass --url such as {DEFAULT}"));
            }
        };
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return usage(
                "the collector's address has a user, a password or a query in it: pass the key as --api-key"
                    .into(),
            );
        }
        let key = self.api_key.as_deref().filter(|key| !key.is_empty());
        let here = is_loopback(&base);
        if key.is_some() && base.scheme() == "http" && !here && !self.allow_insecure_http {
            return usage(format!(
                "the key would go to {} in the clear: use https, or pass --allow-insecure-http",
                base.host_str().unwrap_or_default()
            ));
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(key) = key {
            let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {key}")) else {
                return usage(
                    "the key has characters that no key has: check --api-key or HOPLOG_API_KEY".into(),
                );
            };
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let mut client = Client::builder()
            .user_agent(concat!("hoplog/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIME)
            // A redirect would carry the key to another host.
            .redirect(reqwest::redirect::Policy::none());
        if here {
            // A proxy is not on this machine.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|e| Failure::Failed(format!("no HTTP client: {}", root(&e))))?;
        Ok(Collector { client, base, has_key: key.is_some() })
    }
}

impl Collector {
    /// The body of a JSON answer.
    pub(crate) async fn json(&self, path: &[&str], pairs: &[(String, String)]) -> Result<String, Failure> {
        let ask = async {
            let answer = self.ask(path, pairs).await?;
            self.expect(&answer, "application/json")?;
            self.body(answer, MOST_BYTES).await
        };
        let late = |_| {
            let seconds = ANSWER_TIME.as_secs();
            Failure::Failed(format!(
                "{} has not answered within {seconds} s: ask for less, by --from and --limit",
                self.name()
            ))
        };
        let body = tokio::time::timeout(ANSWER_TIME, ask).await.map_err(late)??;
        String::from_utf8(body).map_err(|_| self.stranger())
    }

    /// An answer that is not a refusal.
    async fn ask(&self, path: &[&str], pairs: &[(String, String)]) -> Result<Response, Failure> {
        self.send(self.client.get(self.url(path, pairs))).await
    }

    /// What arrives from now on, or from where a stream broke.
    pub(crate) async fn follow(
        &self,
        pairs: &[(String, String)],
        last_id: Option<&str>,
    ) -> Result<Response, Failure> {
        let mut request = self.client.get(self.url(&["api", "v1", "tail"], pairs));
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let answer = self.send(request).await?;
        self.expect(&answer, "text/event-stream")?;
        Ok(answer)
    }

    fn url(&self, path: &[&str], pairs: &[(String, String)]) -> Url {
        let mut url = self.base.clone();
        url.set_fragment(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(|e| self.unanswered(&e))?;
        match answer.status() {
            StatusCode::OK => Ok(answer),
            _ => Err(self.refused(answer).await),
        }
    }

    /// Refuses an answer of another type.
    fn expect(&self, answer: &Response, content_type: &str) -> Result<(), Failure> {
        is_of_type(answer, content_type).then_some(()).ok_or_else(|| self.stranger())
    }

    /// What to say where the other side does not talk like a collector.
    pub(crate) fn stranger(&self) -> Failure {
        Failure::Failed(format!("what answers at {} is no hoplog collector: check --url", self.name()))
    }

    /// What to say where the connection broke.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> Failure {
        Failure::Failed(format!("the connection to {} broke: {}", self.name(), root(error)))
    }

    pub(crate) fn name(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    async fn body(&self, mut answer: Response, most: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|e| self.broken(&e))? {
            if body.len() + piece.len() > most {
                let why =
                    format!("{} answers with more than {most} bytes: ask for less, by --limit", self.name());
                return Err(Failure::Failed(why));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let (name, why) = (self.name(), root(error));
        Failure::Failed(if error.is_connect() {
            format!("no collector at {name} ({why}): start one by `hoplog serve`, or pass --url")
        } else {
            format!("{name} does not answer ({why}): check --url")
        })
    }

    async fn refused(&self, answer: Response) -> Failure {
        let status = answer.status();
        let name = self.name();
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            return Failure::Failed(format!(
                "{name} redirects to {to}: pass as --url where the collector really is"
            ));
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Failure::Refused(match self.has_key {
                true => format!("{name} does not take this key: check --api-key or HOPLOG_API_KEY"),
                false => format!("{name} asks for a key: pass --api-key or set HOPLOG_API_KEY"),
            });
        }
        let is_problem = is_of_type(&answer, "application/problem+json");
        let body = self.body(answer, REFUSAL_BYTES).await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(Problem { title, detail }) if is_problem => match status {
                StatusCode::BAD_REQUEST => Failure::Usage(format!("{title}: {detail}")),
                StatusCode::NOT_FOUND => Failure::Missing(format!("{title}: {detail}")),
                _ => Failure::Failed(format!("{name} says: {title}: {detail}")),
            },
            _ => Failure::Failed(format!(
                "what answers {status} at {name} is no hoplog collector: check --url"
            )),
        }
    }
}

/// RFC 9457, as the collector writes it.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
}

fn is_of_type(answer: &Response, wanted: &str) -> bool {
    let said = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(wanted))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host.ends_with(".localhost") // RFC 6761 §6.3
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The innermost cause: those around it repeat it, and the URL with what was asked.
fn root(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
