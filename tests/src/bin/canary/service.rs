//! The service: hoplog with everything on that can show a secret.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hoplog::{Bodies, Client, ClientBuilder, Console, Redaction, Trust};

use crate::acts::Acts;
use crate::calls::Calls;
use crate::plan::Plan;
use crate::{actix, axum, end_of_stdin};

/// For the last entries to be delivered, or to be given up.
const DEADLINE: Duration = Duration::from_secs(5);

/// Serves until stdin ends.
pub(crate) async fn run() {
    let plan = Arc::new(Plan::read());
    complain(&plan);
    let builder = builder(&plan);
    eprintln!("{builder:?}"); // as somebody might who wonders why
    let client = builder.build().expect("a client");
    eprintln!("{client:?} {:?}", client.stats());

    // Rust's own hook prints what the panic says; what an application prints is its own affair.
    std::panic::set_hook(Box::new(|info| {
        let _ = writeln!(std::io::stderr(), "a panic at {:?}", info.location());
    }));
    client.install_panic_hook();
    match plan.setting("message") {
        "" => {}
        message => client.info(message).send(),
    }

    let calls = Calls::new(&client, &plan).await;
    let acts = Arc::new(Acts { log: client.clone(), plan: Arc::clone(&plan), calls });
    let (axum, actix) = (axum::serve(Arc::clone(&acts)).await, actix::serve(acts));
    println!("{axum} {actix}");
    end_of_stdin().await;
    let deadline = if plan.is_impatient() { Duration::ZERO } else { DEADLINE };
    let report = client.shutdown(deadline).await;
    eprintln!("{report:?} {:?}", client.stats());
}

fn builder(plan: &Plan) -> ClientBuilder {
    let redaction = Redaction::default().all_headers().hash_key(plan.setting("hash_key"));
    let redaction = match plan.setting("innocent_name") {
        "" => redaction,
        name => redaction.innocent_name(name),
    };
    let builder = Client::builder()
        .without_variables()
        .endpoint(plan.setting("endpoint"))
        .api_key(plan.setting("api_key"))
        .allow_insecure_http()
        .service("canary")
        .console(Console::Text)
        .redaction(redaction)
        .trust(Trust::default().proxies(["127.0.0.1"]).client_types())
        .bodies(Bodies::default().content_type("application/xml"));
    match plan.setting("file") {
        "" => builder,
        file => builder.file(file),
    }
}

/// Says what is wrong with a configuration that is refused.
fn complain(plan: &Plan) {
    let refused = plan.setting("refused_endpoint");
    if !refused.is_empty() {
        let built = Client::builder()
            .without_variables()
            .endpoint(refused)
            .api_key(format!("{}\n", plan.setting("api_key")))
            .build();
        let error = built.expect_err("a complaint");
        eprintln!("{error} {error:?} {:?}", error.complaints());
    }
}
