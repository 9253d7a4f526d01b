package rig

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Metrics are a member's values by what stands before them: the name, and the labels in
// braces.
type Metrics map[string]float64

// ReadMetrics asks /metrics.
func (m *Member) ReadMetrics(ctx context.Context) (Metrics, error) {
	page, err := m.AdminGet(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	metrics := Metrics{}
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("/metrics of %s: %q", m.ID, line)
		}
		metrics[line[:max(at, 0)]] = value
	}
	return metrics, nil
}

// Sum adds up a metric over its labels.
func (m Metrics) Sum(name string) (float64, error) {
	total, isThere := 0.0, false
	for sample, value := range m {
		if of, _, _ := strings.Cut(sample, "{"); of == name {
			total, isThere = total+value, true
		}
	}
	if !isThere {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return total, nil
}

// CheckMoved is nil once none of the member's clients is being moved: each has arrived
// in the view, or was sent away to come back, or to list anew.
func (m *Member) CheckMoved(ctx context.Context) error {
	metrics, err := m.ReadMetrics(ctx)
	if err != nil {
		return err
	}
	begun, ended := metrics["ringside_moves_total"], metrics["ringside_moves_settled_total"]
	ended += metrics["ringside_moves_paused_total"]
	for _, reason := range []string{"gone", "refused"} {
		ended += metrics[fmt.Sprintf("ringside_relists_total{reason=%q}", reason)]
	}
	if ended < begun {
		return fmt.Errorf("%s: of %v moves %v have ended", m.ID, begun, ended)
	}
	return nil
}
