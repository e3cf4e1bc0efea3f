"""Random operations on the service and on the model: both must say and hold the same after each.

The run is the same every time. COFFER_PROPERTIES=long makes it larger and different each time.
"""

import base64
import binascii
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model import Model, Refused, instant_text

pytestmark = pytest.mark.long

VERSION_QUOTA = 6

SHORT = settings(max_examples=20, stateful_step_count=100, derandomize=True)
LONG = settings(max_examples=1000, stateful_step_count=200)

# How often an operation comes up among the others. Hypothesis favours the first.
WEIGHTS = {
    "version_create": 6,
    "version_get": 1,
    "version_update": 3,
    "version_access": 3,
    "version_access_by_path": 2,
    "version_enable": 3,
    "version_disable": 4,
    "version_delete": 4,
    "version_restore": 2,
    "version_list": 2,
    "version_expire": 2,
    "secret_create": 3,
    "secret_get": 1,
    "secret_update": 3,
    "secret_delete": 4,
    "secret_restore": 3,
    "secret_protect": 1,
    "secret_unprotect": 2,
    "secret_add_owner": 1,
    "secret_list": 4,
    "secret_browse": 2,
    "operator_hold": 2,
    "operator_purge": 1,
}
OPERATIONS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]

# Few values, so that the operations meet each other. Folders and secrets never share a name: the
# order of two equal names is nobody's promise.
names = st.sampled_from(["a", "b", "c"])
paths = st.sampled_from(["/", "/x", "/x/y", "x//y/", "/x/y/z"])
tags = st.lists(st.sampled_from(["t", "u", "é"]), max_size=3, unique=True)
descriptions = st.sampled_from(["", "text", 'quoted "é\\\n'])
types = st.sampled_from(["opaque", "key_value"])
seldom = st.sampled_from([False, False, False, True])
actions = st.sampled_from(["disable", "delete"])
policies = st.fixed_dictionaries(
    {
        "time_to_live": st.sampled_from(["3600s", "7200.5s", "31536000.000000s"]),
        "action": actions,
    },
    optional={"expires_once_accessed": st.booleans()},
)
perhaps_a_policy = st.one_of(st.none(), st.none(), policies)
properties = st.fixed_dictionaries(
    {"expires_once_accessed": st.just(True), "action": actions},
    optional={"expires_at": st.just("2999-12-31T23:59:59.500000Z")},
)
payloads = st.sampled_from([b'{"a":"b"}', b'{"n":1.5,"t":true}', b'{"":"\xc3\xa9"}'])
statuses = st.sampled_from(["enabled", "disabled", "scheduled_for_deletion"])
orders = st.sampled_from(
    [f"{by}_{way}" for by in ("name", "created_at", "updated_at") for way in ("asc", "desc")]
)


