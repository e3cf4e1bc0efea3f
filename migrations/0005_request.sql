-- The answers of changes, so that one which is sent again because nobody knows its outcome is done once.

CREATE TABLE store.request (
    id           uuid        PRIMARY KEY,
    at           timestamptz NOT NULL,
    api_key_id   uuid        NOT NULL,
    method       text        NOT NULL,
    status       smallint    NOT NULL CHECK (status BETWEEN 200 AND 299),
    body         text,
    receipt      bigint      NOT NULL,
    receipt_hash bytea       NOT NULL CHECK (octet_length(receipt_hash) = 32),
    repeats      integer     NOT NULL DEFAULT 0
);
CREATE INDEX request_at ON store.request (at);
COMMENT ON TABLE store.request IS
    'What a change was answered, kept for a day under the id that its daemon gave to the request. Refusals are not here: they have changed nothing.';
COMMENT ON COLUMN store.request.body IS 'As it was sent: metadata. Nothing that holds a payload, or could tell one, is kept.';
COMMENT ON COLUMN store.request.repeats IS 'How often the answer was given again.';
