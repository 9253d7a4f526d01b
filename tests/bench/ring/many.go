package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/e2e/rig"
	"ringside.dev/ringside/tests/e2e/wire"
)

// The small objects: nothing but metadata, in protobuf.
var small = corev1.SchemeGroupVersion.WithResource("serviceaccounts")

const smallRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: bench-small}
rules:
- {apiGroups: [""], resources: [serviceaccounts], verbs: [get, list, watch, create, update, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bench-small}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: bench-small}
subjects:
`

const many = 100 * 1024

// measureMany moves a hundred thousand small objects from one member to another and
// back.
func measureMany(b *bench) error {
	rights := smallRights
	for _, id := range []string{"a", "b"} {
		for _, user := range []string{rig.MemberUser(id), rig.ControllerUser(id)} {
			rights += fmt.Sprintf("- {apiGroup: rbac.authorization.k8s.io, kind: User, name: %s}\n", user)
		}
	}
	if err := b.cluster.Apply(b.ctx, rights); err != nil {
		return err
	}
	err := b.startTwo("many", func(r *rig.Ring) { r.Resources = "\n  - {group: \"\", resource: serviceaccounts}\n" })
	if err != nil {
		return err
	}
	moving, _, err := b.moving()
	if err != nil {
		return err
	}
	if err := b.createSmall(moving); err != nil {
		return err
	}
	b.resources = []schema.GroupVersionResource{small}
	for _, id := range []string{"a", "b"} {
		if err := b.members[id].startInformers(b.ctx, false, small); err != nil {
			return err
		}
	}
	// What the same objects cost an informer that sees them for the first time.
	began := time.Now()
	arrived, _, err := b.waitHeld("a", many)
	if err != nil {
		return err
	}
	b.results.add("100k small at an informer's start, ms", noTarget, "beside a move of them", ms(arrived.Sub(began)))
	for range min(*rounds, 2) { // they take long
		for shards := 2; shards > 0; shards-- {
			if err := b.moveMany(shards); err != nil {
				return err
			}
		}
	}
	for _, id := range []string{"a", "b"} {
		b.results.add("move of 100k small: most memory of a proxy, MiB", 64, "", b.members[id].peakMiB())
	}
	return nil
}

// cpus are what the proxies, the API server and the informers have used of 2 cores.
func (b *bench) cpus() (used [3]time.Duration) {
	for _, m := range b.members {
		used[0] += m.cpu()
	}
	used[1] = wire.CPUOf(b.cluster.API.Pid())
	used[2] = wire.CPUOf(os.Getpid())
	return used
}

func (b *bench) createSmall(places []int) error {
	accounts := b.cluster.Kube.CoreV1().ServiceAccounts(b.ring.Namespace)
	return rig.InParallel(b.ctx, many, func(ctx context.Context, i int) error {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("small-%06d", i),
			Labels: map[string]string{b.ring.Label(): fmt.Sprint(places[i%len(places)])},
		}}
		_, err := accounts.Create(ctx, account, metav1.CreateOptions{})
		return err
	})
}

// moveMany changes `shards` to 2 or 1, upon which all that there is goes from a to b or
// back.
func (b *bench) moveMany(shards int) error {
	giver, taker := "a", "b"
	if shards == 1 {
		giver, taker = "b", "a"
	}
	if _, _, err := b.waitHeld(giver, many); err != nil {
		return err
	}
	if _, _, err := b.waitHeld(taker, 0); err != nil {
		return err
	}
	if err := b.waitQuiet(); err != nil {
		return err
	}
	c, err := b.beginChange()
	if err != nil {
		return err
	}
	before := b.cpus()
	if err := b.ring.SetShards(shards); err != nil {
		return err
	}
	got, _, err := b.waitHeld(taker, many)
	if err != nil {
		return err
	}
	_, left, err := b.waitHeld(giver, 0)
	if err != nil {
		return err
	}
	cpus := b.cpus()
	o, err := b.endChange(c, "")
	if err != nil {
		return err
	}
	start := o.publications[0].After
	const name = "move of 100k small: "
	b.results.add(name+"from published until held, ms", 5000, "", ms(got.Sub(start)))
	b.results.add(name+"until the old owner holds none, ms", noTarget, "", ms(left.Sub(start)))
	for i, who := range []string{"both proxies", "the API server", "the informers"} {
		b.results.add(name+"CPU of "+who+", ms", noTarget, "", ms(cpus[i]-before[i]))
	}
	b.results.add(name+"object writes", 0, "", o.writes)
	b.results.add(name+"relists", 0, "", o.relists)
	return nil
}
