//! `GET /openapi.json`: the interface as OpenAPI 3.1, put together from the tables that the routes follow, and a page that
//! shows it.

use crate::fields::{Field, Shape as FieldShape, Words};
use crate::http::{Answer, json_text};
use crate::query::parameters::{Parameter, Shape};
use hoplog_entry::Level;
use hyper::StatusCode;
use operations::{Content, OPERATIONS, Operation};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

mod operations;
mod schemas;

/// `GET /openapi.json`
pub(crate) async fn serve() -> Answer {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    json_text(StatusCode::OK, TEXT.as_str())
}

/// The whole document.
fn document() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(operation.method.to_owned(), told(operation));
        }
    }
    let mut schemas = schemas::all();
    schemas.insert("Entry".to_owned(), entry());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hoplog",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Takes in, keeps and finds the requests of your services.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"header": []}, {}],
        "tags": [
            {"name": "ingest", "description": "Takes entries in. Keys need the scope ingest."},
            {"name": "query", "description": "Answers questions. Keys need the scope query."},
            {"name": "admin", "description": "Takes entries out. Keys need the scope admin."},
            {"name": "operation", "description": "For whoever runs the collector."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A key, where the collector has any."},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    })
}

fn told(operation: &Operation) -> Value {
    let mut parameters: Vec<Value> = operation
        .path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(operation.parameters.iter().copied().flatten().map(parameter));
    parameters.extend(operation.headers.iter().map(|(name, about)| {
        json!({"name": name, "in": "header", "description": about, "schema": {"type": "string"}})
    }));
    let mut answers = Map::new();
    answers.insert(
        "200".to_owned(),
        json!({"description": operation.answers, "content": content(operation.content)}),
    );
    let refusal = |description: &str| {
        let content = match operation.tag {
            "ingest" => json!({"application/json": {"schema": {}}}),
            _ => json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}),
        };
        json!({"description": description, "content": content})
    };
    answers.insert("default".to_owned(), refusal("It was not done: why, and what to change."));
    let mut told = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": answers,
    });
    if let Some(members) = told.as_object_mut() {
        if !operation.body.is_empty() {
            members.insert(
                "requestBody".to_owned(),
                json!({"required": true, "content": content(operation.body)}),
            );
        }
        if operation.tag == "operation" {
            members.insert("security".to_owned(), json!([{}, {"bearer": []}, {"header": []}]));
        }
    }
    told
}

fn content(content: Content) -> Value {
    let of = |name: &str| match name {
        "" => json!({"type": "string"}),
        name => json!({"$ref": format!("#/components/schemas/{name}")}),
    };
    content
        .iter()
        .map(|(media, name)| ((*media).to_owned(), json!({"schema": of(name)})))
        .collect::<Map<_, _>>()
        .into()
}

fn parameter(parameter: &Parameter) -> Value {
    json!({"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema(parameter.shape)})
}

fn schema(shape: Shape) -> Value {
    let levels: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
    match shape {
        Shape::Text | Shape::Kinds | Shape::Cursor => json!({"type": "string"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Level => json!({"type": "string", "enum": levels}),
        Shape::Status => {
            json!({"type": "string", "pattern": "^([1-9][0-9][0-9]|[1-9]xx)$", "examples": ["404", "5xx"]})
        }
        Shape::Outcome => json!({"type": "string", "enum": Words::Outcome.all()}),
        Shape::Moment => {
            json!({"type": "string", "examples": ["2026-03-10T12:00:00Z", "1773144000", "-15m", "now"]})
        }
        Shape::Step => json!({"type": "string", "examples": ["500ms", "30s", "5m", "1h"]}),
        Shape::By => json!({"type": "string", "enum": ["level", "status", "service"], "default": "level"}),
        Shape::Limit { default, most } => {
            json!({"type": "integer", "minimum": 1, "maximum": most, "default": default})
        }
    }
}

/// An entry, as it comes back.
fn entry() -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), json!({"type": "string", "format": "uuid"}));
    members.insert("created_at".to_owned(), json!({"type": "number", "description": "Unix seconds."}));
    members.insert("level".to_owned(), schema(Shape::Level));
    members.insert("service".to_owned(), json!({"type": "string"}));
    for &field in Field::ALL {
        let told = match field.shape() {
            FieldShape::Text | FieldShape::Lines | FieldShape::Trace | FieldShape::Span => {
                json!({"type": ["string", "null"]})
            }
            FieldShape::Integer => json!({"type": ["integer", "null"]}),
            FieldShape::Real | FieldShape::Weight => json!({"type": ["number", "null"]}),
            FieldShape::Bool => json!({"type": ["boolean", "null"]}),
            FieldShape::Id => json!({"type": ["string", "null"], "format": "uuid"}),
            FieldShape::Word(words) => {
                let words: Vec<Option<&str>> = words.all().into_iter().map(Some).chain([None]).collect();
                json!({"type": ["string", "null"], "enum": words})
            }
            FieldShape::Json => json!({}),
        };
        members.insert(field.name().to_owned(), told);
    }
    let metadata = json!({"type": ["object", "null"], "description": "Everything that is no field."});
    members.insert("metadata".to_owned(), metadata);
    json!({"type": "object", "required": ["id", "created_at", "level", "service", "metadata"], "properties": members})
}

#[cfg(test)]
mod tests;
