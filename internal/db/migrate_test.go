package db_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// steps are migrations with what a naive reader of SQL stumbles over.
func steps(names ...string) fstest.MapFS {
	all := map[string]string{
		"0001_thing.sqlite":   "CREATE TABLE thing (name TEXT PRIMARY KEY, n BIGINT NOT NULL);\n",
		"0001_thing.postgres": "CREATE TABLE thing (name TEXT PRIMARY KEY, n BIGINT NOT NULL);\n",
		"0002_body.sqlite": "-- a trigger;\nCREATE TRIGGER thing_twice AFTER INSERT ON thing WHEN NEW.name = 'a;\nb' BEGIN\n" +
			"  INSERT INTO thing VALUES ('first', 1);\n  INSERT INTO thing VALUES ('second', 2);\nEND;\nINSERT INTO thing VALUES ('a;\nb', 0);\n",
		"0002_body.postgres": "-- a function;\nCREATE FUNCTION thing_twice() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n" +
			"  INSERT INTO thing VALUES ('first', 1);\n  INSERT INTO thing VALUES ('second', 2);\n RETURN 0;\nEND $$;\n" +
			"INSERT INTO thing VALUES ('a;\nb', 0);\nSELECT thing_twice();\n",
		"0003_index.sqlite":    "-- outside a transaction\nCREATE INDEX IF NOT EXISTS thing_n ON thing (n);\n",
		"0003_index.postgres":  "-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS thing_n ON thing (n);\n",
		"0004_broken.sqlite":   "INSERT INTO thing VALUES ('half', 1);\nINSERT INTO nothing VALUES (1);\n",
		"0004_broken.postgres": "INSERT INTO thing VALUES ('half', 1);\nINSERT INTO nothing VALUES (1);\n",
	}
	out := fstest.MapFS{}
	for _, name := range names {
		for _, kind := range []string{"sqlite", "postgres"} {
			out["migrations/"+name+"."+kind+".sql"] = &fstest.MapFile{Data: []byte(all[name+"."+kind])}
		}
	}
	return out
}

// onBoth runs a test with the URLs of a new SQLite file and a new schema.
func onBoth(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "plumb.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, dbtest.EmptyPostgresURL(t)) })
}

func TestMigrationsRunInOrderAndEachIsNoted(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		var text bytes.Buffer
		log := slog.New(slog.NewTextHandler(&text, nil))
		for _, files := range []fstest.MapFS{steps("0001_thing"), steps("0001_thing", "0002_body", "0003_index")} {
			d, err := db.OpenWith(t.Context(), url, log, files)
			if err != nil {
				t.Fatal(err)
			}
			d.Close()
		}
		d, err := db.OpenWith(t.Context(), url, log, steps("0001_thing", "0002_body", "0003_index"))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if n := count(t, d); n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
		if got := strings.Count(text.String(), "moved forward"); got != 1 || !strings.Contains(text.String(), "from=1 to=3") {
			t.Errorf("the log says:\n%s", text.String())
		}
	})
}

func TestFailedMigrationLeavesTheStepsBeforeIt(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		log := slog.New(slog.DiscardHandler)
		_, err := db.OpenWith(t.Context(), url, log, steps("0001_thing", "0004_broken"))
		if err == nil || !strings.Contains(err.Error(), "0004_broken") {
			t.Fatalf("got %v", err)
		}
		d, err := db.OpenWith(t.Context(), url, log, steps("0001_thing"))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if n := count(t, d); n != 0 {
			t.Errorf("%d rows of half a step", n)
		}
	})
}

func TestInspectChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		log := slog.New(slog.DiscardHandler)
		older, err := db.OpenWith(t.Context(), url, log, steps("0001_thing"))
		if err != nil {
			t.Fatal(err)
		}
		older.Close()
		for range 2 { // the second look finds what the first one left
			d, err := db.Inspect(t.Context(), url, log)
			if err != nil {
				t.Fatal(err)
			}
			s, err := d.Schema(t.Context())
			if err != nil || s.Step != 1 || s.Missing == 0 || s.Latest <= 1 {
				t.Errorf("schema %+v, %v", s, err)
			}
			if err := d.Write(t.Context(), func(*db.Tx) error { return nil }); err == nil {
				t.Error("a store that was opened to be read took a write")
			}
			d.Close()
		}
	})
}

func TestInspectOfAnEmptyDatabase(t *testing.T) {
	d, err := db.Inspect(t.Context(), dbtest.EmptyPostgresURL(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if s, err := d.Schema(t.Context()); err != nil || s.Step != 0 || s.Missing == 0 {
		t.Errorf("schema %+v, %v", s, err)
	}
}
