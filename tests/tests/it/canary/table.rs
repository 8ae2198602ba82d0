//! Every place where a secret can stand.
//!
//! `«shape»` is a secret of that shape, made for this place and this framework alone; `«visible»` is a word under an
//! innocent name in the same place, which must be found in the store. Where a row has none, one is put beside it.

use Place::{Act, Answer, AnswerHeader, Body, Header, Never, Path, Query, Target, Unread};

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Header lines of the request.
    Header,
    /// The request's query.
    Query,
    /// The request's path, behind that of the step.
    Path,
    /// The whole request target; `STEP` stands for the step's path.
    Target,
    /// The request's body, of this content type.
    Body(&'static str),
    /// Likewise, of a body that is not what its type says, or that nobody here can read: its hash is kept.
    Unread(&'static str),
    /// Likewise, of a type that is never kept: its size is.
    Never(&'static str),
    /// Header lines of the response.
    AnswerHeader,
    /// The response's body, of this content type.
    Answer(&'static str),
    /// What the handler does with the text, as the service's `acts` has it, and how many entries that makes besides
    /// the request's own.
    Act(&'static str, usize),
}

pub(super) const JSON: &str = "application/json";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const TEXT: &str = "text/plain";
const NDJSON: &str = "application/x-ndjson";

/// Every row is sent to both frameworks.
pub(crate) const ROWS: &[(Place, &str)] = &[
    // Headers by their names.
    (Header, "authorization: Bearer «token»"),
    (Header, "authorization: Basic «basic»"),
    (Header, "authorization: AWS4-HMAC-SHA256 Credential=«aws»/20250101/eu/s3, Signature=«token»"),
    (Header, "authorization: «token»\r\nauthorization: «token»"),
    (Header, "Proxy-Authorization: Basic «basic»"),
    (Header, "cookie: theme=dark; sid=«token»; «token»"),
    (Header, "X-API-Key: «token»"),
    (Header, "apikey: «token»"),
    (Header, "x-auth-token: «token»"),
    (Header, "x-csrf-token: «token»\r\nx-xsrf-token: «token»"),
    (Header, "x-amz-security-token: «long»"),
    (Header, "x-goog-iam-authorization-token: «token»"),
    (Header, "x-goog-authenticated-user-jwt: «token»"),
    (Header, "x-my-secret: «token»"),
    (Header, "x-session-token: «token»"),
    (Header, "x-vault-token: «token»\r\nprivate-token: «token»"),
    (Header, "x-hub-signature-256: sha256=«token»"),
    (Header, "sec-websocket-protocol: v1, «token»"),
    (Header, "dpop: «jwt»"),
    (Header, "x-amzn-oidc-data: «jwt»"),
    // Headers by their values.
    (Header, "user-agent: shop/1 («jwt») «visible»"),
    (Header, "x-forwarded-access: Bearer «token»"),
    (Header, "referer: https://shop:«token»@example.org/«visible»?token=«token»&page=2#access_token=«token»"),
    (Header, "referer: «token»@example.org:badport/"),
    (Header, "origin: https://shop:«token»@example.org"),
    (Header, "x-original-url: /orders?api_key=«token»&note=«visible»"),
    (Header, "x-forwarded-uri: /a;jsessionid=«token»"),
    (Header, "x-forwarded-host: shop:«token»@example.org"),
    (Header, "forwarded: for=192.0.2.1;host=\"shop:«token»@example.org\""),
    (Header, "baggage: session=«token»,note=«visible»"),
    (Header, "x-config: user=shop;password=«token»;host=«visible»"),
    (Header, r#"x-json: {"password":"«token»","note":"«visible»"}"#),
    (Header, "x-callback: https://shop:«token»@example.org/«visible»"),
    (Header, "x-card: «card groups»"),
    (Header, "x-keys: «aws» «github» «slack» «google» «stripe» «ours»"),
    (Header, "host: shop:«token»@example.org"),
    // What is taken from headers.
    (Header, "x-user-id: «jwt»\r\nx-tenant-id: «ours»"),
    (Header, "x-client-type: app\r\nx-app-name: «jwt»"),
    (Header, "x-caller-service: a?password=«token»"),
    // Query parameters.
    (Query, "password=«token»&note=«visible»"),
    (Query, "PassWord=«token»&pass-word=«token»&user[password]=«token»&newPassword=«token»"),
    (Query, "pass%77ord=«token»&%70assword=«percent»"),
    (Query, "pass%2577ord=«token»"),
    (Query, "api_key=«token»&apikey=«token»&api-key=«token»&apiKey=«token»"),
    (Query, "access_token=«token»;refresh_token=«token»"),
    (Query, "client_secret=«token»&id_token=«jwt»&pin=«number»"),
    (Query, "X-Amz-Credential=«aws»%2F20250101&X-Amz-Signature=«token»&X-Amz-Security-Token=«long»"),
    (Query, "X-Goog-Signature=«long»&X-Goog-Credential=«token»"),
    (Query, "sv=2024&sig=«token»%3D&se=«visible»"),
    (Query, "next=https%3A%2F%2Fexample.org%2F%3Ftoken%3D«token»"),
    (Query, "next=https%253A%252F%252Fexample.org%252F%253Ftoken%253D«token»"),
    (Query, "next=https://shop:«token»@example.org/"),
    (Query, "data=%7B%22password%22%3A%22«token»%22%7D"),
    (Query, "q=«jwt»&note=«visible»"),
    (Query, "q=«card»&note=«visible»"),
    (Query, "q=Bearer+«token»"),
    (Query, "«jwt»"),
    (Query, "token:«token»"),
    (Query, "q=«github»&r=«aws»&s=«slack»&t=«google»&u=«stripe»&v=«ours»&w=«gitlab»&x=«npm»"),
    // Paths.
    (Path, ";jsessionid=«token»"),
    (Path, "reset/token=«token»"),
    (Path, "reset/«jwt»"),
    (Path, "https://shop:«token»@example.org"),
    (Path, "pay/«card»"),
    (Path, "keys/«stripe»"),
    (Path, "a%3Bsid%3D«token»"),
    (Target, "http://shop:«token»@example.orgSTEP/«visible»?token=«token»"),
    // Request bodies.
    (Body(JSON), r#"{"user":"«visible»","password":"«token»"}"#),
    (Body(JSON), r#"{"pin":«number»,"card":{"cvv":«number»},"note":"«visible»"}"#),
    (Body(JSON), r#"{"tokens":["«token»",«number»,{"a":"«token»"}],"note":"«visible»"}"#),
    (Body(JSON), r#"{"credentials":{"user":"«token»","more":{"key":"«token»"}},"note":"«visible»"}"#),
    (Body(JSON), r#"{"pass\u0077ord":"«token»","secret":"«escaped»","note":"«visible»"}"#),
    (Body(JSON), r#"[[[[{"a":{"b":[{"c":{"apiKey":"«token»"}}]}}]]],{"note":"«visible»"}]"#),
    (Body(JSON), r#"{"payload":"{\"password\":\"«token»\",\"n\":1}","note":"«visible»"}"#),
    (
        Body(JSON),
        r#"{"headers":{"Authorization":"Bearer «token»","Cookie":["a=«token»"]},"note":"«visible»"}"#,
    ),
    (Body(JSON), r#"{"text":"see «jwt» and «aws»","escaped":"a\n«jwt»\n","note":"«visible»"}"#),
    (Body(JSON), r#"{"number":«card»,"text":"«card»","note":"«visible»"}"#),
    (Body(JSON), r#"{"url":"postgres://shop:«token»@db/shop","note":"«visible»"}"#),
    (Body(JSON), r#"{"«jwt»":1,"note":"«visible»"}"#),
    (Body(JSON), "\u{feff}{\"password\":\"«token»\",\"note\":\"«visible»\"}"),
    (Body("application/problem+json; charset=utf-8"), r#"{"token":"«token»","note":"«visible»"}"#),
    (Body(NDJSON), "{\"note\":\"«visible»\"}\n{\"password\":\"«token»\"}\n{\"pin\":«number»}\n"),
    // The end of these is cut off, within the secret, a name, an escape.
    (Body(JSON), r#"{"note":"«visible»","pad":"«to 4050»","password":"«long»"}"#),
    (Body(JSON), r#"{"note":"«visible»","pad":"«to 4050»","token":["a","«long»"]}"#),
    (Body(JSON), r#"{"note":"«visible»","pad":"«to 4070»","text":"«jwt»"}"#),
    (Body(JSON), r#"{"note":"«visible»","pad":"«to 4070»","pin":«number»}"#),
    (Body(JSON), r#"{"note":"«visible»","pad":"«to 4071»","«jwt»":1}"#),
    (Body(JSON), r#"{"note":"«visible»","pad":"«to 4060»","secret":"«escaped»"}"#),
    (Body(FORM), "note=«visible»&pad=«to 4050»&password=«long»"),
    (Body(FORM), "note=«visible»&pad=«to 4050»&q=«jwt»"),
    (Body(TEXT), "«visible» «to 4060» «jwt»"),
    (Body(TEXT), "«visible» «to 4050» password=«long»"),
    (Body(TEXT), "«visible» «to 4070»\n«pem»"),
    // Forms and text.
    (Body(FORM), "user=«visible»&password=«token»&card_number=«card»"),
    (Body(FORM), "note=«visible»&pass%77ord=«percent»&q=Bearer+«token»&q=«card groups»"),
    (Body(TEXT), "«visible»\n«pem»\nafter"),
    (Body(TEXT), "«visible» «aws» «github» «gitlab» «slack» «google» «stripe» «npm» «ours»"),
    (Body(TEXT), "«visible» Authorization: Bearer «token», Basic «basic»"),
    (Body(TEXT), "«visible» paid with «card groups», «card»"),
    (Body(TEXT), "«visible» mysql://shop:«token»@db/shop?ssl=1 password='«token»' apiKey=«token»"),
    // Nobody can read these as what they say they are.
    (Unread("application/xml"), "<password>«token»</password>"),
    (Unread(JSON), r#"{"password":"«token»" oops"#),
    (Unread("application/json; charset=utf-16"), r#"{"password":"«token»"}"#),
    (
        Never("multipart/form-data; boundary=x"),
        "--x\r\ncontent-disposition: form-data; name=password\r\n\r\n«token»",
    ),
    // Responses.
    (AnswerHeader, "set-cookie: sid=«token»; Path=/; HttpOnly\nset-cookie: theme=«token»"),
    (AnswerHeader, "location: https://shop:«token»@example.org/«visible»?code=1&access_token=«token»"),
    (AnswerHeader, "location: /login?token=«token»#id_token=«token»"),
    (AnswerHeader, "link: <https://example.org/?page=2&token=«token»>; rel=next"),
    (AnswerHeader, "refresh: 0; url=https://example.org/?token=«token»"),
    (AnswerHeader, "x-auth-token: «token»\nauthentication-info: nextnonce=«token»"),
    (AnswerHeader, "x-debug: token=«token» «visible»"),
    (AnswerHeader, "www-authenticate: Bearer realm=\"«visible»\"\nx-note: «jwt»"),
    (AnswerHeader, "content-disposition: attachment; filename=«visible»; token=«token»"),
    (Answer(JSON), r#"{"access_token":"«token»","expires_in":3600,"note":"«visible»"}"#),
    (Answer(JSON), r#"{"users":[{"ssn":«number»,"name":"«visible»"},{"otp":"«token»"}]}"#),
    (Answer(JSON), r#"{"note":"«visible»","pad":"«to 4050»","refreshToken":"«long»"}"#),
    (Answer("application/vnd.api+json"), r#"{"data":{"secret":"«token»"},"note":"«visible»"}"#),
    (Answer(TEXT), "«visible» your key is «ours», your card «card»"),
    (Answer(FORM), "oauth_token=«token»&oauth_token_secret=«token»&note=«visible»"),
    // Errors and panics.
    (Act("fail", 0), "«visible» login with password=«token» failed at https://shop:«token»@example.org/"),
    (Act("fail", 0), "«visible» Login { user: \"ada\", password: \"«token»\", pin: Some(\"«token»\") }"),
    (Act("refuse", 0), "«visible» refused «jwt»"),
    (
        Act("report", 0),
        "«visible» rejected Bearer «token»\n«visible» the key «aws» is unknown\n«visible» card «card»",
    ),
    (Act("set_error", 0), "«visible» api_key=«token»\n«visible» {\"client_secret\":\"«token»\"}"),
    (Act("break_off", 0), "«visible» stream of «github» broke, token=«token»"),
    (Act("panic", 0), "«visible» called with «jwt» and password=«token»"),
    (Act("panic_task", 1), "«visible» called with «stripe» and secret=\"«token»\""),
    (Act("panic_scope", 1), r#"{"password":"«token»","note":"«visible» «jwt»","pin":[«number»]}"#),
    // What handlers say of their request.
    (Act("set_ids", 0), "«visible» «jwt»"),
    (
        Act("set_fields", 0),
        r#"{"password":"«token»","note":"«visible» «jwt»","deep":{"apiKey":["«token»"]}}"#,
    ),
    (
        Act("set_fields", 0),
        r#"{"«stripe»":1,"body":"{\"token\":\"«token»\"}","note":"«visible»","pin":«number»}"#,
    ),
    (Act("set_message", 0), "«visible» charged «card groups», password=«token»"),
    // What holds in a scope.
    (Act("scope_ids", 1), "«visible» «jwt»"),
    (Act("scope_fields", 1), r#"{"secret":"«token»","note":"«visible» «github»","user":{"pin":«number»}}"#),
    (Act("scope_fields", 1), r#"{"«jwt»":1,"url":"postgres://shop:«token»@db/","note":"«visible»"}"#),
    // What the application logs.
    (Act("log_message", 1), "«visible» charged «card» with «stripe», password=«token»"),
    (Act("log_message", 1), "«visible»\n«pem»"),
    (
        Act("log_error", 1),
        "«visible» no login as mongodb://shop:«token»@db/\n«visible» caused by token=«token»",
    ),
    (Act("timer", 1), "«visible» query with «aws» password=«token»\n«visible» caused by Bearer «token»"),
    (Act("measure", 1), "«visible» no login with api_key=«token» «card»"),
    (Act("macro", 1), "«visible» charged «card» with «stripe», password=«token»"),
    (Act("log_unserializable", 1), "«visible» found password=«token» in it"),
    (Act("log_ids", 1), "«visible» «jwt»"),
    (Act("log_fields", 1), r#"{"password":"«token»","note":"«visible»"}"#),
    (Act("log_fields", 1), r#"{"user":{"name":"«visible»","apiKey":"«token»","pin":[«number»,"«token»"]}}"#),
    (Act("log_fields", 1), r#"{"note":"«visible» «jwt» «card»","amount":«card»,"pin":«number»}"#),
    (Act("log_fields", 1), r#"{"«jwt»":1,"note":"«visible»"}"#),
    (Act("log_fields", 1), r#"{"body":"{\"token\":\"«token»\"}","note":"«visible»"}"#),
    // Calls that it makes.
    (Act("call", 1), "http://UPSTREAM/«visible»;sid=«token»?token=«token»&q=«jwt»"),
    (Act("call", 1), "http://shop:«token»@UPSTREAM/«visible»"),
    (
        Act("call", 1),
        "http://UPSTREAM/\nauthorization: Bearer «token»\ncookie: a=«token»\nx-note: «visible» «jwt»",
    ),
    (Act("call", 2), "http://shop:«token»@NOBODY/«visible»?api_key=«token»#«token»"),
    (Act("called", 1), "set-cookie: sid=«token»\nx-note: «visible»\nx-debug: Bearer «token»"),
];
