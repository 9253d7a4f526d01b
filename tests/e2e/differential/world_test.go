package differential

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// world is a namespace and a way to it.
type world struct {
	t         *testing.T
	raw       func() *harness.Raw // connections of all kinds
	namespace string
	label     string // which answers may hold in addition
	member    string // "": the API server itself
	versions  []string
	token     string
}

// outcome is what an answer says, without what differs between any two worlds.
type outcome struct {
	status  int
	headers map[string]string
	body    string
}

func (o *outcome) String() string { return fmt.Sprintf("%d %v\n%s", o.status, o.headers, o.body) }

// isRefusedByRingside tells an answer to what nobody could do anyway. Ringside must
// understand selectors and bodies, and says in its own words when it does not.
func isRefusedByRingside(through, direct *outcome) bool {
	ours := through.status == http.StatusBadRequest || through.status == http.StatusUnsupportedMediaType
	return ours && strings.Contains(through.body, "ringside") && direct.status >= 400 && direct.status < 500
}

// difference shows where two answers begin to differ; "" if they do not.
func difference(a, b *outcome) string {
	const around = 200
	x, y := a.String(), b.String()
	if x == y || isRefusedByRingside(a, b) {
		return ""
	}
	at := 0
	for at < len(x) && at < len(y) && x[at] == y[at] {
		at++
	}
	cut := func(text string) string { return text[max(0, at-around):min(len(text), at+around)] }
	return fmt.Sprintf("\n--- through the ring, %d: ...%s...\n--- directly, %d: ...%s...", a.status, cut(x), b.status, cut(y))
}

var mark = regexp.MustCompile(`<<(\w+)(?::([^>]*))?>>`)

func (w *world) fill(text string) string {
	return mark.ReplaceAllStringFunc(text, func(found string) string {
		parts := mark.FindStringSubmatch(found)
		switch parts[1] {
		case "ns":
			return w.namespace
		case "uid", "rv":
			uid, version := w.lookUp(parts[2])
			if parts[1] == "uid" {
				return uid
			}
			return version
		case "version":
			n, _ := strconv.Atoi(parts[2])
			if n >= len(w.versions) {
				return "0"
			}
			return w.versions[n]
		case "continue":
			return w.token
		}
		panic("no such mark: " + found)
	})
}

// lookUp asks the API server itself.
func (w *world) lookUp(object string) (uid, version string) {
	resource, name, _ := strings.Cut(object, "/")
	of := map[string]schema.GroupVersionResource{"foos": rig.Foos, "deployments": rig.Deployments}[resource]
	found, err := harness.Cluster().Dynamic.Resource(of).Namespace(w.namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return "00000000-0000-0000-0000-000000000000", "1"
	}
	return string(found.GetUID()), found.GetResourceVersion()
}

func (w *world) do(s step) *outcome {
	path := w.fill(s.path)
	if len(s.query) > 0 {
		path += "?" + w.fill(strings.Join(s.query, "&"))
	}
	body := w.fill(s.body)
	if s.isProtobuf {
		body = toProtobuf(w.t, body)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), harness.Patience)
	defer cancel()
	headers := append([]string{"User-Agent: differential"}, s.headers...)
	response := w.raw().Open(ctx, s.method, path, body, headers...)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Errorf("%s: the body ends with %v", s, err)
	}
	return w.normalise(s, response, data)
}

var typed = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

func toProtobuf(t *testing.T, text string) string {
	t.Helper()
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode([]byte(text), nil, nil)
	harness.Must(t, err)
	var out bytes.Buffer
	harness.Must(t, typed.Encode(object, &out))
	return out.String()
}

func (w *world) normalise(s step, response *http.Response, data []byte) *outcome {
	out := &outcome{status: response.StatusCode, headers: map[string]string{}}
	for _, name := range []string{"Content-Type", "Warning", "Retry-After", "Location", "Content-Encoding", "Allow"} {
		if value := response.Header.Get(name); value != "" {
			out.headers[name] = w.text(value)
		}
	}
	contentType := out.headers["Content-Type"]
	switch {
	case len(data) == 0:
	case s.isWatch() && response.StatusCode == http.StatusOK:
		out.body = w.events(contentType, data)
	default:
		out.body = w.json(w.asJSON(contentType, data))
	}
	if strings.HasPrefix(contentType, "application/yaml") {
		out.body = "" // what is in it, other answers show
	}
	return out
}

// asJSON is data in JSON; what is in no encoding that we know stays as it is.
func (w *world) asJSON(contentType string, data []byte) []byte {
	switch {
	case strings.HasPrefix(contentType, harness.Protobuf):
		return fromProtobuf(w.t, data)
	case strings.HasPrefix(contentType, harness.CBOR):
		return fromCBOR(w.t, data)
	}
	return data
}

func fromProtobuf(t *testing.T, data []byte) []byte {
	t.Helper()
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, nil)
	if runtime.IsNotRegisteredError(err) { // PartialObjectMetadata and the like
		object, _, err = protobuf.NewSerializer(metaScheme, metaScheme).Decode(data, nil, nil)
	}
	harness.Must(t, err)
	return harness.Must1(json.Marshal(object))(t)
}

func fromCBOR(t *testing.T, data []byte) []byte {
	t.Helper()
	var value any
	harness.Must(t, direct.Unmarshal(data, &value))
	return harness.Must1(json.Marshal(value))(t)
}

var metaScheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, metav1.SchemeGroupVersion)
	if err := metav1.AddMetaToScheme(s); err != nil {
		panic(err)
	}
	return s
}()

