\set n random(1, :secrets)
SELECT answer.* FROM bench.call AS c, api.secret_version_create(replace(c.request, '"absent"', '"given"')::jsonb, c.token, c.key, 'hunter2') AS answer WHERE c.n = :n;
