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
// tells it: nothing listed for a new resource; for the rest, leaves of objects,
// and whole elements of lists, which are compared as sets.
func NewDiff(previous *Item, it Item) Diff {
	if previous == nil || previous.Status.Gone() {
		return Diff{ChangeCreate, map[string]PropertyChange{}}
	}
	d := Diff{ChangeUpdate, map[string]PropertyChange{}}
	if it.Status.Gone() {
		d.ChangeType = ChangeDelete
		d.Changed["Configuration"] = PropertyChange{previous.Configuration, nil, ChangeDelete}
		return d
	}
	d.compare("Configuration", previous.Configuration, it.Configuration)
	d.compare("SupplementaryConfiguration", mapOf(previous.Supplementary), mapOf(it.Supplementary))
	d.compare("Tags", tagsOf(previous.Tags), tagsOf(it.Tags))
	d.compare("Relationships", relationshipsOf(*previous), relationshipsOf(it))
	return d
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
	for k := range a {
		d.compare(path+"."+segment(k), a[k], b[k])
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			d.compare(path+"."+segment(k), nil, b[k])
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

// segment returns a path segment: its first letter is upper-cased.
func segment(k string) string {
	if k == "" {
		return k
	}
	return strings.ToUpper(k[:1]) + k[1:]
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

func relationshipsOf(it Item) any {
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
