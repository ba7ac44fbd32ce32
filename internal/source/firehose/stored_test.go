package firehose

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/job/jobtest"
	"plumb/internal/model"

	"log/slog"
)

var here = config.Place{Account: "123456789012", Region: "us-east-1"}

func TestStoredJobs(t *testing.T) {
	f := flush{here, "stream", "buffer", true}
	jobtest.Golden(t, processing{f}, delivery{f})
}

// What is kept is read by later versions.
func TestStoredForms(t *testing.T) {
	o := Output{"role", "bucket", "p", "e", 1, 2, Gzip, "key", true, "group", "stream"}
	got, err := json.Marshal(definition{
		Destination{o, true, &o, true, true, []Processor{{"Lambda", []Parameter{{"n", "v"}}}}, ".x", "UTC"}, Encryption{"t", "k"}, map[string]string{"a": "b"},
	})
	const output = `"role":"role","bucket":"bucket","prefix":"p","errorPrefix":"e","size":1,"interval":2,"compression":"GZIP","key":"key","logs":true,` +
		`"logGroup":"group","logStream":"stream"`
	const want = `{"destination":{` + output + `,"plain":true,"backup":{` + output + `},"backs":true,"process":true,` +
		`"steps":[{"type":"Lambda","parameters":[{"name":"n","value":"v"}]}],"extension":".x","zone":"UTC"},"encryption":{"type":"t","key":"k"},"tags":{"a":"b"}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRecordsForWhichThereIsNoRoomFailByThemselves(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		log, clk := slog.New(slog.NewTextHandler(t.Output(), nil)), &clock.Clock{}
		jobs, err := job.New(t.Context(), d, log, clk, "test")
		if err != nil {
			t.Fatal(err)
		}
		s := New(log, d, jobs, nil, clk.Now, Options{MaxBacklog: 100})
		x := Stream{Place: here, Name: "s", Destination: Destination{Output: Output{Bucket: "arn:aws:s3:::b", Compression: Gzip, Size: 1, Interval: 60}}}
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			if _, err := s.Create(t.Context(), tx, x); err != nil {
				return err
			}
			_, out, err := s.Put(t.Context(), tx, here, "s", [][]byte{make([]byte, 60), make([]byte, 60), make([]byte, 40), {1}})
			var got []string
			for _, o := range out {
				got = append(got, map[bool]string{true: "taken", false: "refused"}[o.Error == nil && o.ID != "" || model.IsCode(o.Error, "ServiceUnavailableException") && o.ID != ""])
			}
			if want := "taken refused taken refused"; strings.Join(got, " ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestTimesAreWrittenAsJavaDoes(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 5, 6, 789_000_000, time.UTC)
	for pattern, want := range map[string]string{
		"yyyy/MM/dd/HH": "2026/03/01/00", "yy-M-d": "26-3-1", "DDD": "060", "EEE EEEE": "Sun Sunday", "h a": "12 AM", "k": "24", "K": "0", "mm:ss.SSS": "05:06.789",
		"MMMM": "March", "'at' HH": "at 00", "''": "'", "": "",
	} {
		if got, err := formatTime(pattern, at); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", pattern, got, err, want)
		}
	}
	for _, bad := range []string{"Q", "yyyyy", "'", "XXX", "[HH]", "MMMMM"} {
		if got, err := formatTime(bad, at); err == nil {
			t.Errorf("%s: %q", bad, got)
		}
	}
}
