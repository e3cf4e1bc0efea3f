// Every method of the JavaScript SDK's Secret Manager API, against the service that SCW_API_URL
// names. All secrets of a run live below one folder and carry one tag of its own, so that it can run
// beside other data.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { createClient, Errors } from "@scaleway/sdk-client";
import { Secretv1beta1 } from "@scaleway/sdk-secret";

const projectId = process.env.SCW_DEFAULT_PROJECT_ID;
const region = process.env.SCW_DEFAULT_REGION;
const run = `js-${randomUUID()}`;
const folder = `/${run}`;

const created = [];

const apiWith = (settings) =>
  new Secretv1beta1.API(
    createClient({
      accessKey: process.env.SCW_ACCESS_KEY,
      secretKey: process.env.SCW_SECRET_KEY,
      apiURL: process.env.SCW_API_URL,
      defaultOrganizationId: process.env.SCW_DEFAULT_ORGANIZATION_ID,
      defaultProjectId: projectId,
      defaultRegion: region,
      ...settings,
    }),
  );

const api = apiWith({});

async function newSecret(members = {}) {
  const secret = await api.createSecret({
    name: `secret-${created.length}`,
    path: folder,
    protected: false,
    ...members,
    tags: [run, ...(members.tags ?? [])],
  });
  created.push(secret.id);
  return secret;
}

const base64 = (text) => Buffer.from(text).toString("base64");
const text = (access) => Buffer.from(access.data, "base64").toString();

const newVersion = (secret, data, members = {}) =>
  api.createSecretVersion({ secretId: secret.id, data: base64(data), ...members });

function isNow(date) {
  assert.ok(date instanceof Date);
  assert.ok(Math.abs(Date.now() - date) < 3_600_000, "a time of this run");
}

async function refusal(promise, errorClass, status) {
  const error = await promise.then(
    () => assert.fail("the call was not refused"),
    (reason) => reason,
  );
  assert.equal(error.constructor, errorClass);
  assert.equal(error.status, status);
  return error;
}

after(async () => {
  for (const secretId of created) {
    await api.unprotectSecret({ secretId }).catch(() => {});
    await api.deleteSecret({ secretId }).catch(() => {});
  }
});

