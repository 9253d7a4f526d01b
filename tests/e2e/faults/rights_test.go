package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// without removes verbs for a resource from a copy of the rules.
func without(rules []rbacv1.PolicyRule, resource string, verbs ...string) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, rule := range rules {
		rule := *rule.DeepCopy()
		if !slices.Contains(rule.Resources, resource) {
			out = append(out, rule)
			continue
		}
		for _, each := range rule.Resources {
			one := *rule.DeepCopy()
			one.Resources = []string{each}
			if each == resource {
				one.Verbs = slices.DeleteFunc(one.Verbs, func(verb string) bool { return slices.Contains(verbs, verb) })
			}
			out = append(out, one)
		}
	}
	return out
}

// waitForbidden waits until the API server, too, knows that member a may not.
func waitForbidden(t *testing.T, what authorizationv1.ResourceAttributes) {
	t.Helper()
	reviews := harness.Cluster().Kube.AuthorizationV1().SubjectAccessReviews()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: rig.MemberUser("a"), ResourceAttributes: &what,
	}}
	harness.Eventually(t, "the right is taken away", func(ctx context.Context) error {
		answer, err := reviews.Create(ctx, review, metav1.CreateOptions{})
		if err == nil && answer.Status.Allowed {
			err = fmt.Errorf("still allowed: %s", answer.Status.Reason)
		}
		return err
	})
}

func groupOf(rules []rbacv1.PolicyRule, resource string) int {
	return slices.IndexFunc(rules, func(rule rbacv1.PolicyRule) bool { return slices.Contains(rule.Resources, resource) })
}

// Each verb that the members' Role has is missing once: the log says what to add,
// and once it is there the ring goes on.
func TestTheLogSaysWhichRightIsMissing(t *testing.T) {
	rows := []struct {
		resource string
		verbs    []string
		log      string
	}{
		{"leases", []string{"get"}, "verbs=get"},
		{"leases", []string{"list", "watch"}, `verbs="list and watch"`},
		{"leases", []string{"create"}, "verbs=create"},
		{"leases", []string{"update"}, "verbs=update"},
		{"configmaps", []string{"get"}, "verbs=get"},
		{"configmaps", []string{"list", "watch"}, `verbs="list and watch"`},
		{"configmaps", []string{"create"}, "verbs=create"},
		{"configmaps", []string{"update"}, "verbs=update"},
	}
	type waiting struct {
		ring *harness.Ring
		full *rbacv1.Role
	}
	roles := harness.Cluster().Kube.RbacV1()
	var all []waiting
	for i, row := range rows {
		ring := harness.NewRing(t, fmt.Sprintf("right%d", i), 1, nil)
		role := harness.Must1(roles.Roles(ring.Namespace).Get(t.Context(), "ringside-foos", metav1.GetOptions{}))(t)
		all = append(all, waiting{ring, role.DeepCopy()})
		role.Rules = without(role.Rules, row.resource, row.verbs...)
		harness.Must1(roles.Roles(ring.Namespace).Update(t.Context(), role, metav1.UpdateOptions{}))(t)
		waitForbidden(t, authorizationv1.ResourceAttributes{Namespace: ring.Namespace,
			Group: role.Rules[groupOf(role.Rules, row.resource)].APIGroups[0], Resource: row.resource, Verb: row.verbs[0]})
		ring.StartWith("a", rig.MemberOptions{})
	}
	for i, row := range rows {
		member := all[i].ring.Members["a"]
		waitLog(t, member, "level=error", "the API server forbids what membership needs",
			row.log, "resource="+row.resource, "namespace="+all[i].ring.Namespace)
	}
	for _, each := range all {
		each.full.ResourceVersion = ""
		harness.Must1(roles.Roles(each.ring.Namespace).Update(t.Context(), each.full, metav1.UpdateOptions{}))(t)
	}
	for _, each := range all {
		each.ring.WaitActive("a")
	}
}

// restore gives the members their rights back, also after a test that failed.
func restore(t *testing.T, full *rbacv1.ClusterRole) {
	t.Helper()
	roles, ctx := harness.Cluster().Kube.RbacV1().ClusterRoles(), context.Background()
	role, err := roles.Get(ctx, full.Name, metav1.GetOptions{})
	if err == nil {
		role.Rules = full.Rules
		_, err = roles.Update(ctx, role, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Error(err)
	}
}

// The same for what the coordinator needs to label objects.
func TestTheLogSaysWhichRightOnTheResourcesIsMissing(t *testing.T) {
	roles := harness.Cluster().Kube.RbacV1().ClusterRoles()
	harness.NewRing(t, "on", 1, nil) // makes the role
	full := harness.Must1(roles.Get(t.Context(), "ringside-foos", metav1.GetOptions{}))(t)
	for _, row := range []struct{ verbs, log []string }{
		{[]string{"list", "watch"}, []string{"level=error", "resource=foos", "RBAC must allow", "list"}},
		{[]string{"patch"}, []string{"level=error", "resource=foos", "RBAC must allow", "patch"}},
		{[]string{"get"}, []string{"level=warn", "resource=deployments", "RBAC must allow", "get", "on foos"}},
	} {
		verbs := row.verbs
		t.Run(strings.Join(verbs, " and "), func(t *testing.T) {
			t.Cleanup(func() { restore(t, full) })
			ring := harness.NewRing(t, "on-"+verbs[0], 1, nil) // applies the whole role
			role := full.DeepCopy()
			role.ResourceVersion = ""
			role.Rules = without(full.Rules, "foos", verbs...)
			harness.Must1(roles.Update(t.Context(), role, metav1.UpdateOptions{}))(t)
			waitForbidden(t, authorizationv1.ResourceAttributes{
				Group: rig.Foos.Group, Resource: rig.Foos.Resource, Verb: verbs[0]})
			ring.Start("a")
			harness.Must(t, createFoos(t, ring, 3))
			child := rig.NewDeployment(ring.Namespace, "child", &ring.Foos()[0])
			harness.Must1(harness.Cluster().Kube.AppsV1().Deployments(ring.Namespace).
				Create(t.Context(), child, metav1.CreateOptions{}))(t)
			waitLog(t, ring.Members["a"], row.log...)
			restore(t, full)
			ring.WaitDeploymentsLabelled(1)
			ring.WaitLabelled(3)
			ring.WaitActive("a")
			if seen := ring.Members["a"].Seen(t); len(seen) != 3 {
				t.Errorf("the member shows %d Foos of 3", len(seen))
			}
		})
	}
}
