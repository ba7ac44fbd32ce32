package delivery_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"plumb/internal/db/dbtest"
)

var (
	aTable   = regexp.MustCompile("(?s)CREATE EXTERNAL TABLE (\\w+) \\((.*?)\n\\)\nPARTITIONED BY")
	aMapping = regexp.MustCompile(`'mapping\.(\w+)' = '(\w+)'`)
	aColumn  = regexp.MustCompile(`(\w+) (\w+)`)
	aMember  = regexp.MustCompile(`(\w+): ?(\w+)`)
)

// tablesOf returns the columns of the tables of Athena that a page makes, and the whole page.
func tablesOf(t *testing.T) (tables map[string]string, page string) {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	tables = map[string]string{}
	for _, m := range aTable.FindAllStringSubmatch(string(text), -1) {
		tables[m[1]] = m[2]
	}
	return tables, string(text)
}

// The table of Athena over the files in JSON has the members of their items, in types that
// read what is there.
func TestTheTableOverTheFilesHasTheirMembers(t *testing.T) {
	tables, page := tablesOf(t)
	named := map[string]string{}
	for _, m := range aMapping.FindAllStringSubmatch(page, -1) {
		named[m[1]] = m[2]
	}
	head, items, ok := strings.Cut(tables["config_items"], "configurationitems array<struct<")
	if !ok {
		t.Fatalf("there is no such table: %q", tables)
	}
	items, relation, _ := strings.Cut(items, "relationships: array<struct<")
	b := newBench(t, dbtest.Open(t), withTables)
	fillTables(b)
	files := 0
	for key := range b.out.objects {
		if !strings.HasSuffix(key, ".json.gz") || strings.Contains(key, "Oversized") {
			continue
		}
		files++
		var file map[string]json.RawMessage
		var all struct {
			Items []map[string]json.RawMessage `json:"configurationItems"`
		}
		text := []byte(b.out.file(t, key))
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		sameMembers(t, aColumn.FindAllStringSubmatch(head, -1), named, file, "configurationItems")
		for _, it := range all.Items {
			sameMembers(t, aMember.FindAllStringSubmatch(items, -1), named, it, "relationships", "relatedEvents", "configurationStateMd5Hash")
			var relations []map[string]json.RawMessage
			if err := json.Unmarshal(it["relationships"], &relations); err != nil {
				t.Fatal(err)
			}
			for _, r := range relations {
				sameMembers(t, aMember.FindAllStringSubmatch(relation, -1), named, r)
			}
		}
	}
	if files == 0 {
		t.Error("no file was written")
	}
}

// sameMembers wants an object to have the members of a table, but for some others.
func sameMembers(t *testing.T, columns [][]string, named map[string]string, object map[string]json.RawMessage, others ...string) {
	t.Helper()
	known := slices.Clone(others)
	for _, c := range columns {
		name, kind := c[1], c[2]
		if as, ok := named[name]; ok {
			name = as
		}
		known = append(known, name)
		value, ok := object[name]
		if !ok {
			t.Errorf("the table has %s, the file has no %s", c[1], name)
			continue
		}
		fits := map[string]string{"string": `"{`, "bigint": "0123456789", "map": "{", "array": "["}[kind]
		if string(value) != "null" && !strings.Contains(fits, string(value[:1])) {
			t.Errorf("%s is a %s in the table and %.40s in the file", name, kind, value)
		}
	}
	for name := range object {
		if !slices.Contains(known, name) {
			t.Errorf("the file has %s, which is not in the table", name)
		}
	}
}

// The table over Parquet has the columns of the files, each as the file has it.
func TestTheTableOverParquetHasItsColumns(t *testing.T) {
	tables, _ := tablesOf(t)
	var want []string
	for _, c := range aColumn.FindAllStringSubmatch(tables["config_snapshots"], -1) {
		want = append(want, c[1]+" "+c[2])
	}
	b := newBench(t, dbtest.Open(t), withTables)
	fillTables(b)
	files := 0
	for key, body := range b.out.objects {
		if !strings.HasSuffix(key, ".parquet") {
			continue
		}
		files++
		f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range f.Schema().Fields() {
			kind := "string"
			if strings.Contains(c.Type().String(), "TIMESTAMP") {
				kind = "timestamp"
			} else if c.Type().Kind() == parquet.Int64 {
				kind = "bigint"
			}
			got = append(got, strings.ToLower(c.Name())+" "+kind)
		}
		slices.Sort(got)
		if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(got, sorted) {
			t.Errorf("%s has\n%q, the table\n%q", key, got, sorted)
		}
	}
	if files == 0 {
		t.Error("no table was written")
	}
}
