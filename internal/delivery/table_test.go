package delivery_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
)

// A tableRow is an item in a table, as a library reads it that we did not write.
type tableRow struct {
	Snapshot      *string    `parquet:"configSnapshotId,optional"`
	Captured      *time.Time `parquet:"configurationItemCaptureTime,optional,timestamp(millisecond)"`
	StateID       *int64     `parquet:"configurationStateId,optional"`
	ID            *string    `parquet:"resourceId,optional"`
	Name          *string    `parquet:"resourceName,optional"`
	Relationships *string    `parquet:"relationships,optional"`
	Tags          *string    `parquet:"tags,optional"`
	Configuration *string    `parquet:"configuration,optional"`
}

func withTables(_ *bench, o *delivery.Options) { o.Parquet = true }

// fillTables has a snapshot and history files written.
func fillTables(b *bench) {
	b.t.Helper()
	b.channel(aChannel())
	tagged := b.group("sg-2", config.StatusDiscovered, map[string]any{"groupName": "größe", "n": int64(1)})
	tagged.Tags, tagged.Name = map[string]string{"team": "payments"}, "two"
	b.record(b.group("sg-1", config.StatusDiscovered, map[string]any{"groupName": "a"}), tagged)
	b.advance(time.Minute)
	b.record(b.group("sg-1", config.StatusDeleted, nil))
	b.snapshot()
	b.advance(6 * time.Hour)
}

func TestATableHoldsTheItemsOfItsFile(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, withTables)
		fillTables(b)
		tables := 0
		for _, key := range b.out.puts {
			if !strings.HasSuffix(key, ".json.gz") {
				continue
			}
			kind := path.Base(path.Dir(key))
			day := map[string]string{"ConfigSnapshot": "2016-09-08", "ConfigHistory": "2016-09-08"}[kind]
			if strings.Contains(key, "/2016/9/7/") {
				day = "2016-09-07"
			}
			table := "config-bucket/AWSLogs/123456789012/Config/Parquet/" + kind + "/region=us-east-2/date=" + day + "/" + strings.TrimSuffix(path.Base(key), ".json.gz") + ".parquet"
			if b.out.objects[table] == nil || slices.Index(b.out.puts, table) < slices.Index(b.out.puts, key) {
				t.Fatalf("no table %s after its file, but %q", table, b.out.puts)
			}
			tables++
			sameItems(t, b.out.file(t, key), b.out.objects[table])
		}
		if tables != 2 {
			t.Errorf("%d tables", tables)
		}
	})
}

func sameItems(t *testing.T, text string, table []byte) {
	t.Helper()
	rows, err := parquet.Read[tableRow](bytes.NewReader(table), int64(len(table)))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		ID    string                       `json:"configSnapshotId"`
		Items []map[string]json.RawMessage `json:"configurationItems"`
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 || len(rows) != len(f.Items) {
		t.Fatalf("%d rows of %d items", len(rows), len(f.Items))
	}
	for i, it := range f.Items {
		r := rows[i]
		for name, got := range map[string]any{"resourceId": r.ID, "resourceName": r.Name, "configurationStateId": r.StateID} {
			if b, _ := json.Marshal(got); string(b) != string(it[name]) {
				t.Errorf("%s: %s in the table, %s in the file", name, b, it[name])
			}
		}
		for name, got := range map[string]*string{"relationships": r.Relationships, "tags": r.Tags, "configuration": r.Configuration} {
			if want := string(it[name]); got == nil && want != "null" || got != nil && *got != want {
				t.Errorf("%s: %v in the table, %s in the file", name, got, want)
			}
		}
		if at := `"` + config.FormatTime(*r.Captured) + `"`; at != string(it["configurationItemCaptureTime"]) || *r.Snapshot != f.ID {
			t.Errorf("captured at %s in snapshot %s", at, *r.Snapshot)
		}
	}
}

// A file whose table the bucket does not take is written again with it.
func TestATableThatIsNotTakenIsWrittenAgain(t *testing.T) {
	b := newBench(t, dbtest.Open(t), withTables)
	b.out.failing(errAway, ".parquet")
	fillTables(b)
	if s := b.status(); s.History.Status != config.StatusFailure || strings.Contains(strings.Join(b.out.subjects(), "\n"), "Completed") {
		t.Errorf("status %+v, told %q", s, b.out.subjects())
	}
	b.out.failing(nil)
	b.advance(time.Hour)
	if s := b.status(); s.History.Status != config.StatusSuccess || !slices.ContainsFunc(b.out.puts, func(key string) bool { return strings.Contains(key, "/Parquet/ConfigHistory/") }) {
		t.Errorf("status %+v, files %q", s, b.out.puts)
	}
}

var anSQL = regexp.MustCompile("(?s)```sql\n(SELECT .*?;)\n```")

// The queries of the guide give what is in the files, where DuckDB is there to ask.
func TestTheGuidesQueriesReadTheFiles(t *testing.T) {
	if _, err := exec.LookPath("duckdb"); err != nil {
		t.Skip("duckdb is not installed")
	}
	b := newBench(t, dbtest.Open(t), withTables)
	fillTables(b)
	folder := t.TempDir()
	for key, body := range b.out.objects {
		name := filepath.Join(folder, strings.TrimPrefix(key, "config-bucket/AWSLogs/123456789012/Config/"))
		if strings.Contains(key, "/ConfigSnapshot/") && strings.HasSuffix(key, ".json.gz") {
			name = filepath.Join(folder, "snapshots", path.Base(key))
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	queries := anSQL.FindAllSubmatch(text, -1)
	if len(queries) != 3 {
		t.Fatalf("the guide has %d queries", len(queries))
	}
	for i, want := range []string{"AWS::EC2::SecurityGroup,1\n", "sg-2,payments,größe\n", "AWS::EC2::SecurityGroup,3\n"} {
		cmd := exec.Command("duckdb", "-csv", "-noheader", "-c", string(queries[i][1]))
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%s\ngives %q, want %q (%v)", queries[i][1], out, want, err)
		}
	}
}
