// Package jobtest checks how jobs are stored. A job outlives the program that
// inserted it, so its kind and the names in its JSON must not change.
package jobtest

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/job"
)

var update = flag.Bool("update-jobs", false, "write testdata/jobs.golden")

// Golden compares the kind and the JSON of jobs with testdata/jobs.golden of the
// package under test. A job with a changed form is lost for those who upgrade:
// give it a new kind, or read both forms.
func Golden(t *testing.T, jobs ...job.Args) {
	t.Helper()
	var b strings.Builder
	for _, j := range jobs {
		text, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(j.Kind() + " " + string(text) + "\n")
	}
	file := filepath.Join("testdata", "jobs.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != b.String() {
		t.Fatalf("jobs are stored in another form than %s (%v). If that is meant, run the test with -update-jobs.\ngot:\n%s", file, err, b.String())
	}
}
