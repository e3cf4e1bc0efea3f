-- Whether an ephemeral policy was given at the creation of its secret, and what of a version a change has made to expire.

ALTER TABLE store.secret ADD COLUMN policy_origin text CHECK (policy_origin IN ('creation', 'replaced', 'added'));
-- What the first policy was is not stored: policies that exist keep their meaning.
UPDATE store.secret SET policy_origin = 'creation' WHERE action IS NOT NULL;
ALTER TABLE store.secret ADD CHECK ((action IS NULL) = (policy_origin IS NULL));
COMMENT ON COLUMN store.secret.policy_origin IS
    'Where the ephemeral policy is from: creation: it was given with the secret; replaced: the secret was created with another one; added: it was created without. null: there is no policy.';

ALTER TABLE store.version ADD COLUMN recoverable boolean NOT NULL DEFAULT false;
-- Without a policy of its secret, an action can only have been set by a change of the version.
UPDATE store.version v SET recoverable = true
  FROM store.secret s
 WHERE s.id = v.secret_id AND s.action IS NULL AND v.action = 'delete';
COMMENT ON COLUMN store.version.recoverable IS
    'Whether the action delete schedules the version for deletion, as a deletion does, because a change has set it. false: it removes the version at once, as a policy does that was given at the creation of the secret.';
