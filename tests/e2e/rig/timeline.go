package rig

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"

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
	var publications []Publication
	for _, event := range events {
		if !event.IsWrite() || event.Object.Resource != "configmaps" ||
			event.Key() != r.Namespace+"/"+r.Name+"-assignment" {
			continue
		}
		var configMap corev1.ConfigMap
		if err := json.Unmarshal(event.ResponseObject, &configMap); err != nil {
			return nil, err
		}
		assignment, err := ParseAssignment(configMap.Data)
		if err != nil {
			return nil, err
		}
		publications = append(publications, Publication{assignment, event.Received, event.At})
	}
	return publications, nil
}
