// Package sdk drives the service that the environment names with the SDK that
// scw, Terraform and External Secrets are made of.
package sdk

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"testing"
	"time"

	audit "github.com/scaleway/scaleway-sdk-go/api/audit_trail/v1alpha1"
	keys "github.com/scaleway/scaleway-sdk-go/api/key_manager/v1alpha1"
	secrets "github.com/scaleway/scaleway-sdk-go/api/secret/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

func client(t *testing.T, options ...scw.ClientOption) *scw.Client {
	t.Helper()
	made, err := scw.NewClient(append([]scw.ClientOption{scw.WithEnv()}, options...)...)
	must(t, err)
	return made
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got fails the test where a call has failed, and gives its answer.
func got[T any](answer T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return answer
	}
}

func same[T comparable](t *testing.T, what string, is, wanted T) {
	t.Helper()
	if is != wanted {
		t.Errorf("%s: %v, not %v", what, is, wanted)
	}
}

// refused fails the test unless the SDK knows the refusal by its type.
func refused[E error](t *testing.T, what string, err error) E {
	t.Helper()
	var wanted E
	if !errors.As(err, &wanted) {
		t.Fatalf("%s: %T (%v), not %T", what, err, err, wanted)
	}
	return wanted
}

func newSecret(t *testing.T, api *secrets.API, name string) *secrets.Secret {
	t.Helper()
	return got(api.CreateSecret(&secrets.CreateSecretRequest{Name: name, Path: scw.StringPtr("/go")}))(t)
}

func TestSecret(t *testing.T) {
	api := secrets.NewAPI(client(t))
	secret := newSecret(t, api, "secret")
	same(t, "path", secret.Path, "/go")
	same(t, "status", secret.Status, secrets.SecretStatusReady)
	same(t, "type", secret.Type, secrets.SecretTypeOpaque)

	secret = got(api.UpdateSecret(&secrets.UpdateSecretRequest{
		SecretID: secret.ID, Name: scw.StringPtr("renamed"), Tags: &[]string{"go"}, Description: scw.StringPtr("by the SDK"),
	}))(t)
	same(t, "name", secret.Name, "renamed")
	same(t, "description", *secret.Description, "by the SDK")
	same(t, "get", got(api.GetSecret(&secrets.GetSecretRequest{SecretID: secret.ID}))(t).Name, "renamed")
	same(t, "protect", got(api.ProtectSecret(&secrets.ProtectSecretRequest{SecretID: secret.ID}))(t).Protected, true)

	err := api.DeleteSecret(&secrets.DeleteSecretRequest{SecretID: secret.ID})
	refused[*scw.PreconditionFailedError](t, "deleting what is protected", err)
	same(t, "unprotect", got(api.UnprotectSecret(&secrets.UnprotectSecretRequest{SecretID: secret.ID}))(t).Protected, false)
	must(t, api.AddSecretOwner(&secrets.AddSecretOwnerRequest{SecretID: secret.ID, Product: secrets.ProductEdgeServices}))
	must(t, api.DeleteSecret(&secrets.DeleteSecretRequest{SecretID: secret.ID}))
	gone := got(api.ListSecrets(&secrets.ListSecretsRequest{Name: scw.StringPtr("renamed"), ScheduledForDeletion: true}))(t)
	same(t, "scheduled for deletion", gone.TotalCount, uint64(1))
	if got(api.RestoreSecret(&secrets.RestoreSecretRequest{SecretID: secret.ID}))(t).DeletionRequestedAt != nil {
		t.Error("a restored secret is to be deleted")
	}
}

