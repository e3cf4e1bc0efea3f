"""What each type of secret accepts as a payload, and the words in which it refuses the rest."""

import base64
import json
from pathlib import Path

import pytest
from expected import assert_answer, invalid_arguments

CERTIFICATE = (Path(__file__).parents[2] / "clients" / "certificate.pem").read_bytes()
BASIC = {"username": "u", "password": "p"}
DATABASE = {
    "engine": "postgres",
    "username": "u",
    "password": "p",
    "host": "h",
    "dbname": "d",
    "port": "5432",
}

ACCEPTED = [
    ("opaque", b"\x00\xff no text"),
    ("opaque", b"{"),
    ("certificate", CERTIFICATE),
    ("certificate", CERTIFICATE + CERTIFICATE),
    ("certificate", b"# a comment before it\n" + CERTIFICATE.replace(b"\n", b"\r\n")),
    ("key_value", {}),
    ("key_value", {"string": "s", "integer": 1, "number": -1.5e3, "true": True, "": ""}),
    ("basic_credentials", BASIC),
    ("basic_credentials", {"username": "", "password": 'é\\"'}),
    ("database_credentials", DATABASE),
    ("database_credentials", {**DATABASE, "engine": "mysql", "port": "0"}),
    ("database_credentials", {**DATABASE, "engine": "other", "port": "65535"}),
    ("ssh_key", {"ssh_private_key": "-----BEGIN"}),
]

GIVEN = [
    (1, "integer"),
    (1.5, "number"),
    (True, "boolean"),
    ([], "array"),
    ({}, "object"),
    (None, "null"),
]

REFUSED = [
    ("certificate", b"no certificate", None),
    ("certificate", CERTIFICATE[:-20], None),
    ("certificate", CERTIFICATE.replace(b"MII", b"M*I"), None),
    ("certificate", CERTIFICATE.replace(b"END", b"EMD"), None),
    ("certificate", CERTIFICATE + b"-----BEGIN CERTIFICATE-----\n", None),
    ("certificate", b"\xff\xfe", None),
    *(
        (secret_type, payload, "Invalid json")
        for secret_type in ("key_value", "basic_credentials", "database_credentials", "ssh_key")
        for payload in (b"{", b"", b"secret text", b'{"a": "\xff"}', b'{"a": 1,}')
        if payload
    ),
    *(
        (
            secret_type,
            given,
            f"- (root): Invalid type. Expected: object, given: {name}\n",
        )
        for secret_type in ("key_value", "basic_credentials", "ssh_key")
        for given, name in (*GIVEN, ("s", "string"))
        if given != {}
    ),
    *(
        ("key_value", {"key": given}, f"- key: Invalid type. Expected: string, given: {name}\n")
        for given, name in GIVEN
        if name in ("array", "object", "null")
    ),
    *(
        (
            "basic_credentials",
            {**BASIC, "password": given},
            f"- password: Invalid type. Expected: string, given: {name}\n",
        )
        for given, name in GIVEN
    ),
    *(
        (
            "basic_credentials",
            {**BASIC, **added},
            f"- (root): Additional property {name} is not allowed\n",
        )
        for added, name in (
            ({"more": 1}, "more"),
            ({"": None}, ""),
            ({"Username": "u"}, "Username"),
        )
    ),
    *(
        (
            "basic_credentials",
            {member: BASIC[member] for member in BASIC if member != name},
            f"- (root): {name} is required\n",
        )
        for name in BASIC
    ),
    *(
        (
            "database_credentials",
            {member: DATABASE[member] for member in DATABASE if member != name},
            f"- (root): {name} is required\n",
        )
        for name in DATABASE
    ),
    (
        "database_credentials",
        {**DATABASE, "engine": "oracle"},
        '- engine: engine must be one of the following: "postgres", "mysql", "other"\n',
    ),
    (
        "database_credentials",
        {**DATABASE, "port": 5432},
        "- port: Invalid type. Expected: string, given: integer\n",
    ),
    *(
        (
            "database_credentials",
            {**DATABASE, "port": port},
            "- port: Does not match pattern '^[0-9]+$'\n",
        )
        for port in ("", "x", "-1", "54 32", "5432\n", "٣")
    ),
    ("ssh_key", {}, "- (root): ssh_private_key is required\n"),
    (
        "ssh_key",
        {"ssh_private_key": 1},
        "- ssh_private_key: Invalid type. Expected: string, given: integer\n",
    ),
]


def encoded(payload):
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {"data": base64.b64encode(payload).decode()}


@pytest.mark.parametrize("secret_type, payload", ACCEPTED)
def test_accepted(api, new_secret, secret_type, payload):
    secret_id = new_secret(type=secret_type)["id"]
    sent = encoded(payload)
    assert api.post(f"/secrets/{secret_id}/versions", sent).status == 200
    read = api.get(f"/secrets/{secret_id}/versions/1/access").body
    assert (read["data"], read["type"]) == (sent["data"], secret_type)


@pytest.mark.parametrize("secret_type, payload, help_message", REFUSED)
def test_refused(api, new_secret, secret_type, payload, help_message):
    secret_id = new_secret(type=secret_type)["id"]
    answer = api.post(f"/secrets/{secret_id}/versions", encoded(payload))
    fault = ("data", "format") if help_message is None else ("data", "format", help_message)
    assert_answer(answer, *invalid_arguments(fault))
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 0


@pytest.mark.parametrize("port", ["65536", "99999", "100000", "18446744073709551616"])
def test_port_is_at_most_65535(api, new_secret, port):
    """The contract gives the limit and no words for it."""
    secret_id = new_secret(type="database_credentials")["id"]
    answer = api.post(f"/secrets/{secret_id}/versions", encoded({**DATABASE, "port": port}))
    assert_answer(answer, *invalid_arguments(("data", "format")))
    assert answer.body["details"][0]["help_message"].startswith("- port: ")


def test_every_fault_has_its_line(api, new_secret):
    secret_id = new_secret(type="database_credentials")["id"]
    payload = {**DATABASE, "engine": "oracle", "port": "x", "host": 1, "more": ""}
    del payload["dbname"]
    answer = api.post(f"/secrets/{secret_id}/versions", encoded(payload))
    (detail,) = answer.body["details"]
    assert set(detail["help_message"].splitlines(keepends=True)) == {
        "- (root): dbname is required\n",
        "- (root): Additional property more is not allowed\n",
        '- engine: engine must be one of the following: "postgres", "mysql", "other"\n',
        "- host: Invalid type. Expected: string, given: integer\n",
        "- port: Does not match pattern '^[0-9]+$'\n",
    }


@pytest.mark.parametrize(
    "secret_type", ["certificate", "key_value", "basic_credentials", "database_credentials"]
)
@pytest.mark.parametrize(
    "payload",
    [
        b"canary-e3f1 no JSON and no certificate",
        b'{"username": ["canary-e3f1"], "port": "canary-e3f1", "engine": "canary-e3f1"}',
        b'"canary-e3f1"',
        b'{"a": "canary-e3f1"',
    ],
)
def test_no_refusal_quotes_a_value(api, new_secret, secret_type, payload):
    secret_id = new_secret(type=secret_type)["id"]
    answer = api.post(f"/secrets/{secret_id}/versions", encoded(payload))
    assert answer.status == 400
    assert b"canary-e3f1" not in answer.raw


def test_opaque_is_the_only_type_that_takes_anything(api, new_secret):
    secret_id = new_secret()["id"]
    for payload in (b"\xff", b"{", CERTIFICATE[:40]):
        api.create_version(secret_id, payload)
        assert api.access(secret_id) == payload
