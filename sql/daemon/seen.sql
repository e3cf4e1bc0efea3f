-- What a daemon has seen of a database, and this database may lack: it was restored, or is a
-- standby that lagged and took over.

CREATE FUNCTION daemon.seen_faults(seen jsonb)
RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_last CONSTANT audit.seal := (SELECT s FROM audit.seal s ORDER BY s.no DESC LIMIT 1);
    v_lost text[] := '{}';
BEGIN
    IF seen IS NULL OR (seen ->> 'epoch')::integer < v_last.epoch THEN
        RETURN '{}';
    ELSIF (seen ->> 'epoch')::integer > v_last.epoch THEN
        v_lost := ARRAY[format('epoch %s', seen ->> 'epoch')];
    ELSE
        -- By an index of transactions: the daemon knows between which two it was.
        IF NOT EXISTS (SELECT FROM audit.event e
                        WHERE e.epoch = v_last.epoch AND e.xid >= (seen ->> 'xid_from')::bigint
                          AND e.xid < coalesce((seen ->> 'xid_to')::bigint, 9223372036854775807)
                          AND e.id = (seen ->> 'receipt')::bigint
                          AND e.hash = decode(seen ->> 'receipt_hash', 'hex'))
           AND seen ->> 'receipt' IS NOT NULL THEN
            v_lost := ARRAY[format('row %s, and maybe others of %s receipts from %s to %s',
                                   seen ->> 'receipt', seen ->> 'receipts',
                                   seen ->> 'first', seen ->> 'last')];
        END IF;
        IF NOT EXISTS (SELECT FROM audit.seal s
                        WHERE s.no = (seen ->> 'seal')::bigint
                          AND s.hash = decode(seen ->> 'seal_hash', 'hex'))
           AND seen ->> 'seal' IS NOT NULL THEN
            v_lost := v_lost || format('seal %s', seen ->> 'seal');
        END IF;
    END IF;
    IF v_lost = '{}' THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY[format('the database lacks what this daemon has seen of it (%s; its last seal is '
                        '%s, its last row %s), as after a '
                        'failover to a standby that lagged, or a restored backup: SELECT '
                        'operator.audit_epoch_begin(''why'')',
                        array_to_string(v_lost, '; '), v_last.no,
                        (SELECT e.id FROM audit.event e WHERE e.epoch = v_last.epoch
                         ORDER BY e.xid DESC, e.id DESC LIMIT 1))];
END
$$;
COMMENT ON FUNCTION daemon.seen_faults(jsonb) IS
    'Says what the database lacks of what a daemon has seen in the epoch that it is in: the '
    'newest receipt that no seal is known to cover (receipt, receipt_hash, between transactions '
    'xid_from and xid_to; first, last and number of such receipts), and the newest seal (seal, '
    'seal_hash). Nothing, if an epoch has begun since.';