func TestVersions(t *testing.T) {
	api := secrets.NewAPI(client(t))
	secret := newSecret(t, api, "versions")
	payload := []byte("correct horse battery staple")
	sum := crc32.ChecksumIEEE(payload)

	first := got(api.CreateSecretVersion(&secrets.CreateSecretVersionRequest{
		SecretID: secret.ID, Data: payload, DataCrc32: &sum,
	}))(t)
	same(t, "revision", first.Revision, 1)
	same(t, "latest", first.Latest, true)
	second := got(api.CreateSecretVersion(&secrets.CreateSecretVersionRequest{
		SecretID: secret.ID, Data: []byte{0, 1, 254, 255}, DisablePrevious: scw.BoolPtr(true),
	}))(t)
	same(t, "revision", second.Revision, 2)

	read := got(api.AccessSecretVersion(&secrets.AccessSecretVersionRequest{SecretID: secret.ID, Revision: "latest"}))(t)
	same(t, "payload", bytes.Equal(read.Data, []byte{0, 1, 254, 255}), true)
	_, err := api.AccessSecretVersion(&secrets.AccessSecretVersionRequest{SecretID: secret.ID, Revision: "1"})
	refused[*scw.PreconditionFailedError](t, "reading what is disabled", err)
	enabled := got(api.EnableSecretVersion(&secrets.EnableSecretVersionRequest{SecretID: secret.ID, Revision: "1"}))(t)
	same(t, "enable", enabled.Status, secrets.SecretVersionStatusEnabled)
	read = got(api.AccessSecretVersionByPath(&secrets.AccessSecretVersionByPathRequest{
		SecretPath: "/go", SecretName: "versions", Revision: "1",
	}))(t)
	same(t, "by path", string(read.Data), string(payload))
	same(t, "checksum", *read.DataCrc32, sum)

	disabled := got(api.DisableSecretVersion(&secrets.DisableSecretVersionRequest{SecretID: secret.ID, Revision: "2"}))(t)
	same(t, "disable", disabled.Status, secrets.SecretVersionStatusDisabled)
	read = got(api.AccessSecretVersion(&secrets.AccessSecretVersionRequest{SecretID: secret.ID, Revision: "latest_enabled"}))(t)
	same(t, "latest enabled", read.Revision, 1)
	same(t, "update", *got(api.UpdateSecretVersion(&secrets.UpdateSecretVersionRequest{
		SecretID: secret.ID, Revision: "1", Description: scw.StringPtr("first"),
	}))(t).Description, "first")
	same(t, "get", *got(api.GetSecretVersion(&secrets.GetSecretVersionRequest{
		SecretID: secret.ID, Revision: "1",
	}))(t).Description, "first")
	must(t, api.DeleteSecretVersion(&secrets.DeleteSecretVersionRequest{SecretID: secret.ID, Revision: "2"}))
	same(t, "restore", got(api.RestoreSecretVersion(&secrets.RestoreSecretVersionRequest{
		SecretID: secret.ID, Revision: "2",
	}))(t).DeletionRequestedAt == nil, true)
	same(t, "list", got(api.ListSecretVersions(&secrets.ListSecretVersionsRequest{
		SecretID: secret.ID, Status: []secrets.SecretVersionStatus{secrets.SecretVersionStatusEnabled},
	}))(t).TotalCount, uint64(1))
}

func TestEphemeralSecret(t *testing.T) {
	api := secrets.NewAPI(client(t))
	secret := got(api.CreateSecret(&secrets.CreateSecretRequest{
		Name: "once", Path: scw.StringPtr("/go"), Type: secrets.SecretTypeKeyValue,
		EphemeralPolicy: &secrets.EphemeralPolicy{
			TimeToLive:          scw.NewDurationFromTimeDuration(time.Hour),
			ExpiresOnceAccessed: scw.BoolPtr(true),
			Action:              secrets.EphemeralPolicyActionDisable,
		},
	}))(t)
	same(t, "lifetime", secret.EphemeralPolicy.TimeToLive.Seconds, int64(3600))
	version := got(api.CreateSecretVersion(&secrets.CreateSecretVersionRequest{
		SecretID: secret.ID, Data: []byte(`{"user":"root"}`),
	}))(t)
	same(t, "an end", version.EphemeralProperties.ExpiresAt.After(time.Now()), true)
	request := &secrets.AccessSecretVersionRequest{SecretID: secret.ID, Revision: "1"}
	same(t, "once", string(got(api.AccessSecretVersion(request))(t).Data), `{"user":"root"}`)
	_, err := api.AccessSecretVersion(request)
	refused[*scw.PreconditionFailedError](t, "reading it twice", err)
}

func TestLists(t *testing.T) {
	api := secrets.NewAPI(client(t))
	for i := range 7 {
		got(api.CreateSecret(&secrets.CreateSecretRequest{
			Name: fmt.Sprint("list-", i), Path: scw.StringPtr("/go/lists"), Tags: []string{"of-lists"},
		}))(t)
	}
	all := got(api.ListSecrets(&secrets.ListSecretsRequest{
		Path: scw.StringPtr("/go/lists"), PageSize: scw.Uint32Ptr(3), OrderBy: secrets.ListSecretsRequestOrderByNameDesc,
	}, scw.WithAllPages()))(t)
	same(t, "all pages", len(all.Secrets), 7)
	same(t, "order", all.Secrets[0].Name, "list-6")
	same(t, "tagged", got(api.ListSecrets(&secrets.ListSecretsRequest{Tags: []string{"of-lists"}}))(t).TotalCount, uint64(7))
	same(t, "browse", got(api.BrowseSecrets(&secrets.BrowseSecretsRequest{
		ProjectID: project(t), Prefix: "/go/lists",
	}))(t).TotalCount, uint64(7))
	same(t, "types", len(got(api.ListSecretTypes(&secrets.ListSecretTypesRequest{}))(t).Types) > 0, true)
	found := false
	for _, tag := range got(api.ListTags(&secrets.ListTagsRequest{}))(t).Tags {
		found = found || tag == "of-lists"
	}
	same(t, "the tag", found, true)
}

func project(t *testing.T) *string {
	t.Helper()
	id, set := client(t).GetDefaultProjectID()
	same(t, "a project", set, true)
	return &id
}

