package clients

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
)

// recorder watches as the simplest client does: it holds what it was told, and comes
// back from the position of the last event. It checks every event by the rules of a
// watch.
type recorder struct {
	raw   *harness.Raw
	path  string // of the LIST, with its selectors: ends in ? or &
	label string // of the ring
	agent string // programs of one name and path are not told apart

	manner
	release  string // what its member tells of objects that leave
	isNoDiff bool   // its member takes it for one that does not see by a list what has left
	random   *rand.Rand
	calm     *atomic.Bool // the test waits for it to hold all: nothing breaks off

	mutex    sync.Mutex
	known    map[string]*unstructured.Unstructured
	position string
	from     string // the position that its watch was asked for from
	repeats  bool   // its last watch ended early: a move may be repeated
	relists  int
	rules    []string // that were broken
	sights   []sight
	ghosts   []sight // DELETED of what is not known
	deleted  []types.UID
}

// manner is how a recorder asks, and how it breaks off.
type manner struct {
	bookmarks bool
	socket    bool // by WebSocket
	seeds     bool // it never lists: a WATCH without a position tells it all
	cuts      bool // it breaks off after some bytes, again and again
	hops      bool // ... behind some whole event, or when none comes
	lists     bool // ... and at times it lists
	keeps     bool // it does not see by a list what has left
}

// breaksOff says whether it stays nowhere for long.
func (m manner) breaksOff() bool { return m.cuts || m.hops }

