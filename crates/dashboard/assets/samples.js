// What to do next while nothing is stored: two ways to a first entry, with this collector's address in them.

import { byId } from "./dom.js";

/** `keyed`: this collector wants a key. */
export function drawSamples(keyed) {
  const { origin } = location;
  const header = keyed ? `-H "authorization: Bearer $HOPLOG_API_KEY" ` : "";
  byId("sample-rust").textContent = `let client = hoplog::Client::builder()${keyed ? "   // key: HOPLOG_API_KEY" : ""}
    .endpoint("${origin}")
    .service("shop")
    .build()?;
let app = Router::new()
    .route("/users/{id}", get(user))
    .layer(hoplog_tower::RequestLogLayer::new(client));`;
  byId("sample-curl").textContent = `curl ${origin}/logs ${header}-H "content-type: application/json" \\
  -d '{"logs":[{"kind":"request","service":"shop","method":"GET",
       "path":"/","status_code":200,"duration_ms":3.2}]}'`;
}
