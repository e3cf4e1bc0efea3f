"""Text that is nearly right: UTF-8, numbers, escapes, base64. None of it makes a fault."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from expected import assert_answer, assert_headers, invalid_arguments


@pytest.fixture(autouse=True)
def no_fault(service):
    """Nothing that a client sends is a fault of the service, nor an error to PostgreSQL.

    A connection that is lost for want of time has an sqlstate, too, which is null."""
    before = len(service.log)
    yield
    new = service.log[before:]
    assert service.process.poll() is None, new
    lines = [json.loads(line) for line in new.splitlines()]
    assert [
        line for line in lines if line.get("level") == "error" or line.get("sqlstate") is not None
    ] == []


# Bodies -------------------------------------------------------------------------------------------

BROKEN = {
    "byte order mark": b'\xef\xbb\xbf{"name":"a"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16-le"),
    "overlong slash": b'{"description":"\xc0\xaf"}',
    "overlong NUL": b'{"description":"\xc0\x80"}',
    "past Unicode": b'{"description":"\xf4\x90\x80\x80"}',
    "five bytes": b'{"description":"\xf8\x88\x80\x80\x80"}',
    "lone continuation": b'{"description":"\x80"}',
    "encoded surrogate pair": b'{"description":"\xed\xa0\xbd\xed\xb4\x91"}',
    "cut off": b'{"description":"\xf0\x9f\x94',
    "in a name": b'{"\xc3":1}',
    "raw tab": b'{"description":"a\tb"}',
    "raw delete of a line": b'{"description":"a\x1fb"}',
    "NUL after the end": b'{"name":"a"}\x00',
    "NUL between": b'{"name":\x00"a"}',
    "escaped NUL in a name": b'{"a\\u0000":1}',
    "short escape": b'{"description":"\\u12"}',
    "escape with a sign": b'{"description":"\\u+123"}',
    "escape of a quote in apostrophes": b'{"description":"\\\'"}',
    "high surrogate at the end": b'{"description":"\\ud83d"}',
    "two high surrogates": b'{"description":"\\ud83d\\ud83d"}',
    "plus": b'{"x":+1}',
    "point first": b'{"x":.5}',
    "point last": b'{"x":1.}',
    "two points": b'{"x":1.2.3}',
    "no exponent": b'{"x":1e}',
    "hexadecimal": b'{"x":0x10}',
    "minus alone": b'{"x":-}',
    "minus infinity": b'{"x":-Infinity}',
    "past a double": b'{"x":1e400}',
    "digits without end": b'{"x":' + b"9" * 5000 + b"}",
    "comment": b'{"name":"a"/* */}',
    "comment in a line": b'{"name":"a"} // end',
    "capital True": b'{"protected":True}',
    "true without its end": b'{"protected":tru}',
    "no colon": b'{"name" "a"}',
    "no name": b'{:"a"}',
    "number as a name": b'{1:"a"}',
    "two commas": b'{"name":"a",,"x":1}',
    "comma first": b'{,"name":"a"}',
    "bracket for a brace": b'{"name":"a"]',
    "form feed": b'{"name":\x0c"a"}',
    "no-break space": '{"name":\u00a0"a"}'.encode(),
    "deep without end": b'{"x":' + b"[" * 100_000,
    "deep objects": b'{"x":' * 5000 + b"1" + b"}" * 5000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_broken_json(api, body):
    assert_answer(api.post("/secrets", body), *invalid_arguments(("body", "format")))


SOUND = {
    "blanks": b' \t\r\n{ "x" : [ ] } \n',
    "every escape": b'{"description":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\ud83d\\udd11"}',
    "delete": b'{"description":"\x7f"}',
    "last of Unicode": '{"description":"\U0010ffff\ufffe\uffff"}'.encode(),
    "numbers": b'{"x":[0,-0,1e308,-1.5E+3,0.000001,1e-300,9007199254740993,12345678901234567890]}',
    "odd names": b'{"":1," ":2,"__proto__":3,"\\u0001":4,"$1":5,"id":6,"\'; --":7}',
    "a name twice": b'{"x":1,"x":2}',
    "all kinds": b'{"x":[null,true,false,"",{},[]]}',
}


@pytest.mark.parametrize("body", SOUND.values(), ids=SOUND.keys())
def test_sound_json(api, new_name, body):
    name = json.dumps({"name": new_name()}).encode()
    answer = api.post("/secrets", body.strip().removesuffix(b"}") + b"," + name[1:])
    assert answer.status == 200, answer
    description = json.loads(body).get("description", "")
    assert answer.body["description"] == description


# Queries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&",
        "&&a&&",
        "=",
        "=&=",
        "a",
        "a=",
        "a==b",
        "?",
        "a=b?c=d",
        "a;b",
        "%20=%20",
        "page=",
        "page=99999999999999999999",
        "tags=",
        "page",
        "tags=a+b",
        "tags=%2B",
    ],
)
def test_odd_query_is_accepted(api, query):
    assert api.get(f"/secrets?{query}").status == 200


@pytest.mark.parametrize(
    "query, argument",
    [
        ("name=%", "name"),
        ("name=%G0", "name"),
        ("name=%2", "name"),
        ("name=a+b", "name"),
        ("name=%C0%AF", "name"),
        ("name=%ED%A0%80", "name"),
        ("name=a%00", "name"),
        ("name=%F4%90%80%80", "name"),
        ("page=1e3", "page"),
        ("page=0x1", "page"),
        ("page=1.0", "page"),
        ("page=%31%00", "page"),
        ("page=-99999999999999999999", "page"),
        ("page=%D9%A1", "page"),
        ("page_size=1000", "page_size"),
        ("page_size=-1", "page_size"),
        ("project_id=%00", "project_id"),
        ("project_id=x", "project_id"),
        ("organization_id=00000000-0000-0000-0000-00000000000", "organization_id"),
        ("ephemeral=perhaps", "ephemeral"),
        ("scheduled_for_deletion=2", "scheduled_for_deletion"),
        ("order_by=name", "order_by"),
        ("type=Opaque", "type"),
        ("tags=a&tags=", "tags"),
        ("tags=%FF", "tags"),
    ],
)
def test_broken_query(api, query, argument):
    answer = api.get(f"/secrets?{query}")
    assert answer.status == 400, answer.body
    assert [detail["argument_name"] for detail in answer.body["details"]] == [argument]
    assert_headers(answer)


EXTREMES = (
    "0 -1 2147483647 2147483648 999999999 9223372036854775807 9223372036854775808 1e9 1.5 NaN Infinity "
    "infinity -infinity now epoch 0000-01-01T00:00:00Z 0001-01-01T00:00:00+23:59 9999-12-31T23:59:59.999999999-23:59 "
    "2027-02-29T00:00:00Z 2027-01-01T24:00:01Z 2027-01-01T00:00:00+99:99 294276-12-31T23:59:59Z 294277-01-01T00:00:00Z "
    "0s 999999999999.999999999s 1.0 0.1 01.1 999999999.999999999999999999 1.9223372036854775808 9999999999.1 latest "
    ":: ::1%lo 0.0.0.0 0.0.0.0/0 1.2.3 256.1.1.1 00000000-0000-0000-0000-000000000000"
).split() + ["4713-01-01T00:00:00Z BC", "2027-01-01 00:00:00 BC"]
# A page token is a time, of which PostgreSQL has two that mean for ever, and an id.
EXTREMES += [
    at + id
    for at in ("0" * 16, "7" + "f" * 15, "8" + "0" * 15, "f" * 16, "7ffffd6e3bea8000")
    for id in ("0" * 16, "f" * 16)
]

LISTS = {
    "/secret-manager/v1beta1/regions/fr-par/secrets": "page page_size organization_id order_by name path tags type scheduled_for_deletion",
    "/secret-manager/v1beta1/regions/fr-par/secrets/browse": "page page_size prefix tags order_by",
    "/secret-manager/v1beta1/regions/fr-par/secrets/{secret}/versions": "page page_size status",
    "/secret-manager/v1beta1/regions/fr-par/tags": "page page_size project_id",
    "/secret-manager/v1beta1/regions/fr-par/secret-types": "page page_size project_id",
    "/key-manager/v1alpha1/regions/fr-par/keys": "page page_size usage order_by name tags",
    "/key-manager/v1alpha1/regions/fr-par/algorithms": "usages",
    "/audit-trail/v1alpha1/regions/fr-par/events": "page_size page_token status recorded_after recorded_before source_ip principal_id "
    "resource_id resource_type method_name product_name service_name project_id order_by",
    "/coffer/v1/regions/fr-par/changes": "after page_size project_id",
}


@pytest.mark.parametrize("path", LISTS)
def test_extremes_in_a_query(home, new_secret, path):
    """Each value of an argument gets an answer or a fault of the client's."""
    client = home.client(key=home.key("AllProductsFullAccess"))
    full = path.format(secret=new_secret()["id"])
    always = {"organization_id": home.organization_id} if "audit-trail" in path else {}
    statuses = {
        (name, value): client.get(
            f"{full}?{urlencode({**always, name: value})}", absolute=True
        ).status
        for name in LISTS[path].split()
        for value in EXTREMES
    }
    assert {
        call: status for call, status in statuses.items() if status not in (200, 400, 403)
    } == {}


