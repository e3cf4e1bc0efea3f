\set n random(1, :secrets)
SELECT answer.* FROM bench.call AS c, api.secret_version_access(c.request::jsonb, c.token, c.key, NULL) AS answer WHERE c.n = :n;
