package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const builtinRBAC = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-builtin}
rules:
- {apiGroups: [apps], resources: [deployments, replicasets], verbs: [get, list, watch, patch]}
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch, patch]}
`

func binding(role, user string) string {
	return fmt.Sprintf(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[1]s-%[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[1]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[2]s}]
`, role, user)
}

// An unmodified kube-controller-manager runs three times. Each object has one
// controller, before and after one of them dies.
func TestKubernetesOwnControllers(t *testing.T) {
	const count = 24
	ring := harness.NewRing(t, "builtin", 3, func(r *rig.Ring) { r.Resources = rig.DeploymentResources })
	rbac := builtinRBAC
	for _, id := range []string{"a", "b", "c"} {
		rbac += binding("ringside-builtin", rig.MemberUser(id)) + binding("cluster-admin", rig.ControllerUser(id))
	}
	cluster := harness.Cluster()
	harness.Must(t, cluster.Apply(t.Context(), rbac))
	ring.Start("a", "b", "c")
	ring.WaitActive("a", "b", "c")
	reader := cluster.NewAuditReader()
	harness.Must(t, reader.Skip())
	for _, id := range []string{"a", "b", "c"} {
		kubeconfig := harness.Must1(ring.Members[id].Kubeconfig(rig.ControllerUser(id)))(t)
		ring.Members[id].Controller = harness.Must1(cluster.StartControllerManager("manager-"+id, kubeconfig,
			"deployment-controller,replicaset-controller"))(t)
	}
	deployments := cluster.Kube.AppsV1().Deployments(ring.Namespace)
	for i := range count {
		deployment := rig.NewDeployment(ring.Namespace, fmt.Sprintf("deployment-%02d", i), nil)
		harness.Must1(deployments.Create(t.Context(), deployment, metav1.CreateOptions{}))(t)
	}
	waitPods(t, ring, count, 1)
	checkOneCreator(t, ring, harness.Must1(reader.Next())(t), count)

	evictOne(t, ring)

	ring.Members["b"].Kill()
	scale := []byte(`{"spec":{"replicas":2}}`)
	for i := range count {
		harness.Must1(deployments.Patch(t.Context(), fmt.Sprintf("deployment-%02d", i), types.MergePatchType,
			scale, metav1.PatchOptions{}))(t)
	}
	waitPods(t, ring, count, 2)
}

// evictOne evicts a Pod, which is a subresource of it: its owner may, and nobody else.
func evictOne(t *testing.T, ring *harness.Ring) {
	t.Helper()
	pods := harness.Cluster().Kube.CoreV1().Pods(ring.Namespace)
	before := harness.Must1(pods.List(t.Context(), metav1.ListOptions{}))(t)
	pod := &before.Items[0]
	owner := ring.OwnerOf(harness.Must1(ring.Assignment(t.Context()))(t), pod)
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: ring.Namespace, Name: pod.Name}}
	for id, member := range ring.Members {
		if id == owner {
			continue
		}
		err := member.AsAdmin().Kube.PolicyV1().Evictions(ring.Namespace).Evict(t.Context(), eviction)
		if !apierrors.IsConflict(err) {
			t.Errorf("%s may evict a Pod of %s: %v", id, owner, err)
		}
	}
	harness.Must(t, ring.Members[owner].AsAdmin().Kube.PolicyV1().Evictions(ring.Namespace).Evict(t.Context(), eviction))
	harness.Eventually(t, "there is another Pod in its place", func(ctx context.Context) error {
		now, err := pods.List(ctx, metav1.ListOptions{})
		if err == nil && (len(now.Items) != len(before.Items) ||
			slices.ContainsFunc(now.Items, func(each corev1.Pod) bool { return each.UID == pod.UID })) {
			err = fmt.Errorf("%d Pods", len(now.Items))
		}
		return err
	})
}

// waitPods waits until every Deployment says that it has so many Pods, and checks
// that there are no others.
func waitPods(t *testing.T, ring *harness.Ring, deployments, replicas int) {
	t.Helper()
	kube := harness.Cluster().Kube
	harness.Within(t, 2*time.Minute, "every Deployment has its Pods", func(ctx context.Context) error {
		list, err := kube.AppsV1().Deployments(ring.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, deployment := range list.Items {
			if int(deployment.Status.UpdatedReplicas) != replicas {
				return fmt.Errorf("%s says %d", deployment.Name, deployment.Status.UpdatedReplicas)
			}
		}
		return nil
	})
	sets := harness.Must1(kube.AppsV1().ReplicaSets(ring.Namespace).List(t.Context(), metav1.ListOptions{}))(t)
	pods := harness.Must1(kube.CoreV1().Pods(ring.Namespace).List(t.Context(), metav1.ListOptions{}))(t)
	if len(sets.Items) != deployments || len(pods.Items) != deployments*replicas {
		t.Errorf("%d ReplicaSets and %d Pods, not %d and %d", len(sets.Items), len(pods.Items), deployments, deployments*replicas)
	}
	for _, pod := range pods.Items {
		if pod.Labels[ring.Label()] == "" {
			t.Errorf("%s has no bucket", pod.Name)
		}
	}
}

// checkOneCreator checks that a Deployment's ReplicaSet and its Pods were created by
// the controller behind the Deployment's owner.
func checkOneCreator(t *testing.T, ring *harness.Ring, events []controlplane.Event, count int) {
	t.Helper()
	assignment := harness.Must1(ring.Assignment(t.Context()))(t)
	sets := harness.Must1(harness.Cluster().Kube.AppsV1().ReplicaSets(ring.Namespace).List(t.Context(), metav1.ListOptions{}))(t)
	owners := map[string]string{}
	for i := range sets.Items {
		owners[sets.Items[i].Name] = rig.ControllerUser(ring.OwnerOf(assignment, &sets.Items[i]))
	}
	created := map[string]int{}
	for _, event := range events {
		if event.Verb != "create" || event.Object.Namespace != ring.Namespace || event.Object.Resource != "replicasets" {
			continue
		}
		created[event.User.Name]++
		if owner := owners[event.Object.Name]; event.User.Name != owner {
			t.Errorf("the owner's controller is %q, but: %v", owner, &event)
		}
	}
	t.Logf("ReplicaSets by creator: %v", created)
	if len(created) != 3 || len(owners) != count {
		t.Errorf("%d ReplicaSets, created by %d controllers", len(owners), len(created))
	}
}