// run watches until the context ends.
func (r *recorder) run(ctx context.Context) {
	for ctx.Err() == nil {
		switch {
		case r.position == "" && !r.seeds:
			r.list(ctx, "")
		case r.lists && !r.calm.Load() && r.random.IntN(4) == 0:
			// As informers do: what is no older than this, perhaps from a cache.
			r.list(ctx, "resourceVersion="+[]string{"0", r.position}[r.random.IntN(2)])
		default:
			r.watch(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (r *recorder) list(ctx context.Context, from string) {
	response, err := r.raw.Try(ctx, http.MethodGet, r.path+from, "", "User-Agent: "+r.agent)
	if err != nil {
		return
	}
	defer response.Body.Close()
	var list unstructured.UnstructuredList
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || list.UnmarshalJSON(data) != nil {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.keeps || r.known == nil {
		r.known = map[string]*unstructured.Unstructured{}
	}
	for i := range list.Items {
		r.known[key(&list.Items[i])] = &list.Items[i]
		r.see("a list with", &list.Items[i])
	}
	r.position = list.GetResourceVersion()
	r.repeats = false
	r.relists++
}

func (r *recorder) watch(ctx context.Context) {
	events := -1 // after which it breaks off; negative: it does not
	ctx, cancel := context.WithCancel(ctx)
	if r.hops && !r.calm.Load() {
		events = 1 + r.random.IntN(8)
		time.AfterFunc(time.Duration(r.random.IntN(2500))*time.Millisecond, cancel)
	}
	defer cancel()
	path := r.path + "watch=true&timeoutSeconds=300"
	r.from = r.position
	if r.position != "" {
		path += "&resourceVersion=" + r.position
	} else {
		r.restart()
	}
	if r.bookmarks {
		path += "&allowWatchBookmarks=true"
	}
	stream := r.open(ctx, path)
	if stream == nil {
		return
	}
	defer stream.Close()
	var body io.Reader = stream
	if r.cuts && !r.calm.Load() {
		limit := int64(20000)
		// Who breaks off again and again before it was told what left is told no more;
		// and what came with it is shown late to all where nobody is told it all.
		if r.keeps || r.random.IntN(4) == 0 {
			limit *= 20
		}
		body = io.LimitReader(body, r.random.Int64N(1+r.random.Int64N(limit)))
	}
	lines := bufio.NewReader(body)
	began, told := time.Now(), 0
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			// Who was told something and is where it began may be moved once more.
			r.repeats = r.repeats || r.breaksOff() || (told > 0 && r.position == r.from)
			// No client can tell whether it has been told all by then.
			if r.seeds && r.from == "" && time.Since(began) < time.Second {
				r.restart()
			}
			return // what is not whole was not told
		}
		if !r.take(line) {
			if line, _ := lines.ReadBytes('\n'); len(line) > 0 {
				r.mutex.Lock()
				r.complain("after the end: %s", line)
				r.mutex.Unlock()
			}
			return
		}
		if told++; told == events {
			r.repeats = true
			return
		}
	}
}

// open starts a watch; nil if it is refused.
func (r *recorder) open(ctx context.Context, path string) io.ReadCloser {
	if r.socket {
		connection, _, err := r.raw.Socket(ctx, path, "User-Agent: "+r.agent)
		if err != nil {
			return nil
		}
		context.AfterFunc(ctx, func() { connection.Close() })
		return &messageStream{connection: connection}
	}
	response, err := r.raw.Try(ctx, http.MethodGet, path, "", "User-Agent: "+r.agent)
	if err != nil {
		return nil
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil
	}
	return response.Body
}

// messageStream is the messages of a WebSocket, one behind the other.
type messageStream struct {
	connection *websocket.Conn
	rest       []byte
}

func (s *messageStream) Read(p []byte) (n int, err error) {
	if len(s.rest) == 0 {
		if _, s.rest, err = s.connection.ReadMessage(); err != nil {
			return 0, err
		}
	}
	n = copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *messageStream) Close() error { return s.connection.Close() }

// restart forgets everything: what comes now is the state of things.
func (r *recorder) restart() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.known = map[string]*unstructured.Unstructured{}
	r.position = ""
}

func (r *recorder) take(line []byte) bool {
	var event struct {
		Type   string
		Object json.RawMessage
	}
	object := &unstructured.Unstructured{}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err := json.Unmarshal(line, &event); err != nil {
		r.complain("%v: %s", err, line)
		return false
	}
	if err := object.UnmarshalJSON(event.Object); err != nil {
		r.complain("%v: %s", err, line)
		return false
	}
	if event.Type == "ERROR" {
		code, _, _ := unstructured.NestedInt64(object.Object, "code")
		if code != http.StatusGone {
			r.complain("%s", line)
		}
		r.position = ""
		return false
	}
	if event.Type != "BOOKMARK" {
		r.apply(event.Type, object)
	}
	r.position = object.GetResourceVersion()
	return true
}

func (r *recorder) apply(event string, object *unstructured.Unstructured) {
	name := key(object)
	before, isKnown := r.known[name]
	// An object without a label is visible to all: what comes may be known.
	wasFree := isKnown && before.GetLabels()[r.label] == ""
	// Before who does not see by a list what has left is told to list, it is told what
	// has: at its position, which may be the version of any object that it was told of
	// in a move that did not come to its end.
	isTold := r.isNoDiff && event == "DELETED" && object.GetResourceVersion() == r.from
	if isKnown && version(object) < version(before) && !isTold {
		r.complain("%s of %s goes back from %s to %s", event, name,
			before.GetResourceVersion(), object.GetResourceVersion())
	}
	if isKnown && event == "MODIFIED" && version(object) == version(before) && !r.repeats {
		r.complain("MODIFIED of %s says again what it is at %s", name, before.GetResourceVersion())
	}
	if event != "DELETED" {
		r.see(event+" of", object)
	}
	if event == "DELETED" && r.release == "marked" && object.GetDeletionTimestamp() == nil {
		r.complain("DELETED of %s without a deletionTimestamp", name)
	}
	switch event {
	case "ADDED":
		// What left in silence is known, and comes again.
		if isKnown && !r.repeats && !wasFree && r.release != "suppress" {
			r.complain("ADDED of %s, which is known", name)
		}
		r.known[name] = object
	case "MODIFIED":
		if !isKnown {
			r.complain("MODIFIED of %s, which is not known", name)
		}
		r.known[name] = object
	case "DELETED":
		if bucket, err := strconv.Atoi(object.GetLabels()[r.label]); err == nil && !isKnown && !r.seeds && !r.repeats {
			r.ghosts = append(r.ghosts, sight{time.Now(), bucket, "DELETED of " + name + ", which is not known"})
		} else if !isKnown && !r.repeats {
			r.complain("DELETED of %s, which is not known", name)
		}
		delete(r.known, name)
		r.deleted = append(r.deleted, object.GetUID())
	default:
		r.complain("an event %q", event)
	}
}

// see notes that the client was shown the object, if it is in a bucket.
func (r *recorder) see(what string, object *unstructured.Unstructured) {
	if bucket, err := strconv.Atoi(object.GetLabels()[r.label]); err == nil {
		r.sights = append(r.sights, sight{time.Now(), bucket, what + " " + key(object)})
	}
}

func (r *recorder) complain(format string, args ...any) {
	// Who goes on from the version of an object that it was told of first is told
	// much twice, by the API server itself.
	if !r.seeds && len(r.rules) < 10 {
		r.rules = append(r.rules, fmt.Sprintf(format, args...))
	}
}

func (r *recorder) broken() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	rules := r.rules
	r.rules = nil
	return rules
}

func (r *recorder) isSynced() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.position != ""
}

func (r *recorder) held(*testing.T) map[string]string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	held := map[string]string{}
	for name, object := range r.known {
		held[name] = canonical(maps.Clone(object.Object))
	}
	return held
}

func key(object *unstructured.Unstructured) string {
	return object.GetNamespace() + "/" + object.GetName()
}

func version(object *unstructured.Unstructured) uint64 {
	version, _ := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	return version
}
