package controlplane

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestTheControlPlaneRunsAndTheAuditLogSaysWhoWrote(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	plane, err := Start(ctx, Options{Dir: t.TempDir(), Users: []User{{Name: "alice"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer plane.Stop()
	defer func() {
		if t.Failed() {
			t.Log(plane.Logs(20))
		}
	}()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	audit := plane.NewAuditReader()
	must(audit.Skip())
	must(plane.Apply(ctx, `
{apiVersion: v1, kind: ConfigMap, metadata: {name: first, namespace: default}}
`))
	alice, err := plane.API.Kubeconfig("alice")
	must(err)
	if _, err := plane.Kubectl(ctx, alice, "get", "configmap", "first"); err == nil {
		t.Error("RBAC let alice read")
	}
	second, err := plane.StartAPIServer(ctx)
	must(err)
	admin, err := second.Kubeconfig(Admin)
	must(err)
	_, err = plane.Kubectl(ctx, admin, "delete", "configmap", "first")
	must(err)

	events, err := audit.Next()
	must(err)
	var writes []string
	for _, event := range events {
		if event.IsWrite() && event.Key() == "default/first" {
			writes = append(writes, event.User.Name+" "+event.Verb)
		}
	}
	if want := []string{"admin create", "admin delete"}; !slices.Equal(writes, want) {
		t.Errorf("the audit log tells of %q, not of %q", writes, want)
	}

	revision, err := plane.Revision(ctx)
	must(err)
	must(plane.Compact(ctx, revision))
	plane.API.Kill()
	must(plane.API.Start(ctx))
}