describe("secrets", () => {
  test("a new secret has every member", async () => {
    const { createdAt, updatedAt, id, ...rest } = await newSecret({ name: "plain" });
    assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    isNow(createdAt);
    assert.deepEqual(updatedAt, createdAt);
    assert.deepEqual(rest, {
      deletionRequestedAt: undefined,
      description: "",
      ephemeralPolicy: undefined,
      keyId: null,
      managed: false,
      name: "plain",
      path: folder,
      projectId,
      protected: false,
      region,
      status: "ready",
      tags: [run],
      type: "opaque",
      usedBy: [],
      versionCount: 0,
    });
  });

  test("a secret is created with all it can be given, and read back", async () => {
    const secret = await newSecret({
      name: "full",
      path: `${folder}/a/b/`,
      description: "a description",
      tags: ["z", "a"],
      type: "key_value",
      protected: true,
      ephemeralPolicy: { timeToLive: "1800.000000000s", expiresOnceAccessed: true, action: "disable" },
    });
    assert.equal(secret.path, `${folder}/a/b`);
    assert.equal(secret.description, "a description");
    assert.deepEqual(secret.tags, [run, "z", "a"]);
    assert.equal(secret.type, "key_value");
    assert.equal(secret.protected, true);
    assert.deepEqual(secret.ephemeralPolicy, {
      timeToLive: "1800s",
      expiresOnceAccessed: true,
      action: "disable",
    });
    assert.deepEqual(await api.getSecret({ secretId: secret.id }), secret);
  });

  test("an unknown type is an opaque secret", async () => {
    assert.equal((await newSecret({ type: "unknown_type" })).type, "opaque");
  });

  test("everything that can be updated is", async () => {
    const secret = await newSecret({ description: "old", tags: ["old"] });
    const members = {
      name: "renamed",
      path: `${folder}/moved`,
      description: "new",
      tags: [run, "new"],
      ephemeralPolicy: { timeToLive: "2.5s", expiresOnceAccessed: false, action: "delete" },
    };
    const { updatedAt, ...rest } = await api.updateSecret({ secretId: secret.id, ...members });
    assert.ok(updatedAt >= secret.updatedAt);
    members.ephemeralPolicy.timeToLive = "2.500s";
    const { updatedAt: _, ...before } = secret;
    assert.deepEqual(rest, { ...before, ...members });
  });

  test("an update leaves alone what it does not name and clears what it empties", async () => {
    const secret = await newSecret({ description: "kept", tags: ["cleared"] });
    const updated = await api.updateSecret({ secretId: secret.id, tags: [] });
    assert.deepEqual(updated.tags, []);
    assert.equal(updated.description, "kept");
    assert.equal(updated.name, secret.name);
    const cleared = await api.updateSecret({ secretId: secret.id, description: "", tags: [run] });
    assert.equal(cleared.description, "");
    assert.deepEqual(cleared.tags, [run]);
  });

  test("a protected secret cannot be deleted until it is unprotected", async () => {
    const secret = await newSecret();
    const secretId = secret.id;
    assert.deepEqual(await api.protectSecret({ secretId }), { ...secret, protected: true });
    assert.equal((await api.protectSecret({ secretId })).protected, true);
    const error = await refusal(api.deleteSecret({ secretId }), Errors.PreconditionFailedError, 412);
    assert.equal(error.precondition, "protected_resource");
    assert.equal(error.helpMessage, "cannot delete a protected secret");
    assert.deepEqual(await api.unprotectSecret({ secretId }), secret);
    assert.equal(await api.deleteSecret({ secretId }), undefined);
  });

  test("a deleted secret is scheduled, and restored with its versions", async () => {
    const secret = await newSecret();
    const secretId = secret.id;
    await newVersion(secret, "one");
    await newVersion(secret, "two");
    await api.disableSecretVersion({ secretId, revision: "1" });
    await api.deleteSecret({ secretId });

    const scheduled = await api.getSecret({ secretId });
    isNow(scheduled.deletionRequestedAt);
    assert.deepEqual(scheduled.updatedAt, scheduled.deletionRequestedAt);
    assert.equal(scheduled.status, "ready");
    assert.equal(scheduled.versionCount, 2);
    const listed = await api.listSecretVersions({ secretId });
    assert.deepEqual(listed.versions.map((version) => version.status), [
      "scheduled_for_deletion",
      "scheduled_for_deletion",
    ]);
    const error = await refusal(
      api.accessSecretVersion({ secretId, revision: "2" }),
      Errors.PreconditionFailedError,
      412,
    );
    assert.equal(error.precondition, "resource_not_usable");

    const restored = await api.restoreSecret({ secretId });
    assert.equal(restored.deletionRequestedAt, undefined);
    assert.ok(restored.updatedAt >= scheduled.updatedAt);
    const { versions } = await api.listSecretVersions({ secretId });
    assert.deepEqual(versions.map((version) => version.status), ["enabled", "disabled"]);
    assert.equal(text(await api.accessSecretVersion({ secretId, revision: "latest" })), "two");
  });

  test("a product is added once as an owner", async () => {
    const { id: secretId } = await newSecret();
    for (const product of ["edge_services", "s2s_vpn", "edge_services"]) {
      assert.equal(await api.addSecretOwner({ secretId, product }), undefined);
    }
    const { usedBy } = await api.getSecret({ secretId });
    assert.deepEqual(usedBy, ["edge_services", "s2s_vpn"]);
  });
});