class Machine(RuleBasedStateMachine):
    def __init__(self, client, tenant, database):
        super().__init__()
        self.client = client
        self.database = database
        self.project_id = tenant.project("properties")
        self.model = Model(self.project_id, VERSION_QUOTA)
        self.known = []  # all secrets there have been

    def teardown(self):
        self.everything_agrees()
        self.operator("SELECT operator.project_delete(%s)", self.project_id)

    @initialize(data=st.data())
    def begin(self, data):
        for _ in range(3):
            self.secret_create(data)
            self.version_create(data)
            self.version_create(data)

    # One rule for all: of several, hypothesis turns some off in each run, and what needs three
    # operations in a row on one secret would hardly ever come about.
    @rule(data=st.data(), operation=st.sampled_from(OPERATIONS))
    def operate(self, data, operation):
        getattr(self, operation)(data)

    # What all operations share --------------------------------------------------------------

    def call(self, method, path, operation, secret, /, *arguments, at=None, body=None, **members):
        """Call the service, then the model, and compare; at is the member that says when."""
        answer = self.client.call(method, path, body)
        if at is not None:
            arguments += ((answer.body or {}).get(at, ""),)
        self.compare(answer, operation, secret, *arguments, **members)
        return answer

    def call_delete(self, path, operation, secret, *arguments):
        """The same for a delete, whose answer is empty: what it leaves says when."""
        answer = self.client.delete(path)
        left = self.client.get(path).body or {}
        self.compare(answer, operation, secret, *arguments, left.get("deletion_requested_at") or "")

    def compare(self, answer, operation, secret, /, *arguments, **members):
        try:
            body = operation(secret, *arguments, **members)
            expected = (204 if body is None else 200), body
        except Refused as refused:
            expected = refused.args
        assert (answer.status, answer.body) == expected
        self.secret_agrees(secret)

    def secret_agrees(self, secret):
        if secret in self.model.secrets:
            path = f"/secrets/{secret}"
            assert self.client.get(path).body == self.model.secret_get(secret)
            listed = self.client.get(f"{path}/versions").body
            assert listed == self.model.version_list(secret)
            self.model.learn_updates(secret, listed["versions"])

    def everything_agrees(self):
        for secret in self.known:
            self.secret_agrees(secret)

    def some_secret(self, data, preferred=lambda secret: True):
        """One of the latest, one that is preferred if there is any; seldom one that is gone."""
        there = [secret.id for secret in self.model.secrets.values() if preferred(secret)]
        gone = [secret for secret in self.known if secret not in self.model.secrets]
        if there and not (gone and data.draw(seldom)):
            return data.draw(st.sampled_from(there[-4:]))
        return data.draw(st.sampled_from(self.known[-4:]))

    def some_version(self, data, preferred=lambda version: True):
        """A version in the same way, seldom one that the secret has not."""
        secret = self.some_secret(
            data, lambda secret: secret.live() and any(map(preferred, secret.versions.values()))
        )
        known = self.model.secrets.get(secret)
        there = [str(v.revision) for v in known.versions.values() if preferred(v)] if known else []
        revision = data.draw(st.sampled_from([*there, *there, "latest", "latest_enabled", "9"]))
        return secret, revision, f"/secrets/{secret}/versions/{revision}"

    def operator(self, sql, *arguments):
        self.database.query(sql, *arguments, role="coffer_operator")

    # Secrets --------------------------------------------------------------------------------

    def secret_create(self, data):
        members = data.draw(
            st.fixed_dictionaries(
                {"name": names},
                optional={
                    "path": paths,
                    "tags": tags | st.none(),
                    "description": descriptions,
                    "type": types,
                    "ephemeral_policy": perhaps_a_policy,
                    "protected": seldom,
                },
            )
        )
        answer = self.client.post("/secrets", {"project_id": self.project_id, **members})
        secret, now = answer.body.get("id"), answer.body.get("created_at")
        self.compare(answer, self.model.secret_create, secret, now, **members)
        if answer.status == 200:
            self.known.append(secret)

    def secret_get(self, data):
        secret = self.some_secret(data)
        self.call("GET", f"/secrets/{secret}", self.model.secret_get, secret)

    def secret_update(self, data):
        secret = self.some_secret(data)
        members = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": names,
                    "path": paths,
                    "tags": tags,
                    "description": descriptions,
                    "ephemeral_policy": perhaps_a_policy,
                },
            )
        )
        self.call(
            "PATCH",
            f"/secrets/{secret}",
            self.model.secret_update,
            secret,
            at="updated_at",
            body=members,
            **members,
        )

    def secret_delete(self, data):
        secret = self.some_secret(data)
        self.call_delete(f"/secrets/{secret}", self.model.secret_delete, secret)

    def secret_restore(self, data):
        secret = self.some_secret(data, lambda secret: not secret.live())
        path = f"/secrets/{secret}/restore"
        self.call("POST", path, self.model.secret_restore, secret, at="updated_at")

    def secret_protect(self, data):
        secret = self.some_secret(data)
        self.call("POST", f"/secrets/{secret}/protect", self.model.secret_protect, secret, True)

    def secret_unprotect(self, data):
        secret = self.some_secret(data)
        self.call("POST", f"/secrets/{secret}/unprotect", self.model.secret_protect, secret, False)

    def secret_add_owner(self, data):
        secret = self.some_secret(data)
        product = data.draw(st.sampled_from(["edge_services", "s2s_vpn"]))
        path, body = f"/secrets/{secret}/add-owner", {"product": product}
        self.call("POST", path, self.model.secret_add_owner, secret, product, body=body)

    # Versions -------------------------------------------------------------------------------

    def version_create(self, data):
        full = data.draw(seldom)
        secret = self.some_secret(
            data, lambda secret: (len(secret.versions) == VERSION_QUOTA) == full
        )
        payload = data.draw(payloads)
        members = data.draw(
            st.fixed_dictionaries(
                {"data": st.just(base64.b64encode(payload).decode())},
                optional={
                    "description": descriptions,
                    "disable_previous": seldom.map(lambda no: not no),
                    "data_crc32": seldom.map(lambda wrong: binascii.crc32(payload) ^ wrong),
                },
            )
        )
        self.call(
            "POST",
            f"/secrets/{secret}/versions",
            self.model.version_create,
            secret,
            at="created_at",
            body=members,
            **members,
        )

    def version_get(self, data):
        secret, revision, path = self.some_version(data)
        self.call("GET", path, self.model.version_get, secret, revision)

    def version_update(self, data):
        secret, revision, path = self.some_version(data)
        members = {
            "description": data.draw(st.none() | descriptions),
            "ephemeral_properties": data.draw(st.none() | properties),
        }
        self.call(
            "PATCH",
            path,
            self.model.version_update,
            secret,
            revision,
            at="updated_at",
            body=members,
            **members,
        )

    def version_access(self, data):
        secret, revision, path = self.some_version(data)
        self.call("GET", f"{path}/access", self.model.version_access, secret, revision)

    def version_access_by_path(self, data):
        secret, revision, _ = self.some_version(data)
        known = self.model.secrets.get(secret)
        name = known.name if known else data.draw(names)
        path = data.draw(paths) if known is None or data.draw(seldom) else known.path
        query = f"project_id={self.project_id}&secret_path={path}&secret_name={name}"
        self.call(
            "GET",
            f"/secrets-by-path/versions/{revision}/access?{query}",
            self.model.version_access_by_path,
            path,
            name,
            revision,
        )

    def version_enable(self, data):
        secret, revision, path = self.some_version(data, lambda v: v.status == "disabled")
        operation = self.model.version_enable
        self.call("POST", f"{path}/enable", operation, secret, revision, at="updated_at")

    def version_disable(self, data):
        secret, revision, path = self.some_version(data)
        operation = self.model.version_disable
        self.call("POST", f"{path}/disable", operation, secret, revision, at="updated_at")

    def version_delete(self, data):
        secret, revision, path = self.some_version(data)
        # Once the version is deleted, latest_enabled is the name of another one.
        number = self.client.get(path).body.get("revision", revision)
        path = f"/secrets/{secret}/versions/{number}"
        self.call_delete(path, self.model.version_delete, secret, revision)

    def version_restore(self, data):
        secret, revision, path = self.some_version(data, lambda v: v.status_to_restore is not None)
        operation = self.model.version_restore
        self.call("POST", f"{path}/restore", operation, secret, revision, at="updated_at")

    # Lists ----------------------------------------------------------------------------------

    def pages(self, path, member, query):
        """All items of a list, read in pages of two."""
        items, page = [], 1
        while True:
            answer = self.client.get(path, query={**query, "page": page, "page_size": 2})
            assert answer.status == 200
            if not answer.body[member]:
                assert answer.body["total_count"] == len(items)
                return items
            items += answer.body[member]
            page += 1

    def secret_list(self, data):
        order = data.draw(orders)
        filters = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": names,
                    "path": paths,
                    "tags": tags,
                    "type": types | st.just("unknown_type"),
                    "ephemeral": st.booleans(),
                    "scheduled_for_deletion": st.booleans(),
                },
            )
        )
        query = {"project_id": self.project_id, "order_by": order, **filters}
        listed = self.pages("/secrets", "secrets", query)
        found = self.model.secret_list(**filters)
        assert {document["id"]: document for document in listed} == found
        by, _, way = order.rpartition("_")
        values = [document[by] for document in listed]
        assert values == sorted(values, reverse=way == "desc")

    def secret_browse(self, data):
        order = data.draw(st.sampled_from(["name_asc", "name_desc"]))
        filters = data.draw(
            st.fixed_dictionaries({}, optional={"prefix": paths, "tags": tags, "type": types})
        )
        query = {"project_id": self.project_id, "order_by": order, **filters}
        items = self.pages("/secrets/browse", "items", query)
        folders, secrets = self.model.browse(**filters)
        assert [item["name"] for item in items] == sorted(
            [*folders, *secrets], reverse=order == "name_desc"
        )
        for item in items:
            if item["name"] in folders:
                assert item["folder"] == {}
            else:
                assert item == secrets[item["name"]]

    def version_list(self, data):
        secret = self.some_secret(data)
        status = data.draw(st.lists(statuses, max_size=2))
        answer = self.client.get(f"/secrets/{secret}/versions", query={"status": status})
        self.compare(answer, self.model.version_list, secret, status)

    # What only time and the operator do -----------------------------------------------------

    def version_expire(self, data):
        """The highest enabled version expires; whether a job has come by makes no difference."""
        secret = self.some_secret(data)
        change = {"expires_at": "2999-01-01T00:00:00.000000Z", "action": data.draw(actions)}
        answer = self.call(
            "PATCH",
            f"/secrets/{secret}/versions/latest_enabled",
            self.model.version_update,
            secret,
            "latest_enabled",
            at="updated_at",
            body={"ephemeral_properties": change},
            ephemeral_properties=change,
        )
        if answer.status == 200:
            revision = answer.body["revision"]
            # Not long ago: what it schedules for deletion is not purged yet.
            past = instant_text(datetime.now(UTC) - timedelta(minutes=1))
            self.database.query(
                "UPDATE store.version SET expires_at = %s WHERE secret_id = %s AND revision = %s",
                past,
                secret,
                revision,
            )
            if data.draw(st.booleans()):
                self.operator("SELECT job.run(name, 1000) FROM job.list() AS name")
            self.model.version_expire(secret, revision, past)
            self.secret_agrees(secret)

    def operator_hold(self, data):
        """A secret is locked or managed while some other operations are tried."""
        secret = self.some_secret(data)
        if secret not in self.model.secrets:
            return
        if data.draw(st.booleans()):
            self.operator("SELECT operator.secret_lock(%s)", secret)
            self.model.secret_lock(secret, True)
        else:
            self.operator("SELECT operator.secret_manage(%s, 'edge_services')", secret)
            self.model.secret_manage(secret, True)
        for _ in range(4):
            self.operate(data, data.draw(st.sampled_from(OPERATIONS)))
        if secret in self.model.secrets:
            self.operator("SELECT operator.secret_unlock(%s)", secret)
            self.operator("SELECT operator.secret_unmanage(%s)", secret)
            self.model.secret_lock(secret, False)
            self.model.secret_manage(secret, False)

    def operator_purge(self, data):
        """The time has come for all that is scheduled for deletion."""
        self.operator("SELECT operator.setting_set('purge_after', '0 seconds')")
        try:
            self.operator("SELECT job.run(name, 1000) FROM job.list() AS name")
        finally:
            self.operator("SELECT operator.setting_set('purge_after', '7 days')")
        self.model.purge()
        self.everything_agrees()


def test_service_and_model_agree(client, tenant, service):
    service.database.query(
        "SELECT operator.quota_set(%s, 'secret_version', %s)",
        tenant.organization_id,
        VERSION_QUOTA,
        role="coffer_operator",
    )
    profile = LONG if os.environ.get("COFFER_PROPERTIES") == "long" else SHORT
    run_state_machine_as_test(
        lambda: Machine(client, tenant, service.database),
        settings=settings(
            profile,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
