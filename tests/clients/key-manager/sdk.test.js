// Every method of the JavaScript SDK's Key Manager API, against the service that SCW_API_URL names.
// All keys of a run carry one tag of its own, so that it can run beside other data.

import assert from "node:assert/strict";
import { createDecipheriv, createCipheriv, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { createClient, Errors } from "@scaleway/sdk-client";
import { KeyManagerv1alpha1 } from "@scaleway/sdk-key-manager";
import { Secretv1beta1 } from "@scaleway/sdk-secret";

const projectId = process.env.SCW_DEFAULT_PROJECT_ID;
const region = process.env.SCW_DEFAULT_REGION;
const run = `js-${randomUUID()}`;

const created = [];

const clientWith = (settings) =>
  createClient({
    accessKey: process.env.SCW_ACCESS_KEY,
    secretKey: process.env.SCW_SECRET_KEY,
    apiURL: process.env.SCW_API_URL,
    defaultOrganizationId: process.env.SCW_DEFAULT_ORGANIZATION_ID,
    defaultProjectId: projectId,
    defaultRegion: region,
    ...settings,
  });

const apiWith = (settings) => new KeyManagerv1alpha1.API(clientWith(settings));

const api = apiWith({});

async function newKey(members = {}) {
  const key = await api.createKey({
    usage: { symmetricEncryption: "aes_256_gcm" },
    unprotected: true,
    ...members,
    tags: [run, ...(members.tags ?? [])],
  });
  created.push(key.id);
  return key;
}

const base64 = (text) => Buffer.from(text).toString("base64");
const text = (data) => Buffer.from(data, "base64").toString();

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
  for (const keyId of created) {
    await api.unprotectKey({ keyId }).catch(() => {});
    await api.deleteKey({ keyId }).catch(() => {});
  }
});

describe("keys", () => {
  test("a new key has every member", async () => {
    const { createdAt, updatedAt, rotatedAt, id, ...rest } = await newKey({ unprotected: false });
    assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    isNow(createdAt);
    assert.deepEqual(updatedAt, rotatedAt);
    assert.deepEqual(rest, {
      deletionRequestedAt: undefined,
      description: null,
      locked: false,
      name: "",
      origin: "scaleway_kms",
      projectId,
      protected: true,
      region,
      rotationCount: 1,
      rotationPolicy: undefined,
      state: "enabled",
      tags: [run],
      usage: {
        asymmetricEncryption: undefined,
        asymmetricSigning: undefined,
        symmetricEncryption: "aes_256_gcm",
      },
    });
  });

  test("a key is created with all it can be given, read back and updated", async () => {
    const nextRotationAt = new Date("2999-01-02T03:04:05.678Z");
    const key = await newKey({
      name: "full",
      description: "a description",
      tags: ["z"],
      origin: "scaleway_kms",
      rotationPolicy: { rotationPeriod: "2592000s", nextRotationAt },
    });
    assert.equal(key.name, "full");
    assert.equal(key.description, "a description");
    assert.deepEqual(key.tags, [run, "z"]);
    assert.deepEqual(key.rotationPolicy, { rotationPeriod: "2592000s", nextRotationAt });
    const keyId = key.id;
    assert.deepEqual(await api.getKey({ keyId }), key);
    const updated = await api.updateKey({
      keyId,
      name: "other",
      description: "other",
      tags: [run],
      rotationPolicy: { rotationPeriod: "86400s" },
    });
    assert.equal(updated.name, "other");
    assert.equal(updated.description, "other");
    assert.deepEqual(updated.tags, [run]);
    assert.equal(updated.rotationPolicy.rotationPeriod, "86400s");
    assert.ok(updated.rotationPolicy.nextRotationAt > updated.updatedAt);
    assert.deepEqual(await api.getKey({ keyId }), updated);
  });

  test("keys are listed, by page and all of them", async () => {
    const tag = randomUUID();
    const ids = [];
    for (const name of ["c", "a", "b"]) {
      ids.push((await newKey({ name, tags: [tag] })).id);
    }
    const filter = {
      projectId,
      organizationId: process.env.SCW_DEFAULT_ORGANIZATION_ID,
      scheduledForDeletion: false,
      tags: [run, tag],
      usage: "symmetric_encryption",
    };
    const page = await api.listKeys({ ...filter, orderBy: "name_desc", page: 1, pageSize: 2 });
    assert.deepEqual(page.keys.map((key) => key.name), ["c", "b"]);
    assert.equal(page.totalCount, 3);
    const all = await api.listKeys({ ...filter, orderBy: "created_at_asc", pageSize: 2 }).all();
    assert.deepEqual(all.map((key) => key.id), ids);
    const named = await api.listKeys({ ...filter, name: "a" });
    assert.deepEqual(named.keys.map((key) => key.id), [ids[1]]);
  });

  test("protection, state and deletion", async () => {
    const { id: keyId } = await newKey();
    assert.equal((await api.protectKey({ keyId })).protected, true);
    const refused = await refusal(api.deleteKey({ keyId }), Errors.PreconditionFailedError, 412);
    assert.equal(refused.precondition, "protected_resource");
    assert.equal((await api.unprotectKey({ keyId })).protected, false);
    assert.equal((await api.disableKey({ keyId })).state, "disabled");
    const unusable = await refusal(
      api.encrypt({ keyId, plaintext: base64("text") }),
      Errors.PreconditionFailedError,
      412,
    );
    assert.equal(unusable.precondition, "resource_not_usable");
    assert.equal((await api.enableKey({ keyId })).state, "enabled");
    await api.deleteKey({ keyId });
    const deleted = await api.getKey({ keyId });
    assert.equal(deleted.state, "scheduled_for_deletion");
    isNow(deleted.deletionRequestedAt);
    assert.equal((await api.restoreKey({ keyId })).state, "enabled");
  });
});

