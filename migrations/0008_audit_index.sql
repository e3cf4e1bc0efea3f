-- The indexes of the audit, by what each costs a read and gives an auditor (sql/README.md, "What an index costs"). On an audit
-- that is large already this takes one to two seconds a million rows, in which calls wait for their audit row.

-- What is not sealed yet, and what a seal covers, in its order. The BRIN that was here depended on autovacuum: what that had not
-- summarized was read at each seal, in every month; and after a restore it told nothing, because numbers begin anew.
CREATE INDEX event_sealed ON audit.event (epoch, xid, id);
DROP INDEX audit.event_xid;

-- One index of what concerned a secret becomes two, and a row is in one of them: so a call pays for one, and the last read of
-- a secret is found at once, however often the secret was looked at since.
CREATE INDEX event_read ON audit.event (secret_id, at, id)
 WHERE status = 200 AND method IN ('secret_version_access', 'secret_version_access_by_path');
DROP INDEX audit.event_secret;
CREATE INDEX event_secret ON audit.event (secret_id, at, id)
 WHERE (status <> 200 OR method NOT IN ('secret_version_access', 'secret_version_access_by_path')) AND secret_id IS NOT NULL;

-- A stretch of time, for the questions that no other index serves.
CREATE INDEX event_at ON audit.event USING brin (at) WITH (autosummarize = on);

-- Uses of managed keys are no changes: between two changes there may be millions of them.
DROP INDEX audit.event_change;
CREATE INDEX event_change ON audit.event (id)
 WHERE error IS NULL
   AND method <> ALL ('{secret_get,secret_list,secret_browse,secret_type_list,tag_list,secret_version_get,
                        secret_version_list,secret_version_access,secret_version_access_by_path,audit_event_list,
                        change_list,key_list,key_get,key_encrypt,key_decrypt,key_generate_data_key,algorithm_list}');

-- The seals to sign, however many wait for their anchor.
CREATE INDEX seal_unsigned ON audit.seal (no) WHERE signature IS NULL;