// events are the events of a watch: in order for each object, objects by name, as
// initial events come in no order. Bookmarks come when they like.
func (w *world) events(contentType string, data []byte) string {
	byObject, last := map[string][]string{}, map[string]string{}
	for _, event := range w.frames(contentType, data) {
		if event.Type == "BOOKMARK" && !bytes.Contains(event.Object, []byte("k8s.io/initial-events-end")) {
			continue
		}
		name, object := nameOf(event.Object), w.json(event.Object)
		// The API server sends no event for a change of nothing: the label changed.
		if event.Type == "MODIFIED" && object == last[name] {
			continue
		}
		last[name] = object
		byObject[name] = append(byObject[name], event.Type+" "+object)
	}
	names := make([]string, 0, len(byObject))
	for name := range byObject {
		names = append(names, name)
	}
	sort.Strings(names)
	var out strings.Builder
	for _, name := range names {
		out.WriteString(strings.Join(byObject[name], "\n") + "\n")
	}
	return out.String()
}

// nameOf an event's object, or of a row of a Table, or of the first that it shows; a
// Status has none.
func nameOf(data []byte) string {
	type named struct{ Metadata struct{ Name string } }
	var object struct {
		named
		Object named
		Rows   []struct{ Object named }
	}
	_ = json.Unmarshal(data, &object)
	if len(object.Rows) > 0 {
		return object.Rows[0].Object.Metadata.Name
	}
	return object.Metadata.Name + object.Object.Metadata.Name
}

// event is one of a watch, its object in JSON.
type event struct {
	Type   string
	Object json.RawMessage
}

func (w *world) frames(contentType string, data []byte) (out []event) {
	for _, frame := range frames(w.t, contentType, data) {
		var e event
		if strings.HasPrefix(contentType, harness.Protobuf) {
			var watch metav1.WatchEvent
			harness.Must(w.t, watch.Unmarshal(frame))
			e = event{watch.Type, fromProtobuf(w.t, watch.Object.Raw)}
		} else if err := json.Unmarshal(frame, &e); err != nil {
			w.t.Errorf("a frame that is none: %q", frame)
			continue
		}
		out = append(out, e)
	}
	return out
}

func frames(t *testing.T, contentType string, data []byte) (out [][]byte) {
	t.Helper()
	if strings.HasPrefix(contentType, harness.CBOR) {
		for len(data) > 0 {
			var item cbor.RawMessage
			data = harness.Must1(cbor.UnmarshalFirst(data, &item))(t)
			out = append(out, fromCBOR(t, item))
		}
		return out
	}
	if !strings.HasPrefix(contentType, harness.Protobuf) {
		for line := range bytes.Lines(data) {
			out = append(out, line)
		}
		return out
	}
	for len(data) >= 4 {
		n := int(binary.BigEndian.Uint32(data))
		if len(data) < 4+n {
			t.Errorf("a frame is cut: %d bytes of %d", len(data)-4, n)
			return out
		}
		out = append(out, data[4:4+n])
		data = data[4+n:]
	}
	return out
}

func (w *world) json(data []byte) string {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return "no JSON: " + w.text(string(data))
	}
	if list, ok := value.(map[string]any); ok {
		w.remember(list)
	}
	value = w.value("", value)
	return string(harness.Must1(json.Marshal(value))(w.t))
}

// remember keeps the position and the token of a list.
func (w *world) remember(list map[string]any) {
	metadata, _ := list["metadata"].(map[string]any)
	_, hasItems := list["items"]
	_, hasRows := list["rows"]
	if metadata == nil || !hasItems && !hasRows {
		return
	}
	version, _ := metadata["resourceVersion"].(string)
	w.versions = append(w.versions, version)
	w.token, _ = metadata["continue"].(string)
}

var (
	uuid    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	instant = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	number  = regexp.MustCompile(`\b\d{2,}\b`)
	age     = regexp.MustCompile(`^(\d+[smh])+$|^<unknown>$|^<invalid>$`)
)

// text takes out of a text what two worlds never share.
func (w *world) text(text string) string {
	text = strings.ReplaceAll(text, w.namespace, "NS")
	text = uuid.ReplaceAllString(text, "UID")
	text = instant.ReplaceAllString(text, "TIME")
	return age.ReplaceAllString(text, "AGE")
}

func (w *world) value(key string, value any) any {
	switch v := value.(type) {
	case string:
		switch {
		case key == "resourceVersion" && v != "" && v != "0":
			return "RV"
		case key == "continue" && v != "":
			return "TOKEN"
		case key == "message":
			return number.ReplaceAllString(w.text(v), "N")
		}
		return w.text(v)
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			if item = w.value("", item); key != "managedFields" || hasFields(item) {
				out = append(out, item)
			}
		}
		return out
	case map[string]any:
		return w.object(v)
	}
	return value
}

func (w *world) object(object map[string]any) any {
	out := map[string]any{}
	if fields, ok := object["f:labels"].(map[string]any); ok {
		delete(fields, ".") // whoever was first to set one
	}
	for key, value := range object {
		// With a selector, ours or the client's, the API server does not count.
		if key == w.label || key == "f:"+w.label || key == "remainingItemCount" ||
			key == "columnDefinitions" { // in the first Table of a watch, whichever that is
			continue
		}
		value = w.value(key, value)
		if isEmpty(value) && (key == "labels" || key == "f:labels" || key == "f:metadata" || key == "managedFields") {
			continue
		}
		out[w.text(key)] = value // of managedFields, some hold a uid
	}
	return out
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return value == nil
}

// hasFields tells an entry of managedFields that holds more than the label.
func hasFields(entry any) bool {
	fields, ok := entry.(map[string]any)["fieldsV1"]
	return ok && !isEmpty(fields)
}
