package rig

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Assignment is who owns which bucket, as the ring's ConfigMap says.
type Assignment struct {
	Epoch   string
	Members []string // identities of the active members
	Owner   map[int]string
	Target  map[int]string // of what its owner is asked to give up
}

// OwnerID is the id of the member that owns the bucket a label's value names.
func (a *Assignment) OwnerID(bucket int) string {
	id, _, _ := strings.Cut(a.Owner[bucket], "/")
	return id
}

// keeps says whether the bucket is the member's, and not to be given up.
func (a *Assignment) keeps(id string, bucket int) bool {
	return a.OwnerID(bucket) == id && a.Target[bucket] == ""
}

// Count is how many buckets the member of that id owns.
func (a *Assignment) Count(id string) int {
	count := 0
	for bucket := range a.Owner {
		if a.OwnerID(bucket) == id {
			count++
		}
	}
	return count
}

// Assignment reads the ring's assignment from the API server.
func (r *Ring) Assignment(ctx context.Context) (*Assignment, error) {
	configMap, err := r.cluster.Kube.CoreV1().ConfigMaps(r.Namespace).
		Get(ctx, r.Name+"-assignment", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return ParseAssignment(configMap.Data)
}

// ParseAssignment reads the data of the assignment's ConfigMap.
func ParseAssignment(data map[string]string) (*Assignment, error) {
	a := &Assignment{
		Epoch:   data["epoch"],
		Members: strings.Fields(data["members"]),
		Owner:   map[int]string{},
		Target:  map[int]string{},
	}
	for line := range strings.Lines(data["owners"]) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return nil, fmt.Errorf("assignment: owners: %q", line)
		}
		buckets, err := ParseBuckets(fields[0])
		if err != nil {
			return nil, err
		}
		for bucket := range buckets {
			a.Owner[bucket] = fields[1]
			if len(fields) > 3 {
				a.Target[bucket] = fields[3]
			}
		}
	}
	return a, nil
}
