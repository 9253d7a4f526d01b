package rig

import (
	"time"

	"ringside.dev/ringside/tests/controlplane"
)

// Publication is one version of a ring's assignment, as the API server stored it.
type Publication struct {
	*Assignment
	// It was stored between these two instants of the API server's clock.
	After, Before time.Time
}

// Publications finds the versions of the ring's assignment in an audit log.
func (r *Ring) Publications(events []controlplane.Event) ([]Publication, error) {
	var h History
	for i := range events {
		if err := h.Add(r, &events[i]); err != nil {
			return nil, err
		}
	}
	return h.Versions, nil
}
