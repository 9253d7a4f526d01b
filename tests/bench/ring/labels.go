package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/rig"
)

const (
	labelled  = 10000
	unrelated = 10000
)

// What a labelling webhook is said to cost each create.
const webhook = "published, by a webhook: p99 87 ms instead of 24.5"

const configMaps = "\n" + `
  - group: samplecontroller.k8s.io
    resource: foos
    owns: [{resource: configmaps}]
`

const configMapRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-configmaps}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ringside-configmaps}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ringside-configmaps}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}]
`

// measureLabels has Foos and ConfigMaps that are there before the ring: Foos are
// labelled, and the ConfigMaps, which are none of the ring's, change all the time.
func measureLabels(b *bench) error {
	if err := b.cluster.Apply(b.ctx, configMapRights); err != nil {
		return err
	}
	if err := b.newRing("labels", 1, func(r *rig.Ring) { r.Resources = configMaps }); err != nil {
		return err
	}
	if err := rig.CreateFoos(b.ctx, b.cluster.Dynamic, b.ring.Namespace, labelled); err != nil {
		return err
	}
	if err := b.firstPass(); err != nil {
		return err
	}
	if err := b.createUnrelated(); err != nil {
		return err
	}
	// Whom these name is looked up now, once.
	if _, err := b.waitUnrelated(0); err != nil {
		return err
	}
	for round := range *rounds {
		if err := b.changeUnrelated(round); err != nil {
			return err
		}
	}
	name := fmt.Sprintf("%d unrelated: ", unrelated)
	b.results.add(name+"memory of the coordinator, MiB", 64, "", b.members["a"].heldMiB())
	return b.createInFlight()
}

// firstPass starts a member and waits until it has labelled all Foos.
func (b *bench) firstPass() error {
	mark, err := b.mark()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.start("a"); err != nil {
		return err
	}
	missing := metav1.ListOptions{LabelSelector: "!" + b.ring.Label(), Limit: 1}
	err = rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		list, err := b.cluster.Metadata.Resource(rig.Foos).List(ctx, missing)
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%s is not labelled", list.Items[0].Name)
		}
		return err
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := b.waitActive("a"); err != nil {
		return err
	}
	events, err := mark.events()
	if err != nil {
		return err
	}
	requests := 0
	for _, event := range events {
		if event.User.Name == rig.MemberUser("a") && event.Object.Resource == "foos" {
			requests++
		}
	}
	name := fmt.Sprintf("first pass over %d: ", labelled)
	b.results.add(name+"until all are labelled, ms", 30000, fmt.Sprintf("%.0f a second", labelled/took.Seconds()), ms(took))
	b.results.add(name+"CPU for each, us", 300, "", us(b.members["a"].cpu(), labelled))
	b.results.add(name+"requests for each", 1.1, "", float64(requests)/labelled)
	return nil
}

func us(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(max(n, 1)) }

func unrelatedName(i int) string { return fmt.Sprintf("unrelated-%05d", i) }

// createUnrelated makes ConfigMaps without an owner, with one of another kind, and,
// one in ten, with a Foo that does not exist.
func (b *bench) createUnrelated() error {
	maps := b.cluster.Kube.CoreV1().ConfigMaps(b.ring.Namespace)
	return rig.InParallel(b.ctx, unrelated, func(ctx context.Context, i int) error {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: unrelatedName(i)}}
		reference := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: "n", UID: "n"}
		if i%10 == 0 {
			reference.APIVersion, reference.Kind = rig.Foos.GroupVersion().String(), "Foo"
			reference.Name, reference.UID = "gone", types.UID(strconv.Itoa(i))
		}
		if i%3 > 0 || i%10 == 0 {
			object.OwnerReferences = []metav1.OwnerReference{reference}
		}
		_, err := maps.Create(ctx, object, metav1.CreateOptions{})
		return err
	})
}

// waitUnrelated waits until the coordinator has seen so many events of them, or for
// a second nothing.
func (b *bench) waitUnrelated(least float64) (float64, error) {
	seen, at := -1.0, time.Now()
	err := rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		now, err := b.members["a"].metric(ctx, "ringside_unrelated_objects_total")
		if err != nil {
			return err
		}
		if now != seen {
			seen, at = now, time.Now()
		}
		if seen < least || time.Since(at) < time.Second {
			return fmt.Errorf("%.0f events were seen", seen)
		}
		return nil
	})
	return seen, err
}

// changeUnrelated changes each of them once.
func (b *bench) changeUnrelated(round int) error {
	m := b.members["a"]
	before, err := b.waitUnrelated(0)
	if err != nil {
		return err
	}
	mark, err := b.mark()
	if err != nil {
		return err
	}
	began, idle := time.Now(), m.cpu()
	patch := fmt.Appendf(nil, `{"data":{"round":"%d"}}`, round)
	maps := b.cluster.Kube.CoreV1().ConfigMaps(b.ring.Namespace)
	err = rig.InParallel(b.ctx, unrelated, func(ctx context.Context, i int) error {
		_, err := maps.Patch(ctx, unrelatedName(i), types.MergePatchType, patch, metav1.PatchOptions{})
		return err
	})
	if err != nil {
		return err
	}
	after, err := b.waitUnrelated(before + unrelated)
	if err != nil {
		return err
	}
	cpu, took := m.cpu()-idle, time.Since(began)
	events, err := mark.events()
	if err != nil {
		return err
	}
	requests := 0
	for _, event := range events {
		// Not its Leases, which it renews, and not a watch that was opened anew.
		if event.User.Name == rig.MemberUser("a") && event.Verb != "watch" &&
			(event.Object.Resource == "foos" || strings.HasPrefix(event.Object.Name, "unrelated-")) {
			requests++
		}
	}
	name := fmt.Sprintf("%d unrelated: ", unrelated)
	b.results.add(name+"CPU of the coordinator for an event, us", 100,
		fmt.Sprintf("%.0f events a second", unrelated/took.Seconds()), us(cpu, int(after-before)))
	b.results.add(name+"requests for 10000 events", 0, "", float64(requests))
	return nil
}

// createInFlight creates Foos directly and through the member, one at a time, in
// turn: what the label costs who waits for it.
func (b *bench) createInFlight() error {
	through, err := b.members["a"].Clients(controlplane.Admin)
	if err != nil {
		return err
	}
	clients := map[string]*rig.Clients{"directly": b.cluster.Clients, "in flight": through}
	took := map[string][]time.Duration{}
	for i := range 500 {
		for way, c := range clients {
			foo := rig.NewFoo(b.ring.Namespace, fmt.Sprintf("new-%d-%d", i, len(way)))
			began := time.Now()
			made, err := c.Dynamic.Resource(rig.Foos).Namespace(b.ring.Namespace).
				Create(b.ctx, foo, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			took[way] = append(took[way], time.Since(began))
			if isLabelled := made.GetLabels()[b.ring.Label()] != ""; isLabelled != (way == "in flight") {
				return fmt.Errorf("a Foo that was created %s has labels %v", way, made.GetLabels())
			}
		}
	}
	p50, p99 := percentile(took["in flight"], 50), percentile(took["in flight"], 99)
	b.results.add("create, labelled in flight: p50 more than directly, ms", 5, webhook, p50-percentile(took["directly"], 50))
	b.results.add("create, labelled in flight: p99, ms", 87, webhook, p99)
	return nil
}
