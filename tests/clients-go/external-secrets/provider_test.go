// Package externalsecrets does with the service that the environment names what
// the External Secrets Operator does with a store of kind Scaleway.
package externalsecrets

import (
	"context"
	"errors"
	"os"
	"testing"

	esv1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
	"github.com/external-secrets/external-secrets/apis/externalsecrets/v1alpha1"
	"github.com/external-secrets/external-secrets/pkg/provider/scaleway"
	corev1 "k8s.io/api/core/v1"
)

const (
	byName = "name:external"
	byPath = "path:/external/secrets/database"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newClient(t *testing.T, secretKey string) esv1.SecretsClient {
	t.Helper()
	store := &esv1.SecretStore{Spec: esv1.SecretStoreSpec{Provider: &esv1.SecretStoreProvider{
		Scaleway: &esv1.ScalewayProvider{
			APIURL:    os.Getenv("SCW_API_URL"),
			Region:    os.Getenv("SCW_DEFAULT_REGION"),
			ProjectID: os.Getenv("SCW_DEFAULT_PROJECT_ID"),
			AccessKey: &esv1.ScalewayProviderSecretRef{Value: os.Getenv("SCW_ACCESS_KEY")},
			SecretKey: &esv1.ScalewayProviderSecretRef{Value: secretKey},
		},
	}}}
	provider := &scaleway.Provider{}
	_, err := provider.ValidateStore(store)
	must(t, err)
	client, err := provider.NewClient(context.Background(), store, nil, "default")
	must(t, err)
	return client
}

func push(t *testing.T, client esv1.SecretsClient, key, value string) {
	t.Helper()
	must(t, client.PushSecret(context.Background(),
		&corev1.Secret{Data: map[string][]byte{"value": []byte(value)}},
		v1alpha1.PushSecretData{Match: v1alpha1.PushSecretMatch{
			SecretKey: "value", RemoteRef: v1alpha1.PushSecretRemoteRef{RemoteKey: key},
		}}))
}

func is(t *testing.T, client esv1.SecretsClient, ref esv1.ExternalSecretDataRemoteRef, wanted string) {
	t.Helper()
	value, err := client.GetSecret(context.Background(), ref)
	must(t, err)
	if string(value) != wanted {
		t.Errorf("%s: %q, not %q", ref.Key, value, wanted)
	}
}

func TestStoreIsReady(t *testing.T) {
	for secretKey, wanted := range map[string]esv1.ValidationResult{
		os.Getenv("SCW_SECRET_KEY"):            esv1.ValidationResultReady,
		"11111111-2222-4333-8444-555555555555": esv1.ValidationResultError,
	} {
		result, err := newClient(t, secretKey).Validate()
		must(t, err)
		if result != wanted {
			t.Errorf("the store is %v, not %v", result, wanted)
		}
	}
}

func TestSecretsArePushedAndRead(t *testing.T) {
	ctx := context.Background()
	client := newClient(t, os.Getenv("SCW_SECRET_KEY"))
	for _, key := range []string{byName, byPath} {
		_, err := client.GetSecret(ctx, esv1.ExternalSecretDataRemoteRef{Key: key})
		if !errors.Is(err, esv1.NoSecretError{}) {
			t.Errorf("%s before it is there: %v", key, err)
		}
		for _, value := range []string{"one", "one", `{"user":"root","password":"hunter2"}`} {
			push(t, client, key, value)
			is(t, client, esv1.ExternalSecretDataRemoteRef{Key: key}, value)
		}
		// What has not changed makes no version, and the one before is disabled.
		is(t, client, esv1.ExternalSecretDataRemoteRef{Key: key, Version: "2", Property: "user"}, "root")
		_, err = newClient(t, os.Getenv("SCW_SECRET_KEY")).GetSecret(ctx, esv1.ExternalSecretDataRemoteRef{Key: key, Version: "1"})
		if err == nil {
			t.Errorf("%s: the version before can be read", key)
		}
		members, err := client.GetSecretMap(ctx, esv1.ExternalSecretDataRemoteRef{Key: key})
		must(t, err)
		if len(members) != 2 || string(members["password"]) != "hunter2" {
			t.Errorf("%s: %d members", key, len(members))
		}
	}

	path := "/external/secrets"
	for find, wanted := range map[*esv1.ExternalSecretFind]int{
		{Name: &esv1.FindName{RegExp: "^(external|database)$"}}: 2,
		{Path: &path}: 1,
	} {
		all, err := client.GetAllSecrets(ctx, *find)
		must(t, err)
		if len(all) != wanted {
			t.Errorf("%d secrets are found, not %d", len(all), wanted)
		}
	}

	for _, key := range []string{byName, byPath} {
		must(t, client.DeleteSecret(ctx, v1alpha1.PushSecretRemoteRef{RemoteKey: key}))
		_, err := client.GetSecret(ctx, esv1.ExternalSecretDataRemoteRef{Key: key})
		if !errors.Is(err, esv1.NoSecretError{}) {
			t.Errorf("%s when it is deleted: %v", key, err)
		}
	}
}
