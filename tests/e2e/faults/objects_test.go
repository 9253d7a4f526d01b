package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
)

// waitLog waits until the member has logged a line with all of these in it.
func waitLog(t *testing.T, member *harness.Member, parts ...string) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("member %s logs %q", member.ID, parts), func(context.Context) error {
		for line := range strings.SplitSeq(member.Process.Output(), "\n") {
			if containsAll(line, parts) {
				return nil
			}
		}
		return errors.New("there is no such line")
	})
}

func containsAll(line string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(line, part) {
			return false
		}
	}
	return true
}

// A Lease that bears our name and is somebody else's stays as it is, and the log
// says what to do. Where it goes away, the ring goes on.
func TestAForeignLeaseWithOurNameIsLeftAlone(t *testing.T) {
	for what, suffix := range map[string]string{"a member's": ".a", "the coordinator's": ""} {
		t.Run(what, func(t *testing.T) {
			ring := harness.NewRing(t, "lease"+strings.TrimPrefix(suffix, "."), 1, nil)
			leases := harness.Cluster().Kube.CoordinationV1().Leases(ring.Namespace)
			holder, seconds := "somebody", int32(30)
			lease := harness.Must1(leases.Create(t.Context(), &coordinationv1.Lease{
				ObjectMeta: metav1.ObjectMeta{Name: ring.Name + suffix},
				Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds},
			}, metav1.CreateOptions{}))(t)
			ring.Start("a")
			member := ring.Members["a"]
			waitLog(t, member, "level=error", "lease="+lease.Name, "somebody")
			now := harness.Must1(leases.Get(t.Context(), lease.Name, metav1.GetOptions{}))(t)
			if now.ResourceVersion != lease.ResourceVersion {
				t.Errorf("it was written: %v", now)
			}
			if err := member.Ready(t.Context()); err == nil {
				t.Error("the member says that it is ready")
			}
			harness.Must(t, leases.Delete(t.Context(), lease.Name, metav1.DeleteOptions{}))
			ring.WaitActive("a")
		})
	}
}

// What the assignment says survives whatever outsiders do to the ConfigMap: no
// bucket changes its owner, and it is written anew.
func TestTheAssignmentIsWrittenAnew(t *testing.T) {
	ring := harness.NewRing(t, "assignment", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	seen := map[string]map[string]bool{}
	for id, member := range ring.Members {
		seen[id] = member.Seen(t)
	}
	configMaps := harness.Cluster().Kube.CoreV1().ConfigMaps(ring.Namespace)
	name := ring.Name + "-assignment"
	read := func() *corev1.ConfigMap {
		return harness.Must1(configMaps.Get(t.Context(), name, metav1.GetOptions{}))(t)
	}
	former := read()
	damage := map[string]func() error{
		"deleted": func() error { return configMaps.Delete(t.Context(), name, metav1.DeleteOptions{}) },
		"emptied": func() error { return write(t, ring, func(data map[string]string) { clear(data) }) },
		"truncated": func() error {
			return write(t, ring, func(data map[string]string) {
				for key, value := range data {
					data[key] = value[:len(value)/2]
				}
			})
		},
		"garbage": func() error {
			return write(t, ring, func(data map[string]string) {
				for key := range data {
					data[key] = "\u2603 [{\"x\":"
				}
			})
		},
		"an old one": func() error {
			return write(t, ring, func(data map[string]string) {
				clear(data)
				maps.Copy(data, former.Data)
				data["epoch"] = "1"
			})
		},
	}
	for what, do := range damage {
		t.Run(what, func(t *testing.T) {
			harness.Must(t, do())
			harness.Eventually(t, "it is written anew", func(ctx context.Context) error {
				now, err := ring.Assignment(ctx)
				if err == nil && (now.Epoch == "1" || !maps.Equal(now.Owner, before.Owner)) {
					err = fmt.Errorf("it says %v", now)
				}
				return err
			})
			ring.WaitActive("a", "b")
			for id, member := range ring.Members {
				if now := member.Seen(t); !maps.Equal(now, seen[id]) {
					t.Errorf("%s shows %d Foos, not the %d of before", id, len(now), len(seen[id]))
				}
			}
		})
	}
}

// write changes the assignment's data as the administrator.
func write(t *testing.T, ring *harness.Ring, change func(map[string]string)) error {
	configMaps := harness.Cluster().Kube.CoreV1().ConfigMaps(ring.Namespace)
	for {
		configMap, err := configMaps.Get(t.Context(), ring.Name+"-assignment", metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(configMap.Data)
		if _, err = configMaps.Update(t.Context(), configMap, metav1.UpdateOptions{}); err == nil {
			return nil
		}
		t.Logf("the coordinator was faster: %v", err)
	}
}