describe("lists", () => {
  const tag = `list-${run}`;
  let secrets;

  const listOf = (members) => ({ scheduledForDeletion: false, tags: [tag], ...members });
  const names = (list) => list.map((item) => item.name);

  test("secrets are listed in pages, all together, and one page after the other", async () => {
    secrets = [];
    for (const name of ["c", "a", "e", "b", "d"]) {
      secrets.push(await newSecret({ name, path: `${folder}/list`, tags: [tag] }));
    }
    const request = listOf({ pageSize: 2 });
    const page = await api.listSecrets(request);
    assert.equal(page.totalCount, 5);
    assert.deepEqual(names(page.secrets), ["a", "b"]);
    assert.deepEqual(
      page.secrets[0],
      secrets.find((secret) => secret.name === "a"),
    );
    assert.deepEqual(names((await api.pageOfListSecrets({ ...request, page: 3 })).secrets), ["e"]);
    const past = await api.pageOfListSecrets({ ...request, page: 4 });
    assert.deepEqual(past, { secrets: [], totalCount: 5 });
    assert.deepEqual(names(await api.listSecrets(request).all()), ["a", "b", "c", "d", "e"]);
    const pages = [];
    for await (const list of api.listSecrets(request)) {
      pages.push(names(list));
    }
    assert.deepEqual(pages, [["a", "b"], ["c", "d"], ["e"]]);
  });

  test("secrets are listed in each order", async () => {
    for (const [orderBy, expected] of [
      ["name_asc", ["a", "b", "c", "d", "e"]],
      ["name_desc", ["e", "d", "c", "b", "a"]],
      ["created_at_asc", ["c", "a", "e", "b", "d"]],
      ["created_at_desc", ["d", "b", "e", "a", "c"]],
      ["updated_at_asc", ["c", "a", "e", "b", "d"]],
      ["updated_at_desc", ["d", "b", "e", "a", "c"]],
    ]) {
      const { secrets: list } = await api.listSecrets(listOf({ orderBy }));
      assert.deepEqual(names(list), expected, orderBy);
    }
  });

  test("secrets are filtered", async () => {
    const own = `${folder}/filter`;
    const opaque = await newSecret({ name: "opaque", path: own, tags: [tag + "-f", "x"] });
    const ephemeral = await newSecret({
      name: "ephemeral",
      path: own,
      tags: [tag + "-f"],
      type: "key_value",
      ephemeralPolicy: { timeToLive: "60s", expiresOnceAccessed: false, action: "delete" },
    });
    const gone = await newSecret({ name: "gone", path: own, tags: [tag + "-f"] });
    await api.deleteSecret({ secretId: gone.id });
    const all = { scheduledForDeletion: false, tags: [tag + "-f"] };
    for (const [members, expected] of [
      [{}, [ephemeral, opaque]],
      [{ name: "opaque" }, [opaque]],
      [{ path: `${own}/` }, [ephemeral, opaque]],
      [{ path: folder }, []],
      [{ tags: [tag + "-f", "x"] }, [opaque]],
      [{ ephemeral: true }, [ephemeral]],
      [{ ephemeral: false }, [opaque]],
      [{ type: "key_value" }, [ephemeral]],
      [{ type: "unknown_type" }, [ephemeral, opaque]],
      [{ scheduledForDeletion: true }, [gone]],
      [{ projectId }, [ephemeral, opaque]],
      [{ organizationId: process.env.SCW_DEFAULT_ORGANIZATION_ID, projectId }, [ephemeral, opaque]],
    ]) {
      const page = await api.listSecrets({ ...all, ...members });
      assert.deepEqual(
        page.secrets.map((secret) => secret.id),
        expected.map((secret) => secret.id),
        JSON.stringify(Object.keys(members)),
      );
      assert.equal(page.totalCount, expected.length);
    }
  });

  test("a folder is browsed", async () => {
    const own = `${folder}/browse`;
    const here = await newSecret({ name: "here", path: own, tags: ["x"] });
    const there = await newSecret({ name: "there", path: `${own}/below/deep` });
    const browsed = await api.browseSecrets({ prefix: own, projectId });
    assert.equal(browsed.currentPath, own);
    assert.equal(browsed.totalCount, 2);
    assert.deepEqual(names(browsed.items), ["below", "here"]);
    assert.deepEqual(browsed.items[0].folder, {});
    assert.equal(browsed.items[0].secret, undefined);
    assert.deepEqual(browsed.items[1], {
      name: "here",
      createdAt: here.createdAt,
      updatedAt: here.updatedAt,
      folder: undefined,
      secret: {
        id: here.id,
        tags: [run, "x"],
        versionCount: 0,
        protected: false,
        ephemeralPolicy: undefined,
        type: "opaque",
      },
    });
    const second = await api.browseSecrets({ prefix: own, pageSize: 1, page: 2, orderBy: "name_desc" });
    assert.deepEqual(names(second.items), ["below"]);
    assert.deepEqual(names((await api.browseSecrets({ prefix: own, tags: ["x"] })).items), ["here"]);
    const deep = await api.browseSecrets({ prefix: `${own}/below/deep/`, type: "opaque" });
    assert.deepEqual(
      deep.items.map((item) => item.secret.id),
      [there.id],
    );
  });

  test("tags are listed in pages and all together", async () => {
    const all = await api.listTags({ pageSize: 2 }).all();
    const { totalCount } = await api.pageOfListTags({});
    assert.equal(all.length, totalCount);
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.includes(run));
    assert.ok(all.includes(tag));
  });

  test("the types in use are listed in pages and all together", async () => {
    await newSecret({ type: "ssh_key" });
    const all = await api.listSecretTypes({ pageSize: 1 }).all();
    const { totalCount } = await api.pageOfListSecretTypes({ projectId });
    assert.equal(all.length, totalCount);
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.includes("opaque"));
    assert.ok(all.includes("ssh_key"));
  });
});