func TestKeys(t *testing.T) {
	api := keys.NewAPI(client(t))
	algorithm := keys.KeyAlgorithmSymmetricEncryptionAes256Gcm
	key := got(api.CreateKey(&keys.CreateKeyRequest{
		Name: scw.StringPtr("go"), Usage: &keys.KeyUsage{SymmetricEncryption: &algorithm}, Unprotected: true,
	}))(t)
	same(t, "state", key.State, keys.KeyStateEnabled)
	same(t, "get", got(api.GetKey(&keys.GetKeyRequest{KeyID: key.ID}))(t).Name, "go")

	bound := []byte("order-7")
	sealed := got(api.Encrypt(&keys.EncryptRequest{KeyID: key.ID, Plaintext: []byte("hunter2"), AssociatedData: &bound}))(t)
	same(t, "rotate", got(api.RotateKey(&keys.RotateKeyRequest{KeyID: key.ID}))(t).RotationCount, 2)
	opened := got(api.Decrypt(&keys.DecryptRequest{KeyID: key.ID, Ciphertext: sealed.Ciphertext, AssociatedData: &bound}))(t)
	same(t, "plaintext", string(opened.Plaintext), "hunter2")
	_, err := api.Decrypt(&keys.DecryptRequest{KeyID: key.ID, Ciphertext: sealed.Ciphertext})
	refused[*scw.InvalidArgumentsError](t, "decrypting without what it is bound to", err)
	data := got(api.GenerateDataKey(&keys.GenerateDataKeyRequest{KeyID: key.ID}))(t)
	same(t, "data key", len(*data.Plaintext), 32)

	same(t, "update", *got(api.UpdateKey(&keys.UpdateKeyRequest{
		KeyID: key.ID, Description: scw.StringPtr("by the SDK"),
	}))(t).Description, "by the SDK")
	same(t, "disable", got(api.DisableKey(&keys.DisableKeyRequest{KeyID: key.ID}))(t).State, keys.KeyStateDisabled)
	_, err = api.Encrypt(&keys.EncryptRequest{KeyID: key.ID, Plaintext: []byte("hunter2")})
	refused[*scw.PreconditionFailedError](t, "using a disabled key", err)
	same(t, "enable", got(api.EnableKey(&keys.EnableKeyRequest{KeyID: key.ID}))(t).State, keys.KeyStateEnabled)
	same(t, "protect", got(api.ProtectKey(&keys.ProtectKeyRequest{KeyID: key.ID}))(t).Protected, true)
	err = api.DeleteKey(&keys.DeleteKeyRequest{KeyID: key.ID})
	refused[*scw.PreconditionFailedError](t, "deleting what is protected", err)
	same(t, "unprotect", got(api.UnprotectKey(&keys.UnprotectKeyRequest{KeyID: key.ID}))(t).Protected, false)
	must(t, api.DeleteKey(&keys.DeleteKeyRequest{KeyID: key.ID}))
	same(t, "restore", got(api.RestoreKey(&keys.RestoreKeyRequest{KeyID: key.ID}))(t).State, keys.KeyStateEnabled)
	same(t, "list", got(api.ListKeys(&keys.ListKeysRequest{Name: scw.StringPtr("go")}))(t).TotalCount, uint64(1))
	same(t, "algorithms", len(got(api.ListAlgorithms(&keys.ListAlgorithmsRequest{
		Usages: []keys.ListAlgorithmsRequestUsage{keys.ListAlgorithmsRequestUsageSymmetricEncryption},
	}))(t).Algorithms) > 0, true)
}

func TestAuditTrail(t *testing.T) {
	secret := newSecret(t, secrets.NewAPI(client(t)), "audited")
	events := got(audit.NewAPI(client(t)).ListEvents(&audit.ListEventsRequest{ResourceID: &secret.ID}))(t).Events
	same(t, "events", len(events), 1)
	same(t, "method", events[0].MethodName, "CreateSecret")
}

func TestRefusals(t *testing.T) {
	api := secrets.NewAPI(client(t))
	const unknown = "11111111-2222-4333-8444-555555555555"
	_, err := api.GetSecret(&secrets.GetSecretRequest{SecretID: unknown})
	same(t, "what is not found", refused[*scw.ResourceNotFoundError](t, "not found", err).ResourceID, unknown)
	_, err = api.CreateSecret(&secrets.CreateSecretRequest{Name: "no/name"})
	same(t, "what is invalid", refused[*scw.InvalidArgumentsError](t, "invalid", err).Details[0].ArgumentName, "name")
	_, err = secrets.NewAPI(client(t, scw.WithAuth(os.Getenv("SCW_ACCESS_KEY"), unknown))).GetSecret(
		&secrets.GetSecretRequest{SecretID: unknown})
	refused[*scw.DeniedAuthenticationError](t, "a key that nobody has", err)
}