@pytest.mark.parametrize("value", EXTREMES)
def test_extremes_in_a_body(api, manager, new_secret, value):
    secret = new_secret(ephemeral_policy={"time_to_live": "60s", "action": "delete"})["id"]
    api.create_version(secret, b"value")
    calls = [
        api.get(f"/secrets/{secret}/versions/{quote(value, safe='')}"),
        api.patch(
            f"/secrets/{secret}/versions/1",
            {"ephemeral_properties": {"expires_at": value, "action": "delete"}},
        ),
        api.patch(
            f"/secrets/{secret}", {"ephemeral_policy": {"time_to_live": value, "action": "delete"}}
        ),
        api.post(f"/secrets/{secret}/versions", {"data": "", "data_crc32": value}),
        *(
            manager.post(
                "/keys",
                {
                    "usage": {"symmetric_encryption": "aes_256_gcm"},
                    "unprotected": True,
                    "rotation_policy": policy,
                },
            )
            for policy in (
                {"rotation_period": value},
                {"rotation_period": "86400s", "next_rotation_at": value},
            )
        ),
    ]
    assert {call.status for call in calls} <= {200, 400, 404, 412}


@pytest.mark.parametrize("name", ["%00", "%FF", "%C0%80"])
def test_broken_name_in_a_query(api, name):
    answer = api.get(f"/secrets?{name}=1")
    assert_answer(answer, *invalid_arguments(("query", "format")))


