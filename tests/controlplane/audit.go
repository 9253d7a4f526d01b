package controlplane

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"time"
)

// Event is one line of an audit log: one request, as the API server saw it.
type Event struct {
	Stage      string `json:"stage"` // ResponseStarted (watches), ResponseComplete, Panic
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	UserAgent  string `json:"userAgent"`
	User       struct {
		Name string `json:"username"`
	} `json:"user"`
	Object struct {
		Group       string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		UID         string `json:"uid"`
	} `json:"objectRef"`
	Response struct {
		Code   int    `json:"code"`
		Reason string `json:"reason"`
	} `json:"responseStatus"`
	// RequestObject is what was asked for; of Options.AuditBodies too.
	RequestObject json.RawMessage `json:"requestObject"`
	// ResponseObject is the object as it was written; of ConfigMaps and Leases only.
	ResponseObject json.RawMessage `json:"responseObject"`

	Received time.Time `json:"requestReceivedTimestamp"`
	At       time.Time `json:"stageTimestamp"`
}

// Key is the object's namespace/name.
func (e *Event) Key() string { return e.Object.Namespace + "/" + e.Object.Name }

// IsWrite says whether the request changed something: a mutating verb that was
// answered with success.
func (e *Event) IsWrite() bool {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return e.Stage == "ResponseComplete" && e.Response.Code/100 == 2
	}
	return false
}

// IsRelist says whether the request reads what its client may hold already: a LIST, or
// a WATCH that sends everything first. The lists of a move are exact ones.
func (e *Event) IsRelist() bool {
	parsed, err := url.Parse(e.RequestURI)
	if err != nil {
		return false
	}
	query := parsed.Query()
	switch e.Verb {
	case "list":
		return query.Get("resourceVersionMatch") != "Exact" && query.Get("continue") == ""
	case "watch":
		return query.Get("sendInitialEvents") == "true" || query.Get("resourceVersion") == ""
	}
	return false
}

func (e *Event) String() string {
	resource := e.Object.Resource
	if e.Object.Subresource != "" {
		resource += "/" + e.Object.Subresource
	}
	return fmt.Sprintf("%s %s %s %s %s -> %d", e.Received.Format("15:04:05.000"),
		e.User.Name, e.Verb, resource, e.Key(), e.Response.Code)
}

// AuditReader reads the audit logs of all API servers from where it stopped the
// last time.
type AuditReader struct {
	plane   *ControlPlane
	offsets map[string]int64
}

// NewAuditReader reads from the beginning.
func (c *ControlPlane) NewAuditReader() *AuditReader {
	return &AuditReader{plane: c, offsets: map[string]int64{}}
}

// Skip passes over what the logs hold already.
func (r *AuditReader) Skip() error {
	_, err := r.Next()
	return err
}

// Next gives the events written since the last call, ordered by the time at
// which the requests were received.
func (r *AuditReader) Next() ([]Event, error) {
	r.plane.mutex.Lock()
	servers := slices.Clone(r.plane.servers)
	r.plane.mutex.Unlock()
	var events []Event
	for _, server := range servers {
		more, err := r.readLog(server.auditLog())
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.Received.Compare(b.Received) })
	return events, nil
}

func (r *AuditReader) readLog(path string) ([]Event, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(r.offsets[path], io.SeekStart); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	// The last line may still be on its way.
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	events, err := parseEvents(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.offsets[path] += int64(len(data))
	return events, nil
}

func parseEvents(data []byte) ([]Event, error) {
	var events []Event
	for line := range bytes.Lines(data) {
		var event Event
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}