describe("versions", () => {
  test("a new version has every member", async () => {
    const secret = await newSecret();
    const { createdAt, updatedAt, ...rest } = await newVersion(secret, "one", { description: "first" });
    isNow(createdAt);
    assert.deepEqual(updatedAt, createdAt);
    assert.deepEqual(rest, {
      deletedAt: undefined,
      deletionRequestedAt: undefined,
      description: "first",
      ephemeralProperties: undefined,
      latest: true,
      region,
      revision: 1,
      secretId: secret.id,
      status: "enabled",
    });
  });

  test("a version is read by its number and by the two other names", async () => {
    const secret = await newSecret();
    const secretId = secret.id;
    for (const data of ["one", "two", "three"]) {
      await newVersion(secret, data);
    }
    await api.disableSecretVersion({ secretId, revision: "3" });
    for (const [revision, expected] of [["1", 1], ["latest", 3], ["latest_enabled", 2]]) {
      assert.equal((await api.getSecretVersion({ secretId, revision })).revision, expected);
    }
    assert.deepEqual(await api.accessSecretVersion({ secretId, revision: "latest_enabled" }), {
      data: base64("two"),
      dataCrc32: null,
      revision: 2,
      secretId,
      type: "opaque",
    });
    const { versionCount } = await api.getSecret({ secretId });
    assert.equal(versionCount, 3);
  });

  test("a version is read by the path and name of its secret", async () => {
    const secret = await newSecret({ name: "by-path", path: `${folder}/by/path` });
    await newVersion(secret, "found");
    const access = await api.accessSecretVersionByPath({
      secretPath: `${folder}/by/path`,
      secretName: "by-path",
      revision: "latest",
      projectId,
    });
    assert.equal(access.secretId, secret.id);
    assert.equal(text(access), "found");
  });

  test("the checksum of the data is checked, kept and given back", async () => {
    const secret = await newSecret();
    await newVersion(secret, "123456789", { dataCrc32: 0xcbf43926 });
    const access = await api.accessSecretVersion({ secretId: secret.id, revision: "1" });
    assert.equal(access.dataCrc32, 0xcbf43926);
    const error = await refusal(
      newVersion(secret, "123456789", { dataCrc32: 1 }),
      Errors.InvalidArgumentsError,
      400,
    );
    assert.equal(error.details[0].argumentName, "data_crc32");
  });

  test("versions are listed newest first, in pages, all together, and by status", async () => {
    const secret = await newSecret();
    const secretId = secret.id;
    for (const data of ["1", "2", "3", "4", "5"]) {
      await newVersion(secret, data);
    }
    await api.disableSecretVersion({ secretId, revision: "2" });
    await api.deleteSecretVersion({ secretId, revision: "4" });
    const revisions = (versions) => versions.map((version) => version.revision);
    const page = await api.listSecretVersions({ secretId, pageSize: 2 });
    assert.equal(page.totalCount, 5);
    assert.deepEqual(revisions(page.versions), [5, 4]);
    assert.deepEqual(revisions((await api.pageOfListSecretVersions({ secretId, pageSize: 2, page: 3 })).versions), [1]);
    assert.deepEqual(revisions(await api.listSecretVersions({ secretId, pageSize: 2 }).all()), [5, 4, 3, 2, 1]);
    for (const [status, expected] of [
      [["enabled"], [5, 3, 1]],
      [["disabled"], [2]],
      [["disabled", "scheduled_for_deletion"], [4, 2]],
    ]) {
      const { versions, totalCount } = await api.listSecretVersions({ secretId, status });
      assert.deepEqual(revisions(versions), expected);
      assert.equal(totalCount, expected.length);
    }
  });

  test("everything of a version that can be updated is", async () => {
    const secret = await newSecret();
    const version = await newVersion(secret, "data");
    const expiresAt = new Date(Date.now() + 86_400_000);
    const ephemeralProperties = { expiresAt, expiresOnceAccessed: true, action: "disable" };
    const { updatedAt, ...rest } = await api.updateSecretVersion({
      secretId: secret.id,
      revision: "1",
      description: "described",
      ephemeralProperties,
    });
    assert.ok(updatedAt >= version.updatedAt);
    const { updatedAt: _, ...before } = version;
    assert.deepEqual(rest, { ...before, description: "described", ephemeralProperties });
  });

  test("a version is disabled and enabled, and a new one disables the one before", async () => {
    const secret = await newSecret();
    const secretId = secret.id;
    await newVersion(secret, "one");
    assert.equal((await api.disableSecretVersion({ secretId, revision: "1" })).status, "disabled");
    const error = await refusal(
      api.accessSecretVersion({ secretId, revision: "1" }),
      Errors.PreconditionFailedError,
      412,
    );
    assert.equal(error.precondition, "resource_not_usable");
    assert.equal((await api.enableSecretVersion({ secretId, revision: "1" })).status, "enabled");
    assert.equal(text(await api.accessSecretVersion({ secretId, revision: "1" })), "one");
    await newVersion(secret, "two", { disablePrevious: true });
    assert.equal((await api.getSecretVersion({ secretId, revision: "1" })).status, "disabled");
  });

  test("a deleted version is scheduled, still counts, and is restored", async () => {
    const secret = await newSecret();
    const secretId = secret.id;
    const version = await newVersion(secret, "one");
    assert.equal(await api.deleteSecretVersion({ secretId, revision: "1" }), undefined);
    const scheduled = await api.getSecretVersion({ secretId, revision: "latest" });
    isNow(scheduled.deletionRequestedAt);
    assert.deepEqual(scheduled, {
      ...version,
      status: "scheduled_for_deletion",
      deletionRequestedAt: scheduled.deletionRequestedAt,
    });
    assert.equal((await api.getSecret({ secretId })).versionCount, 1);
    const restored = await api.restoreSecretVersion({ secretId, revision: "1" });
    assert.equal(restored.status, "enabled");
    assert.equal(restored.deletionRequestedAt, undefined);
    assert.equal(text(await api.accessSecretVersion({ secretId, revision: "1" })), "one");
  });

  test("every type keeps what belongs to it and refuses what does not", async () => {
    const certificate = readFileSync(new URL("certificate.pem", import.meta.url), "utf8");
    for (const [type, good, bad] of [
      ["certificate", certificate, "no certificate"],
      ["key_value", '{"a":"b","c":1,"d":true}', '{"a":{}}'],
      ["basic_credentials", '{"username":"u","password":"p"}', '{"username":"u"}'],
      [
        "database_credentials",
        '{"engine":"postgres","username":"u","password":"p","host":"h","dbname":"d","port":"5432"}',
        '{"engine":"none"}',
      ],
      ["ssh_key", '{"ssh_private_key":"k"}', '{"ssh_private_key":1}'],
    ]) {
      const secret = await newSecret({ type });
      await newVersion(secret, good);
      const access = await api.accessSecretVersion({ secretId: secret.id, revision: "1" });
      assert.equal(access.type, type);
      assert.equal(text(access), good);
      const error = await refusal(newVersion(secret, bad), Errors.InvalidArgumentsError, 400);
      assert.equal(error.details[0].argumentName, "data", type);
    }
  });
});

