package clients

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The invariant no_secrets: tokens, keys and bodies never reach a log, a metric or
// an error text. The member logs at its most talkative level here, while requests
// succeed, fail, are refused and are broken off.
func TestNoSecrets(t *testing.T) {
	const body, query, cookie = "body-49f1c3", "query-77aa21", "cookie-c0ffee"
	ring := harness.NewRing(t, "secrets", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	foo := ring.CreateFoos(20)[0]
	member := ring.Members["a"]

	eachListener(t, member, func(t *testing.T, raw *harness.Raw) {
		headers := []string{"Content-Type: " + harness.JSON, "Cookie: session=" + cookie}
		secret := fmt.Sprintf(`{"metadata":{"generateName":"s-"},"stringData":{"password":%q}}`, body)
		secretsPath := "/api/v1/namespaces/" + ring.Namespace + "/secrets"
		if answer := raw.Do(http.MethodPost, secretsPath, secret, headers...); answer.StatusCode != http.StatusCreated {
			t.Errorf("a Secret was not created: %s", answer.Data)
		}
		raw.Do(http.MethodGet, secretsPath+"?access_token="+query, "", headers...)
		raw.Do(http.MethodPost, secretsPath, `{"broken":"`+body, headers...)
		path := foosPath + "/namespaces/" + ring.Namespace + "/foos"
		raw.Do(http.MethodPut, path+"/"+foo.GetName(), `{"spec":{"deploymentName":"`+body+`"}}`, headers...)
		raw.Do(http.MethodPatch, path+"/"+foo.GetName(), `{"spec":{"deploymentName":"`+body+`"}}`,
			"Content-Type: application/merge-patch+json")
		raw.Do(http.MethodPost, path, `{"spec":`+body, headers...)
		raw.Do(http.MethodGet, path, "", "Authorization: Bearer "+body)
		raw.Do(http.MethodGet, path, "", "Authorization: Basic "+body)
		breakOff(t, raw, foosPath+"/foos?watch=true", cookie)
	})

	var seen strings.Builder
	for _, page := range []string{"/metrics", "/ring", "/healthz", "/readyz"} {
		seen.Write(harness.Must1(member.AdminGet(t.Context(), page))(t))
	}
	for _, m := range ring.Members {
		m.Terminate()
		seen.WriteString(m.Process.Output())
	}
	secrets := []string{body, query, cookie, "PRIVATE KEY"}
	cluster := harness.Cluster()
	for _, user := range []string{controlplane.Admin, rig.MemberUser("a"), rig.MemberUser("b")} {
		secrets = append(secrets, cluster.Token(user))
	}
	for _, secret := range secrets {
		if at := strings.Index(seen.String(), secret); at >= 0 {
			t.Errorf("%q is shown: %.300q", secret, seen.String()[max(0, at-150):])
		}
	}
	if !strings.Contains(seen.String(), "foos") {
		t.Error("the logs tell nothing at all: this test would not notice a secret")
	}
}

// breakOff opens a request and goes away before its end.
func breakOff(t *testing.T, raw *harness.Raw, path, cookie string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	response := raw.Open(ctx, http.MethodGet, path, "", "Cookie: session="+cookie)
	time.AfterFunc(10*time.Millisecond, cancel)
	harness.ReadAll(t, response)
}
