package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/rig"
)

const (
	foosAtFirst = 300
	foosLater   = 15 // after each change of the ring, to see who takes them
)

// pair is a member and the controller behind it.
type pair struct {
	member     *rig.Member
	controller *process.Process
}

// story is what the demonstration does, step by step.
type story struct {
	cluster  *rig.Cluster
	ring     *rig.Ring
	observer *observer
	screen   *screen

	mutex    sync.Mutex
	pairs    map[string]*pair
	created  int // Foos so far
	killed   string
	killedAt time.Time
}

func (s *story) tell(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var drawing sync.WaitGroup
	drawing.Go(func() { s.draw(ctx) })
	defer drawing.Wait()
	defer stop()
	for _, step := range []func(context.Context) error{
		s.startPairs, s.createFoos, s.killPair, s.growRing, s.shrinkRing,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// draw shows the state of things until the story is over.
func (s *story) draw(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		s.observer.look(ctx, s.members())
		s.screen.show(s.observer.state())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *story) members() map[string]*rig.Member {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	members := map[string]*rig.Member{}
	for id, p := range s.pairs {
		members[id] = p.member
	}
	return members
}

func (s *story) stop() {
	for _, p := range s.pairs {
		p.controller.Kill()
		p.member.Process.Signal(syscall.SIGTERM)
	}
	for _, p := range s.pairs {
		p.member.Process.Stop(5 * time.Second)
	}
}

func (s *story) startPairs(ctx context.Context) error {
	s.screen.say("three pairs of ringside and the unmodified sample-controller, and a standby, start")
	for _, id := range []string{"a", "b", "c"} {
		if err := s.startPair(ctx, id); err != nil {
			return err
		}
	}
	if err := s.waitActive(ctx, "a", "b", "c"); err != nil {
		return err
	}
	if err := s.startPair(ctx, "d"); err != nil {
		return err
	}
	return s.wait(ctx, 30*time.Second, func(state *state) error {
		if status := state.status["d"]; status == nil || status.State != "standby" {
			return errors.New("d does not stand by")
		}
		return nil
	})
}

// startPair starts a member, and the controller once the member answers.
func (s *story) startPair(ctx context.Context, id string) error {
	member, err := s.ring.StartMember(id, rig.MemberOptions{})
	if err != nil {
		return err
	}
	err = rig.Wait(ctx, 30*time.Second, func(ctx context.Context) error {
		_, err := member.AdminGet(ctx, "/healthz")
		return err
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, member.Process.Tail(20))
	}
	controller, err := member.StartSampleController()
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.pairs[id] = &pair{member, controller}
	return nil
}

func (s *story) createFoos(ctx context.Context) error {
	s.screen.say("%d Foos are created; client-go lets each controller do 5 requests a second", foosAtFirst)
	if err := s.create(ctx, foosAtFirst); err != nil {
		return err
	}
	return s.waitDeployments(ctx)
}

func (s *story) create(ctx context.Context, count int) error {
	foos := s.cluster.Dynamic.Resource(rig.Foos).Namespace(s.ring.Namespace)
	first := s.created
	s.created += count
	return rig.InParallel(ctx, count, func(ctx context.Context, i int) error {
		foo := rig.NewFoo(s.ring.Namespace, rig.FooName(first+i))
		_, err := foos.Create(ctx, foo, metav1.CreateOptions{})
		return err
	})
}

func (s *story) killPair(ctx context.Context) error {
	s.killed = "b"
	buckets := s.observer.state().assignment.Count(s.killed)
	s.screen.say("SIGKILL for pair %s, ringside and controller at once; its Lease lasts %s", s.killed, s.ring.Duration)
	s.kill(s.killed)
	if err := s.waitActive(ctx, "a", "c", "d"); err != nil {
		return err
	}
	s.screen.say("the standby owns the %d buckets of the dead, %.1f s after the kill",
		buckets, time.Since(s.killedAt).Seconds())
	if err := s.create(ctx, foosLater); err != nil {
		return err
	}
	s.screen.say("%d Foos more", foosLater)
	return s.waitDeployments(ctx)
}

func (s *story) kill(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p := s.pairs[id]
	s.killedAt = time.Now()
	p.member.Process.Signal(syscall.SIGKILL)
	p.controller.Kill()
	p.member.Process.Kill()
	delete(s.pairs, id)
}

func (s *story) growRing(ctx context.Context) error {
	if err := s.startPair(ctx, s.killed); err != nil {
		return err
	}
	s.screen.say("pair %s is back; `shards: 4` in the YAML makes it the fourth active member", s.killed)
	if err := s.ring.SetShards(4); err != nil {
		return err
	}
	if err := s.waitActive(ctx, "a", "b", "c", "d"); err != nil {
		return err
	}
	if err := s.create(ctx, foosLater); err != nil {
		return err
	}
	s.screen.say("%d Foos more", foosLater)
	return s.waitDeployments(ctx)
}

func (s *story) shrinkRing(ctx context.Context) error {
	s.screen.say("`shards: 2`: two members hand their buckets over and stand by")
	if err := s.ring.SetShards(2); err != nil {
		return err
	}
	if err := s.waitActiveCount(ctx, 2); err != nil {
		return err
	}
	if err := s.create(ctx, foosLater); err != nil {
		return err
	}
	s.screen.say("%d Foos more", foosLater)
	return s.waitDeployments(ctx)
}

// wait looks at the state of things until check is content with it.
func (s *story) wait(ctx context.Context, within time.Duration, check func(*state) error) error {
	return rig.Wait(ctx, within, func(context.Context) error { return check(s.observer.state()) })
}

// waitActive waits until exactly these members are active, and know what they own.
func (s *story) waitActive(ctx context.Context, ids ...string) error {
	return s.wait(ctx, time.Minute, func(state *state) error {
		active := state.active()
		if !slices.Equal(active, ids) {
			return fmt.Errorf("active are %s, not %s", strings.Join(active, ", "), strings.Join(ids, ", "))
		}
		return nil
	})
}

func (s *story) waitActiveCount(ctx context.Context, count int) error {
	return s.wait(ctx, time.Minute, func(state *state) error {
		if active := state.active(); len(active) != count {
			return fmt.Errorf("active are %s", strings.Join(active, ", "))
		}
		return nil
	})
}

func (s *story) waitDeployments(ctx context.Context) error {
	return s.wait(ctx, 2*time.Minute, func(state *state) error {
		if state.deployments < s.created {
			return fmt.Errorf("%d of %d Foos have a Deployment", state.deployments, s.created)
		}
		return nil
	})
}