describe("ciphers", () => {
  test("what was encrypted is decrypted", async () => {
    const { id: keyId } = await newKey();
    const associatedData = base64("place");
    const encrypted = await api.encrypt({ keyId, plaintext: base64("text"), associatedData });
    assert.equal(encrypted.keyId, keyId);
    assert.equal(Buffer.from(encrypted.ciphertext, "base64").length, 4 + 33);
    const { ciphertext } = encrypted;
    assert.deepEqual(await api.decrypt({ keyId, ciphertext, associatedData }), {
      ciphertext: null,
      keyId,
      plaintext: base64("text"),
    });
    const error = await refusal(api.decrypt({ keyId, ciphertext }), Errors.InvalidArgumentsError, 400);
    assert.deepEqual(error.details, [
      {
        argumentName: "ciphertext",
        helpMessage: "cipher: message authentication failed",
        reason: "constraint",
      },
    ]);
  });

  test("after a rotation the ciphertext comes again under the newest", async () => {
    const { id: keyId } = await newKey();
    const { ciphertext } = await api.encrypt({ keyId, plaintext: base64("text") });
    assert.equal((await api.rotateKey({ keyId })).rotationCount, 2);
    const decrypted = await api.decrypt({ keyId, ciphertext });
    assert.equal(text(decrypted.plaintext), "text");
    const again = await api.decrypt({ keyId, ciphertext: decrypted.ciphertext });
    assert.equal(text(again.plaintext), "text");
    assert.equal(again.ciphertext, null);
  });

  test("a data key encrypts elsewhere", async () => {
    const { id: keyId } = await newKey();
    const made = await api.generateDataKey({ keyId, algorithm: "aes_256_gcm", withoutPlaintext: false });
    assert.equal(made.keyId, keyId);
    assert.equal(made.algorithm, "aes_256_gcm");
    isNow(made.createdAt);
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", Buffer.from(made.plaintext, "base64"), iv);
    const sealed = Buffer.concat([cipher.update("a file"), cipher.final()]);
    const { plaintext } = await api.decrypt({ keyId, ciphertext: made.ciphertext });
    const opener = createDecipheriv("aes-256-gcm", Buffer.from(plaintext, "base64"), iv);
    opener.setAuthTag(cipher.getAuthTag());
    assert.equal(Buffer.concat([opener.update(sealed), opener.final()]).toString(), "a file");
    const without = await api.generateDataKey({ keyId, algorithm: "aes_256_gcm", withoutPlaintext: true });
    assert.equal(without.plaintext, null);
  });

  test("algorithms", async () => {
    const found = [{ name: "aes_256_gcm", recommended: true, usage: "symmetric_encryption" }];
    assert.deepEqual((await api.listAlgorithms()).algorithms, found);
    const usages = ["asymmetric_signing", "asymmetric_encryption"];
    assert.deepEqual((await api.listAlgorithms({ usages })).algorithms, []);
  });
});

describe("refusals", () => {
  test("not found", async () => {
    const keyId = randomUUID();
    const error = await refusal(api.getKey({ keyId }), Errors.ResourceNotFoundError, 404);
    assert.equal(error.resource, "key");
    assert.equal(error.resourceId, keyId);
  });

  test("keys that are not symmetric", async () => {
    const usage = { asymmetricSigning: "ec_p256_sha256" };
    const error = await refusal(newKey({ usage }), Errors.InvalidArgumentsError, 400);
    assert.equal(error.details[0].argumentName, "usage");
    assert.equal(error.details[0].reason, "constraint");
  });

  test("what only other keys can do is not there", async () => {
    const { id: keyId } = await newKey();
    for (const call of [
      api.getPublicKey({ keyId }),
      api.sign({ keyId, digest: base64("digest") }),
      api.verify({ keyId, digest: base64("digest"), signature: base64("signature") }),
      api.importKeyMaterial({ keyId, keyMaterial: base64("material") }),
      api.deleteKeyMaterial({ keyId }),
    ]) {
      await refusal(call, Errors.ResourceNotFoundError, 404);
    }
  });

  test("authentication", async () => {
    const stranger = apiWith({ secretKey: randomUUID() });
    await refusal(stranger.listAlgorithms(), Errors.DeniedAuthenticationError, 401);
  });
});

test("no method of the API was left out", () => {
  const source = readFileSync(new URL(import.meta.url), "utf8");
  const methods = Object.keys(api).filter((name) => typeof api[name] === "function");
  assert.equal(methods.length, 21);
  assert.deepEqual(
    methods.filter((name) => !source.includes(`api.${name}(`) && name !== "pageOfListKeys"),
    [],
  );
});

// doc/clients.md names the versions that npm installs together.
test("one client serves the SDK of secrets, too", async () => {
  const client = clientWith({});
  const key = await newKey();
  const secrets = new Secretv1beta1.API(client);
  const secret = await secrets.createSecret({ name: run, protected: false, tags: [run], keyId: key.id });
  await secrets.createSecretVersion({ secretId: secret.id, data: base64("hunter2") });
  const { data } = await secrets.accessSecretVersion({ secretId: secret.id, revision: "latest" });
  assert.equal(text(data), "hunter2");
  assert.equal((await new KeyManagerv1alpha1.API(client).getKey({ keyId: key.id })).id, key.id);
  await secrets.deleteSecret({ secretId: secret.id });
});
