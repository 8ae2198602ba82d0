//! What an error says, without the URL: a query may hold secrets.

use std::error::Error as StdError;
use std::iter;

use hoplog::{Exchange, Outcome, error_chain, error_text};
use reqwest::Url;
use reqwest_middleware::Error;

/// Writes the error into the exchange and says how it ended: its time ran out, or it got no answer.
pub(crate) fn record(exchange: &mut Exchange, called: &Url, error: &Error) -> Outcome {
    let (error_type, first): (_, &(dyn StdError + 'static)) = match error {
        Error::Reqwest(error) => ("reqwest::Error", error),
        Error::Middleware(error) => ("reqwest_middleware::Error", error.as_ref()),
    };
    let errors: Vec<_> = error_chain(Some(first)).collect();
    let reqwests = || errors.iter().filter_map(|error| error.downcast_ref::<reqwest::Error>());
    let urls: Vec<&str> =
        iter::once(called).chain(reqwests().filter_map(reqwest::Error::url)).map(Url::as_str).collect();
    let texts: Vec<String> = errors.iter().map(|error| without(&urls, error_text(error))).collect();
    let message = match &texts[..] {
        // The first says what was tried, the last what stood in the way.
        [first, .., last] => format!("{first}: {last}"),
        [only] => only.clone(),
        [] => String::new(),
    };
    let sources: String = texts.iter().skip(1).map(|text| format!("caused by: {text}\n")).collect();
    exchange.error(error_type, &message, Some(&*sources).filter(|sources| !sources.is_empty()));
    if reqwests().any(reqwest::Error::is_timeout) { Outcome::TimedOut } else { Outcome::ServiceError }
}

fn without(urls: &[&str], mut text: String) -> String {
    for url in urls {
        if text.contains(url) {
            text = text.replace(&format!(" for url ({url})"), "").replace(url, "[url]");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_cut_out_wherever_it_stands() {
        let url = "http://bank.example/charge?token=hunter2";
        let text = |text: &str| without(&[url], text.to_owned());
        assert_eq!(text(&format!("error sending request for url ({url})")), "error sending request");
        assert_eq!(text(&format!("3 retries of {url} failed")), "3 retries of [url] failed");
        assert_eq!(text("connection refused"), "connection refused");
    }
}
