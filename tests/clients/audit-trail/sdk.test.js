// Coffer's audit through the JavaScript SDK of the Audit Trail API, against the service that SCW_API_URL names; the key
// has to be one that may read it. COFFER_SECRET_ID is a secret whose first version was read once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditTrailv1alpha1 } from "@scaleway/sdk-audit-trail";
import { createClient, Errors } from "@scaleway/sdk-client";

const secretId = process.env.COFFER_SECRET_ID;
const organizationId = process.env.SCW_DEFAULT_ORGANIZATION_ID;

const apiWith = (settings) =>
  new AuditTrailv1alpha1.API(
    createClient({
      accessKey: process.env.SCW_ACCESS_KEY,
      secretKey: process.env.SCW_SECRET_KEY,
      apiURL: process.env.SCW_API_URL,
      defaultOrganizationId: organizationId,
      defaultProjectId: process.env.SCW_DEFAULT_PROJECT_ID,
      defaultRegion: process.env.SCW_DEFAULT_REGION,
      ...settings,
    }),
  );

const api = apiWith({});
const methods = (page) => page.events.map((event) => event.methodName);

test("an event has every member", async () => {
  const { events, nextPageToken } = await api.listEvents({ resourceId: secretId, methodName: "AccessSecretVersion" });
  assert.equal(nextPageToken, null);
  assert.equal(events.length, 1);
  const { id, recordedAt, requestId, principal, resources, ...rest } = events[0];
  for (const uuid of [id, requestId, principal.id]) {
    assert.match(uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
  assert.ok(recordedAt instanceof Date && Math.abs(Date.now() - recordedAt) < 3_600_000);
  assert.deepEqual(rest, {
    locality: process.env.SCW_DEFAULT_REGION,
    methodName: "AccessSecretVersion",
    organizationId,
    productName: "secret-manager",
    projectId: process.env.SCW_DEFAULT_PROJECT_ID,
    requestBody: { secret_id: secretId, revision: "1" },
    serviceName: "scaleway.secret_manager.v1beta1.Api",
    sourceIp: "127.0.0.1",
    statusCode: 200,
    userAgent: "",
  });
  assert.equal(resources.length, 1);
  assert.equal(resources[0].id, secretId);
  assert.equal(resources[0].type, "secret_manager_version");
  assert.equal(resources[0].name, "read");
  assert.deepEqual(resources[0].secretManagerVersionInfo, { revision: 1 });
});

test("events come in both orders, a page at a time, and by each filter", async () => {
  const all = { resourceId: secretId, orderBy: "recorded_at_asc" };
  const expected = ["CreateSecret", "CreateSecretVersion", "AccessSecretVersion"];
  assert.deepEqual(methods(await api.listEvents(all)), expected);
  assert.deepEqual(methods(await api.listEvents({ resourceId: secretId })), expected.toReversed());

  const walked = [];
  for (let pageToken; pageToken !== null; ) {
    const page = await api.listEvents({ ...all, pageSize: 1, pageToken });
    assert.equal(page.events.length, 1);
    walked.push(...methods(page));
    pageToken = page.nextPageToken;
  }
  assert.deepEqual(walked, expected);

  for (const [filter, found] of [
    [{ resourceType: "secret_manager_secret" }, ["CreateSecret"]],
    [{ resourceType: "secm_secret" }, ["CreateSecret"]],
    [{ resourceType: "kube_cluster" }, []],
    [{ resourceId: "none" }, []],
    [{ methodName: "CreateSecretVersion" }, ["CreateSecretVersion"]],
    [{ status: 403 }, []],
    [{ recordedBefore: new Date(Date.now() - 3_600_000), recordedAfter: new Date(0) }, []],
    [{ recordedAfter: new Date(Date.now() - 3_600_000) }, expected],
    [{ productName: "secret-manager" }, expected],
    [{ serviceName: "scaleway.secret_manager.v1beta1.Api" }, expected],
    [{ principalId: organizationId }, []],
    [{ projectId: process.env.SCW_DEFAULT_PROJECT_ID }, expected],
    [{ sourceIp: "192.0.2.1" }, []],
  ]) {
    assert.deepEqual(methods(await api.listEvents({ ...all, ...filter })), found, JSON.stringify(filter));
  }
});

test("refusals", async () => {
  const stranger = apiWith({ accessKey: process.env.COFFER_STRANGER_ACCESS_KEY, secretKey: process.env.COFFER_STRANGER_SECRET_KEY });
  await assert.rejects(stranger.listEvents({}), Errors.PermissionsDeniedError);
  await assert.rejects(api.listEvents({ sourceIp: "none" }), Errors.InvalidArgumentsError);
});
