package rig

import (
	"fmt"
	"strconv"
	"strings"
)

// Buckets is a set of buckets.
type Buckets map[int]bool

// ParseBuckets reads "0-84,90,92-95"; empty or "-" is the empty set.
func ParseBuckets(text string) (Buckets, error) {
	set := Buckets{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" || part == "-" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, fmt.Errorf("buckets %q: %w", text, err)
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			return nil, fmt.Errorf("buckets %q: %w", text, err)
		}
		for bucket := from; bucket <= to; bucket++ {
			set[bucket] = true
		}
	}
	return set, nil
}

// HasLabel says whether the set holds the bucket that a label's value names.
func (b Buckets) HasLabel(value string) bool {
	bucket, err := strconv.Atoi(value)
	return err == nil && b[bucket]
}
