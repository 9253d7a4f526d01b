package clients

import (
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// A recorder reads what has come to it within this time, on however busy a machine.
const readsWithin = 3 * time.Second

// What comes to a member is shown to its clients within this time.
const cameWithin = 15 * time.Second

// sight is a moment in which a client was shown an object of a bucket.
type sight struct {
	at     time.Time
	bucket int
	what   string
}

// owners know who has owned which bucket when: the audit log tells.
type owners struct {
	t       *testing.T
	ring    *harness.Ring
	reader  *controlplane.AuditReader
	history rig.History
}

func newOwners(t *testing.T, ring *harness.Ring) *owners {
	return &owners{t: t, ring: ring, reader: harness.Cluster().NewAuditReader()}
}

// check fails the test if a recorder was shown an object that another member owned.
func (o *owners) check(all []*observed) {
	o.t.Helper()
	events := harness.Must1(o.reader.Next())(o.t)
	for i := range events {
		harness.Must(o.t, o.history.Add(o.ring.Ring, &events[i]))
	}
	for _, one := range all {
		r, isRecorder := one.watcher.(*recorder)
		if !isRecorder {
			continue
		}
		sights, ghosts := r.takeSights()
		// Frames do not tell whether an object of a bucket that has just come, which
		// was changed and deleted meanwhile, was in that bucket before. Who does not
		// see by a list what has left may be told of all that others own.
		for _, seen := range ghosts {
			if one.member.ID != noDiff && !o.history.Came(one.member.ID, seen.bucket, seen.at.Add(-cameWithin), seen.at) {
				harness.Errorf(o.t, "%s: %s", one.name, seen.what)
			}
		}
		for _, seen := range sights {
			if !o.isOwner(one.member.ID, seen) {
				harness.Errorf(o.t, "%s: %s, of bucket %d, which was another member's", one.name, seen.what, seen.bucket)
			}
		}
	}
}

// isOwner says whether the member owned the bucket when what was seen was sent.
func (o *owners) isOwner(id string, seen sight) bool {
	return o.history.Owned(id, seen.bucket, seen.at.Add(-readsWithin), seen.at)
}

func (r *recorder) takeSights() (sights, ghosts []sight) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	sights, ghosts = r.sights, r.ghosts
	r.sights, r.ghosts = nil, nil
	return sights, ghosts
}