def test_a_thousand_arguments(api):
    assert api.get("/secrets?" + "&".join(f"x{number}=1" for number in range(1000))).status == 200


def test_first_of_an_argument_that_is_repeated_counts(api, new_secret):
    name = new_secret()["name"]
    assert api.get(f"/secrets?name={name}&name=another").body["total_count"] == 1


# Headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agent",
    ["", "x" * 10_000, "a\tb", "caf\u00e9", "\u00ff\u00fe", '"quoted" \\ {}'],
    ids=["empty", "long", "tab", "latin", "no UTF-8", "quotes"],
)
def test_user_agent_is_kept_as_far_as_it_is_text(api, service, agent):
    answer = api.get("/tags", headers={"User-Agent": agent})
    assert answer.status == 200
    ((kept,),) = service.database.query(
        "SELECT user_agent FROM audit.event WHERE id = %s", int(answer.headers["X-Audit-Id"])
    )
    assert len(kept) <= 256 and kept.isprintable() and kept[:1] in (agent[:1], "?")


def test_two_tokens_are_none(api):
    head = (
        f"GET {api.path('/tags')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"X-Auth-Token: {api.secret_key}\r\nX-Auth-Token: {api.secret_key}\r\n\r\n"
    )
    assert api.raw(head.encode()).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("header", ["Authorization", "X-Session-Token", "Cookie"])
def test_token_elsewhere_is_none(api, header):
    assert api.as_key(None).get("/tags", headers={header: api.secret_key}).status == 401


# Payloads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "A", "AA", "AAA", "AAAAA", "=", "====", "A===", "AA=A", "AA=", "AAAA=", "AAAA====", "=AAA",
        " AAAA", "AAAA ", "AA AA", "AA\nAA", "AAAA\r\n", "-_-_", "AA-A", "AAA\u00e9",
        "\u0391AAA", "AA==AAAA", "AAAA\x7f", "data:,A",
        0, 1.5, True, False, [], ["AAAA"], {}, {"data": "AAAA"},
    ],
)  # fmt: skip
def test_what_is_no_base64(api, new_secret, data):
    answer = api.post(f"/secrets/{new_secret()['id']}/versions", {"data": data})
    assert_answer(answer, *invalid_arguments(("data", "format")))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 255, 256, 65535, 65536])
def test_base64_of_every_length_and_byte(api, new_secret, size):
    payload = (bytes(range(256)) * 256)[-size:]
    secret_id = new_secret()["id"]
    checksum_free = api.post(
        f"/secrets/{secret_id}/versions", {"data": base64.b64encode(payload).decode()}
    )
    assert checksum_free.status == 200
    assert api.access(secret_id) == payload


def test_data_twice_is_data_once(api, new_secret):
    """A name that is repeated means its last value, for the payload too."""
    secret_id = new_secret()["id"]
    answer = api.post(f"/secrets/{secret_id}/versions", b'{"data":"QQ==","data":"Qg=="}')
    assert answer.status == 200
    assert api.access(secret_id) == b"B"
