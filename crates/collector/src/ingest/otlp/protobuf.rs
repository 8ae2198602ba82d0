//! `ExportLogsServiceRequest` in Protocol Buffers. Tags are those of opentelemetry-proto 1.x.

use super::Sink;
use super::around::{Around, Attribute, Said};
use super::record::LogRecord;
use super::value::{Any, key_value};
use super::wire::{Field, Fields, Malformed, text};
use crate::ingest::translated::Unread;
use std::borrow::Cow;

/// Hands every record to `sink`, with what stands around it.
pub(super) fn read(body: &[u8], sink: &mut Sink<'_, '_>) -> Result<(), Unread> {
    for resource_logs in messages(body, 1) {
        let resource_logs = resource_logs?;
        let mut said = Said::default();
        // A resource may come behind its records.
        for resource in messages(resource_logs, 1) {
            attributes(resource?, 1, &mut said.resource, &mut said.replaced)?;
        }
        for scope_logs in messages(resource_logs, 2) {
            let scope_logs = scope_logs?;
            said.scope.clear();
            (said.scope_name, said.scope_version) = Default::default();
            for scope in messages(scope_logs, 1) {
                let scope = scope?;
                attributes(scope, 3, &mut said.scope, &mut said.replaced)?;
                for field in Fields(scope) {
                    match field? {
                        (1, Field::Bytes(name)) => said.scope_name = text(name, &mut said.replaced),
                        (2, Field::Bytes(version)) => said.scope_version = text(version, &mut said.replaced),
                        _ => {}
                    }
                }
            }
            let around = Around::new(&said, sink.depth())?;
            for record in messages(scope_logs, 2) {
                let record = record?;
                sink.take(record.len(), &around, || log_record(record))?;
            }
        }
    }
    Ok(())
}

/// The messages under `tag`.
fn messages(message: &[u8], tag: u32) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    Fields(message).filter_map(move |field| match field {
        Ok((found, Field::Bytes(bytes))) if found == tag => Some(Ok(bytes)),
        Ok((found, _)) if found == tag => Some(Err(Malformed)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    })
}

fn attributes<'a>(
    message: &'a [u8],
    tag: u32,
    to: &mut Vec<Attribute<'a>>,
    replaced: &mut bool,
) -> Result<(), Malformed> {
    for pair in messages(message, tag) {
        let (key, value) = key_value(pair?)?;
        to.push((text(key, replaced), Any::Protobuf(value)));
    }
    Ok(())
}

fn log_record(message: &[u8]) -> Result<LogRecord<'_>, Malformed> {
    let mut record = LogRecord::default();
    attributes(message, 6, &mut record.attributes, &mut record.replaced)?;
    for field in Fields(message) {
        match field? {
            (1, Field::Fixed64(nanos)) => record.time = nanos,
            (2, Field::Varint(n)) => record.severity = n.cast_signed(),
            (3, Field::Bytes(bytes)) => record.severity_text = text(bytes, &mut record.replaced),
            (5, Field::Bytes(bytes)) => record.body = Some(Any::Protobuf(bytes)),
            (7, Field::Varint(n)) => record.dropped_attributes = n,
            (8, Field::Fixed32(flags)) => record.flags = flags.into(),
            (9, Field::Bytes(id)) => record.trace_id = hex(id),
            (10, Field::Bytes(id)) => record.span_id = hex(id),
            (11, Field::Fixed64(nanos)) => record.observed = nanos,
            (12, Field::Bytes(bytes)) => record.event_name = text(bytes, &mut record.replaced),
            (1..=3 | 5 | 7..=12, _) => return Err(Malformed),
            _ => {}
        }
    }
    Ok(record)
}

fn hex(bytes: &[u8]) -> Cow<'static, str> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
