package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/frameworks"
	"ringside.dev/ringside/tests/e2e/rig"
)

// worker is a controller whose writes are counted, and what the fence looks up for them.
type worker struct {
	name      string
	resources string
	kinds     []string // that are sharded
	main      schema.GroupVersionResource
	start     func(*bench) (*process.Process, error)
	// How many objects the controller has brought to so many replicas.
	done func(b *bench, replicas int) (int, error)
}

var workers = []worker{
	{"sample-controller", rig.FooResources, []string{"foos", "deployments"}, rig.Foos, startSample, doneDeployments},
	{"controller-runtime", mirrorResources, []string{"foos", "configmaps"}, rig.Foos, startMirror, doneConfigMaps},
	{"kube-controller-manager", rig.DeploymentResources, []string{"deployments", "replicasets", "pods"}, rig.Deployments,
		startManager, doneDeploymentStatus},
}

const mirrorResources = `
  - group: samplecontroller.k8s.io
    resource: foos
    owns:
      - {group: "", resource: configmaps}
`

// Whoever measures is no matter here.
const writesRBAC = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bench-writes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: controller-a}
`

const (
	writeObjects = 30
	// Longer than anything is known for.
	rest = 65 * time.Second
)

// measureWrites counts the look-ups that the fence needs for the writes of controllers:
// while their objects change every few seconds, and behind a rest.
func measureWrites(b *bench) error {
	if err := b.cluster.Apply(b.ctx, writesRBAC); err != nil {
		return err
	}
	figures := make([][2]float64, len(workers))
	failures := make([]error, len(workers))
	var group sync.WaitGroup
	for i, w := range workers {
		group.Go(func() {
			own := *b
			own.members = map[string]*member{}
			defer own.stop()
			figures[i], failures[i] = w.measure(&own)
		})
	}
	group.Wait()
	for i, w := range workers {
		b.results.add(w.name+", objects that change: look-ups for 100 writes", noTarget, "", 100*figures[i][0])
		b.results.add(w.name+", after a rest: look-ups for 100 writes", noTarget, "", 100*figures[i][1])
	}
	return errors.Join(failures...)
}

func (w *worker) measure(b *bench) (figures [2]float64, err error) {
	err = b.newRing(w.name, 1, func(r *rig.Ring) {
		r.Resources, r.Extra = w.resources, fmt.Sprintf("namespaces: [%s]\n", r.Namespace)
	})
	if err != nil {
		return figures, err
	}
	if err := w.create(b); err != nil {
		return figures, err
	}
	if err := b.start("a"); err != nil {
		return figures, err
	}
	if err := b.waitActive("a"); err != nil {
		return figures, err
	}
	controller, err := w.start(b)
	if err != nil {
		return figures, err
	}
	defer controller.Kill()
	if err := w.wait(b, 1); err != nil {
		return figures, err
	}
	if figures[0], err = w.count(b, 2, 3); err != nil {
		return figures, err
	}
	time.Sleep(rest)
	figures[1], err = w.count(b, 4)
	return figures, err
}

func (w *worker) create(b *bench) error {
	if w.main == rig.Foos {
		return rig.CreateFoos(b.ctx, b.cluster.Dynamic, b.ring.Namespace, writeObjects)
	}
	return rig.InParallel(b.ctx, writeObjects, func(ctx context.Context, i int) error {
		deployment := rig.NewDeployment(b.ring.Namespace, rig.FooName(i), nil)
		_, err := b.cluster.Kube.AppsV1().Deployments(b.ring.Namespace).Create(ctx, deployment, metav1.CreateOptions{})
		return err
	})
}

// count asks for so many replicas, one after the other, and tells how many look-ups
// there were for each write.
func (w *worker) count(b *bench, replicas ...int) (float64, error) {
	mark, err := b.mark()
	if err != nil {
		return 0, err
	}
	client := b.cluster.Dynamic.Resource(w.main).Namespace(b.ring.Namespace)
	for _, n := range replicas {
		patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, n)
		for i := range writeObjects {
			if _, err := client.Patch(b.ctx, rig.FooName(i), types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
				return 0, err
			}
			time.Sleep(200 * time.Millisecond)
		}
		if err := w.wait(b, n); err != nil {
			return 0, err
		}
	}
	events, err := mark.events()
	writes, lookUps := 0.0, 0.0
	for i := range events {
		event := &events[i]
		if event.Object.Namespace != b.ring.Namespace || !slices.Contains(w.kinds, event.Object.Resource) {
			continue
		}
		switch {
		case event.User.Name == rig.ControllerUser("a") && event.IsWrite():
			writes++
		case event.User.Name == rig.MemberUser("a") && event.Verb == "get":
			lookUps++
		}
	}
	return lookUps / writes, err
}

func (w *worker) wait(b *bench, replicas int) error {
	return rig.Wait(b.ctx, patience, func(context.Context) error {
		n, err := w.done(b, replicas)
		if err == nil && n < writeObjects {
			err = fmt.Errorf("%s: %d of %d objects have %d replicas", w.name, n, writeObjects, replicas)
		}
		return err
	})
}

// --- the controllers ---

func startSample(b *bench) (*process.Process, error) { return b.members["a"].StartSampleController() }

func doneDeployments(b *bench, replicas int) (done int, err error) {
	list, err := b.cluster.Kube.AppsV1().Deployments(b.ring.Namespace).List(b.ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	for _, deployment := range list.Items {
		if *deployment.Spec.Replicas == int32(replicas) {
			done++
		}
	}
	return done, nil
}

func startMirror(b *bench) (*process.Process, error) {
	kubeconfig, err := b.members["a"].Kubeconfig(rig.ControllerUser("a"))
	if err != nil {
		return nil, err
	}
	return frameworks.StartMirror("controller-runtime", "mirror", kubeconfig,
		filepath.Join(b.cluster.Dir, "mirror.log"), 0)
}

func doneConfigMaps(b *bench, replicas int) (done int, err error) {
	list, err := b.cluster.Kube.CoreV1().ConfigMaps(b.ring.Namespace).List(b.ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	for _, each := range list.Items {
		if each.Data["replicas"] == fmt.Sprint(replicas) {
			done++
		}
	}
	return done, nil
}

func startManager(b *bench) (*process.Process, error) {
	kubeconfig, err := b.members["a"].Kubeconfig(rig.ControllerUser("a"))
	if err != nil {
		return nil, err
	}
	return b.cluster.StartControllerManager("manager", kubeconfig, "deployment-controller,replicaset-controller")
}

func doneDeploymentStatus(b *bench, replicas int) (done int, err error) {
	list, err := b.cluster.Kube.AppsV1().Deployments(b.ring.Namespace).List(b.ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	for _, deployment := range list.Items {
		if deployment.Status.UpdatedReplicas == int32(replicas) {
			done++
		}
	}
	return done, nil
}
