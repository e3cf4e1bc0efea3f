-- Which daemons open wraps that are bound to the managed key and the rotation.

ALTER TABLE store.instance ADD COLUMN binds boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN store.instance.binds IS
    'Whether the daemon has said that it opens keys that are wrapped for their managed key and rotation. While one runs that has not, what is wrapped without stays so.';
