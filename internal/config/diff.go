package config

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// The change types of a difference.
const (
	ChangeCreate = "CREATE"
	ChangeUpdate = "UPDATE"
	ChangeDelete = "DELETE"
)

// A Diff is the configurationItemDiff of a change notification.
type Diff struct {
	ChangeType string                    `json:"changeType"`
	Changed    map[string]PropertyChange `json:"changedProperties"`
}

// A PropertyChange is one changed property. The value that is missing is null.
type PropertyChange struct {
	Previous any    `json:"previousValue"`
	Updated  any    `json:"updatedValue"`
	Type     string `json:"changeType"`
}

// NewDiff compares an item with the one it follows, as configurationItemDiff
// tells it: nothing listed for a new resource; for a deleted one, each thing that
// went, whole; for the rest, leaves of objects, and whole elements of lists, which
// are compared as sets.
func NewDiff(previous *Item, it Item) Diff {
	if previous == nil || previous.Status.Gone() {
		return Diff{ChangeCreate, map[string]PropertyChange{}}
	}
	d := Diff{ChangeUpdate, map[string]PropertyChange{}}
	if it.Status.Gone() {
		d.ChangeType = ChangeDelete
		d.deleteAll(*previous)
		return d
	}
	d.compare("Configuration", previous.Configuration, it.Configuration)
	d.compare("SupplementaryConfiguration", mapOf(previous.Supplementary), mapOf(it.Supplementary))
	d.compare("Tags", tagsOf(previous.Tags), tagsOf(it.Tags))
	d.compare("Relationships", relationshipsOf(*previous), relationshipsOf(it))
	return d
}

// deleteAll lists what a deleted resource had.
func (d Diff) deleteAll(it Item) {
	d.delete("Configuration", it.Configuration)
	names := memberNames("SupplementaryConfiguration", it.Supplementary, nil)
	for k, v := range it.Supplementary {
		d.delete("SupplementaryConfiguration."+names(k), v)
	}
	for k, v := range it.Tags {
		d.delete("Tags."+k, v)
	}
	for i, r := range relationshipsOf(it) {
		d.delete("Relationships."+strconv.Itoa(i), r)
	}
}

func (d Diff) delete(path string, v any) {
	if v != nil {
		d.Changed[path] = PropertyChange{v, nil, ChangeDelete}
	}
}

func (d Diff) compare(path string, a, b any) {
	if reflect.DeepEqual(a, b) {
		return
	}
	am, aIsMap := a.(map[string]any)
	bm, bIsMap := b.(map[string]any)
	if aIsMap && bIsMap {
		d.compareMaps(path, am, bm)
		return
	}
	al, aIsList := a.([]any)
	bl, bIsList := b.([]any)
	if aIsList && bIsList {
		d.compareLists(path, al, bl)
		return
	}
	d.Changed[path] = PropertyChange{a, b, changeType(a, b)}
}

func (d Diff) compareMaps(path string, a, b map[string]any) {
	names := memberNames(path, a, b)
	for k := range a {
		d.compare(path+"."+names(k), a[k], b[k])
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			d.compare(path+"."+names(k), nil, b[k])
		}
	}
}

// compareLists tells elements that are gone by their old index, and new ones by
// indexes that go on after the old list's.
func (d Diff) compareLists(path string, a, b []any) {
	left := map[string]int{}
	for _, v := range b {
		left[key(v)]++
	}
	for i, v := range a {
		if k := key(v); left[k] > 0 {
			left[k]--
			continue
		}
		d.Changed[path+"."+strconv.Itoa(i)] = PropertyChange{v, nil, ChangeDelete}
	}
	next := len(a)
	for _, v := range b {
		k := key(v)
		if left[k] == 0 {
			continue
		}
		left[k]--
		d.Changed[path+"."+strconv.Itoa(next)] = PropertyChange{nil, v, ChangeCreate}
		next++
	}
}

func changeType(a, b any) string {
	switch {
	case a == nil:
		return ChangeCreate
	case b == nil:
		return ChangeDelete
	default:
		return ChangeUpdate
	}
}

// key returns a text that equal values share.
func key(v any) string {
	b, _ := json.Marshal(v) // decoded JSON always encodes; keys of objects are sorted
	return string(b)
}

// freeMaps are the members whose keys customers choose.
var freeMaps = map[string]bool{"Tags": true, "Variables": true, "Labels": true, "Configurations": true, "Rules": true}

// memberNames returns how the keys of an object are spelled in paths. Names of
// AWS's members begin in upper case. Keys that customers chose stay as they are,
// and so does one that would become the same as another key of either object.
func memberNames(path string, a, b map[string]any) func(string) string {
	has := func(k string) bool {
		_, inA := a[k]
		_, inB := b[k]
		return inA || inB
	}
	if freeMaps[path[strings.LastIndexByte(path, '.')+1:]] || !allMembers(a) || !allMembers(b) {
		return func(k string) string { return freeName(k, has) }
	}
	return func(k string) string {
		if name := upperFirst(k); !has(name) {
			return name
		}
		return k
	}
}

// freeName returns a key that a customer chose. Its dots are escaped if it could
// be taken for the path to a member of another key.
func freeName(k string, has func(string) bool) string {
	for i, c := range k {
		if c == '.' && has(k[:i]) {
			return strings.ReplaceAll(k, ".", `\.`)
		}
	}
	return k
}

// allMembers reports whether every key could be the name of an AWS member: ASCII
// letters and digits that begin with a letter.
func allMembers(m map[string]any) bool {
	for k := range m {
		for i, c := range []byte(k) {
			letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
			if !letter && (i == 0 || c < '0' || '9' < c) {
				return false
			}
		}
	}
	return true
}

func upperFirst(k string) string {
	if k == "" || k[0] < 'a' || 'z' < k[0] {
		return k
	}
	return string(k[0]-'a'+'A') + k[1:]
}

func mapOf(m map[string]any) any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func tagsOf(tags map[string]string) any {
	m := make(map[string]any, len(tags))
	for k, v := range tags {
		m[k] = v
	}
	return m
}

func relationshipsOf(it Item) []any {
	list := make([]any, 0, len(it.Relationships))
	for _, r := range it.Relationships {
		list = append(list, map[string]any{
			"resourceId": nilIfEmpty(r.ID), "resourceName": nilIfEmpty(r.ResourceName), "resourceType": r.Type, "name": r.Name,
		})
	}
	return list
}

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}