describe("ephemeral secrets", () => {
  const policy = { timeToLive: "3600s", expiresOnceAccessed: true, action: "disable" };

  test("a version gets its properties from the policy of its secret", async () => {
    const secret = await newSecret({ ephemeralPolicy: policy });
    const version = await newVersion(secret, "data");
    assert.equal(version.ephemeralProperties.action, "disable");
    assert.equal(version.ephemeralProperties.expiresOnceAccessed, true);
    assert.equal(version.ephemeralProperties.expiresAt - version.createdAt, 3_600_000);
  });

  test("a read-once version is read once; with action disable it is disabled", async () => {
    const secret = await newSecret({ ephemeralPolicy: policy });
    const secretId = secret.id;
    await newVersion(secret, "once");
    const once = { secretId, revision: "1" };
    assert.equal(text(await api.accessSecretVersion(once)), "once");
    await refusal(api.accessSecretVersion(once), Errors.PreconditionFailedError, 412);
    assert.equal((await api.getSecretVersion(once)).status, "disabled");
  });

  test("a read-once version is read once; with action delete it is gone", async () => {
    const secret = await newSecret({ ephemeralPolicy: { ...policy, action: "delete" } });
    const secretId = secret.id;
    await newVersion(secret, "once");
    const once = { secretId, revision: "1" };
    assert.equal(text(await api.accessSecretVersion(once)), "once");
    const error = await refusal(api.accessSecretVersion(once), Errors.ResourceNotFoundError, 404);
    assert.equal(error.resource, "secret_version");
    assert.equal((await api.getSecret({ secretId })).versionCount, 0);
  });

  test("an ephemeral secret is gone as soon as it is deleted", async () => {
    const { id: secretId } = await newSecret({ ephemeralPolicy: policy });
    await api.deleteSecret({ secretId });
    await refusal(api.getSecret({ secretId }), Errors.ResourceNotFoundError, 404);
  });
});

