// Package types pins what the proxy takes for granted about Kubernetes' own types.
package types

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

var update = flag.Bool("update", false, "write the bodies anew")

// What check_label_types.c shall make of the bodies of stable types.
const golden = "../../unit/kube/protobuf_bodies.txt"

const label, bucket = "bucket.ringside.dev/r", "17"

var magic = []byte("k8s\x00")

// The proxy labels protobuf by appending a second metadata field to the object:
// for every built-in type that can be owned, what is decoded is the same object
// with one more label.
func TestProtobufMetadataMerges(t *testing.T) {
	kinds := ownedKinds()
	if len(kinds) < 100 {
		t.Fatalf("client-go knows %d kinds only", len(kinds))
	}
	var lines strings.Builder
	for _, kind := range kinds {
		object := harmless(t, kind)
		body := encode(t, object, kind.GroupVersion())
		labelled := appendLabel(t, body)
		decoded := decode(t, labelled)
		accessor := object.(metav1.Object)
		accessor.SetLabels(map[string]string{"app": "x", label: bucket})
		if want := decode(t, encode(t, object, kind.GroupVersion())); !reflect.DeepEqual(decoded, want) {
			t.Errorf("%v: %v, not %v", kind, decoded, want)
		}
		if kind.Version == "v1" {
			fmt.Fprintf(&lines, "%s %x %x\n", kind.Kind, body, labelled)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != lines.String() {
		t.Errorf("%s is out of date: go test ./types -update", golden)
	}
}

// ownedKinds are the kinds that have metadata of their own and protobuf.
func ownedKinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for kind := range scheme.Scheme.AllKnownTypes() {
		object, err := scheme.Scheme.New(kind)
		if err != nil || kind.Version == runtime.APIVersionInternal {
			continue
		}
		_, hasMetadata := object.(metav1.Object)
		_, hasProtobuf := object.(interface{ Marshal() ([]byte, error) })
		if hasMetadata && hasProtobuf {
			kinds = append(kinds, kind)
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int {
		return strings.Compare(a.String(), b.String())
	})
	return kinds
}

func harmless(t *testing.T, kind schema.GroupVersionKind) runtime.Object {
	t.Helper()
	object, err := scheme.Scheme.New(kind)
	if err != nil {
		t.Fatal(err)
	}
	accessor := object.(metav1.Object)
	accessor.SetName("x")
	accessor.SetLabels(map[string]string{"app": "x", label: "7"})
	accessor.SetOwnerReferences([]metav1.OwnerReference{{Kind: "Foo", Name: "foo", UID: "u"}})
	return object
}

func encode(t *testing.T, object runtime.Object, version schema.GroupVersion) []byte {
	t.Helper()
	info, found := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !found {
		t.Fatal("client-go knows no protobuf")
	}
	body, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, version), object)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func decode(t *testing.T, body []byte) runtime.Object {
	t.Helper()
	object, err := runtime.Decode(scheme.Codecs.UniversalDeserializer(), body)
	if err != nil {
		t.Fatalf("%v: %s", err, hex.EncodeToString(body))
	}
	return object
}

// appendLabel does what label_pb.c does, with client-go's means.
func appendLabel(t *testing.T, body []byte) []byte {
	t.Helper()
	raw, found := bytes.CutPrefix(body, magic)
	if !found {
		t.Fatal("no envelope")
	}
	var unknown runtime.Unknown
	if err := unknown.Unmarshal(raw); err != nil {
		t.Fatal(err)
	}
	entry := field(1, label) + field(2, bucket)                      // of map<string, string>
	unknown.Raw = append(unknown.Raw, field(1, field(11, entry))...) // ObjectMeta.labels
	envelope, err := unknown.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(slices.Clone(magic), envelope...)
}

// field is a length-delimited field of protobuf with less than 128 bytes.
func field(number byte, content string) string {
	return string([]byte{number<<3 | 2, byte(len(content))}) + content
}
