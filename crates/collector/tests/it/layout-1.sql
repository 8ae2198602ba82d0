-- A day's file of layout 1, as the collector of that layout wrote it.
PRAGMA application_id = 1752133740;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE entries (seq INTEGER PRIMARY KEY, project INTEGER NOT NULL, id BLOB NOT NULL,
           created_at INTEGER NOT NULL, level INTEGER NOT NULL, service TEXT NOT NULL, detail TEXT, metadata TEXT
           , message TEXT, kind INTEGER, outcome INTEGER, log_type INTEGER, environment TEXT, service_version TEXT, method TEXT, path TEXT, route TEXT, status_code INTEGER, duration_ms REAL, ttfb_ms REAL, request_size INTEGER, response_size INTEGER, trace_id BLOB, span_id BLOB, parent_span_id BLOB, request_id TEXT, x_trace_id TEXT, exchange_id BLOB, user_id TEXT, session_id TEXT, tenant_id TEXT, ip TEXT, peer TEXT, scheme TEXT, host_header TEXT, query TEXT, http_version TEXT, user_agent TEXT, referer TEXT, content_type TEXT, response_content_type TEXT, grpc_status INTEGER, error_type TEXT, error_message TEXT, stack_trace TEXT, action_type TEXT, function_name TEXT, file_path TEXT, line INTEGER, target TEXT, weight REAL, host TEXT, pid INTEGER, sdk TEXT, sdk_version TEXT);
INSERT INTO "entries" VALUES(1,0,X'019CD79E46007444B57A9C4A988035F1',1773144000250000,4,'shop','{"request_headers":{"accept":["*/*"]}}','{"zone":"a"}','GET /users/{id} 500',0,0,NULL,'production',NULL,'GET','/users/1','/users/{id}',500,12.5,12.0,NULL,120,X'4BF92F3577B34DA6A3CE929D0E0E4736',X'00F067AA0BA902B7',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'203.0.113.9',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,4.0,'h1',NULL,NULL,NULL);
INSERT INTO "entries" VALUES(2,0,X'019CD79E46007444B57A9C4A988035F2',1773144001000000,2,'shop',NULL,NULL,'GET /users/{id} 200',0,0,NULL,'production',NULL,'GET','/users/2','/users/{id}',200,2.5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'u2',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'h1',NULL,NULL,NULL);
INSERT INTO "entries" VALUES(3,0,X'019CD79E46007444B57A9C4A988035F3',1773144002000000,2,'shop',NULL,NULL,'hello',1,NULL,NULL,'production',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'order-17',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'h1',NULL,NULL,NULL);
INSERT INTO "entries" VALUES(4,0,X'019CD79E46007444B57A9C4A988035F4',1773144003000000,2,'shop',NULL,NULL,'GET /feed',3,NULL,NULL,'production',NULL,'GET','/feed',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'019CD79E46007444B57A9C4A988035F5',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'h1',NULL,NULL,NULL);
CREATE TABLE losses (project INTEGER, boot_id TEXT, batch_id TEXT, received_at INTEGER NOT NULL,
           losses TEXT NOT NULL, PRIMARY KEY (project, boot_id, batch_id)) WITHOUT ROWID;
INSERT INTO "losses" VALUES(0,'b1','batch-1',1795191984040961,'{"queue_full_newest":1}');
CREATE TABLE senders (project INTEGER, boot_id TEXT, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
           batches INTEGER NOT NULL, last_seq INTEGER, source TEXT, ledger TEXT, closing INTEGER NOT NULL,
           PRIMARY KEY (project, boot_id)) WITHOUT ROWID;
INSERT INTO "senders" VALUES(0,'b1',1795191984040961,1795191984040961,1,1,'{"service":"shop","environment":"production","host":"h1"}','{"accepted":4}',0);
CREATE TABLE tally (project INTEGER, service TEXT, level INTEGER, entries INTEGER NOT NULL,
           last_at INTEGER NOT NULL, PRIMARY KEY (project, service, level)) WITHOUT ROWID;
INSERT INTO "tally" VALUES(0,'shop',2,3,1773144003000000);
INSERT INTO "tally" VALUES(0,'shop',4,1,1773144000250000);
CREATE UNIQUE INDEX entries_id ON entries (project, id);
CREATE INDEX entries_created_at ON entries (project, created_at);
CREATE INDEX entries_errors ON entries (project, created_at) WHERE level >= 4;
CREATE INDEX entries_trace_id ON entries (project, seq >> 14, trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX entries_x_trace_id ON entries (project, seq >> 14, x_trace_id) WHERE x_trace_id IS NOT NULL;
COMMIT;