describe("refusals", () => {
  test("not found", async () => {
    const secretId = randomUUID();
    const error = await refusal(api.getSecret({ secretId }), Errors.ResourceNotFoundError, 404);
    assert.equal(error.resource, "secret");
    assert.equal(error.resourceId, secretId);
    const { id } = await newSecret();
    const version = await refusal(
      api.getSecretVersion({ secretId: id, revision: "latest" }),
      Errors.ResourceNotFoundError,
      404,
    );
    assert.equal(version.resource, "secret_version");
  });

  test("invalid arguments", async () => {
    const { name } = await newSecret();
    const twice = await refusal(newSecret({ name }), Errors.InvalidArgumentsError, 400);
    assert.deepEqual(twice.details, [
      {
        argumentName: "name",
        helpMessage: "cannot have same secret name in same path",
        reason: "format",
      },
    ]);
    const id = await refusal(api.getSecret({ secretId: "none" }), Errors.InvalidArgumentsError, 400);
    assert.deepEqual(id.details, [
      { argumentName: "secret_id", helpMessage: "value must be a valid UUID", reason: "format" },
    ]);
  });

  test("quotas", async () => {
    const secret = await newSecret();
    for (let revision = 1; revision <= 20; revision++) {
      await newVersion(secret, `${revision}`);
    }
    const error = await refusal(newVersion(secret, "21"), Errors.QuotasExceededError, 403);
    assert.deepEqual(error.list, [
      { current: 20, quota: 20, resource: "secret_version", scope: undefined },
    ]);
  });

  const lockedId = process.env.COFFER_LOCKED_SECRET_ID;
  test("locked", { skip: !lockedId && "COFFER_LOCKED_SECRET_ID names no locked secret" }, async () => {
    const locked = { secretId: lockedId };
    assert.equal((await api.getSecret(locked)).status, "locked");
    const error = await refusal(api.protectSecret(locked), Errors.ResourceLockedError, 423);
    assert.equal(error.resource, "secret");
    assert.equal(error.resourceId, lockedId);
  });

  test("permissions", async () => {
    const error = await refusal(
      api.listSecrets({ projectId: randomUUID(), scheduledForDeletion: false }),
      Errors.PermissionsDeniedError,
      403,
    );
    assert.equal(error.list.length, 1);
  });

  test("authentication", async () => {
    const stranger = apiWith({ secretKey: randomUUID() });
    const error = await refusal(
      stranger.listTags(),
      Errors.DeniedAuthenticationError,
      401,
    );
    assert.equal(error.method, "api_key");
    assert.equal(error.reason, "not_found");
  });
});

test("no method of the API was left out", () => {
  const source = readFileSync(new URL(import.meta.url), "utf8");
  const methods = Object.keys(api).filter((name) => typeof api[name] === "function");
  assert.equal(methods.length, 26);
  assert.deepEqual(
    methods.filter((name) => !source.includes(`api.${name}(`)),
    [],
  );
});
