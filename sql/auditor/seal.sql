CREATE VIEW auditor.seal AS
SELECT s.* FROM audit.seal s;
COMMENT ON VIEW auditor.seal IS
    'The chain over the audit: each seal covers the rows of one month and a range of '
    'transactions, is linked to the one before, and signed outside of the database.';

CREATE VIEW auditor.signer AS
SELECT s.id, s.public_key, s.created_at, s.retired_at FROM store.signer s;
COMMENT ON VIEW auditor.signer IS
    'The public Ed25519 keys by which signatures of seals are verified. Keep a copy elsewhere: '
    'who can write here can put another key.';

CREATE VIEW auditor.epoch AS
SELECT p.epoch, p.began_at, p.reason FROM audit.epoch p;
COMMENT ON VIEW auditor.epoch IS 'The epochs of the database; each restore begins another.';

CREATE VIEW auditor.month AS
SELECT m.month, m.exported_at, m.dropped_at FROM audit.month m;
COMMENT ON VIEW auditor.month IS
    'The months of the audit that were exported, and those that were dropped after it.';
