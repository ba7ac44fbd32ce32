package archive_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plumb/internal/archive"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

var (
	place = config.Place{Account: "123456789012", Region: "eu-west-1"}
	now   = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
)

const kind = "AWS::EC2::Volume"

// A world is a store and what imports into it.
type world struct {
	*testing.T
	*archive.Importer
	evaluated []config.Place
	judged    int
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{T: t}
	log, c := slog.New(slog.DiscardHandler), &clock.Clock{}
	c.Freeze(now)
	jobs, err := job.New(t.Context(), d, log, c, t.Name(), job.QueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := recorder.New(log, recorder.Options{
		DB: d, Jobs: jobs, Now: c.Now,
		Publish: func(context.Context, *db.Tx, any) error { return nil },
		Judge: func(_ context.Context, _ config.Place, items []config.Item) (func(context.Context, *db.Tx) error, error) {
			w.judged += len(items)
			return func(context.Context, *db.Tx) error { return nil }, nil
		},
	})
	w.Importer = &archive.Importer{DB: d, Recorder: r, Evaluate: func(_ context.Context, _ *db.Tx, p config.Place) error {
		w.evaluated = append(w.evaluated, p)
		return nil
	}}
	return w
}

func (w *world) do(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.DB.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) run(s archive.Source, o archive.Order) archive.Report {
	w.Helper()
	r, err := w.Importer.Run(w.Context(), s, o, nil)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// carry writes the reference rows that are due.
func (w *world) carry() {
	w.Helper()
	for more := true; more; {
		w.do(func(tx *db.Tx) (err error) {
			more, err = store.CarryForward(w.Context(), tx, now, 7)
			return err
		})
	}
}

// dump returns every row of the history, by resource, state and what it says, and the
// newest items.
func (w *world) dump() string {
	w.Helper()
	var out []string
	w.do(func(tx *db.Tx) error {
		var tables []string
		err := db.Each(w.Context(), tx, func(scan func(...any) error) error {
			var m int
			err := scan(&m)
			tables = append(tables, fmt.Sprintf("item_%06d", m))
			return err
		}, `SELECT month FROM item_month ORDER BY month`)
		for _, table := range tables {
			err = errors.Join(err, db.Each(w.Context(), tx, func(scan func(...any) error) error {
				var id string
				var state, previous, status int64
				var reference bool
				err := scan(&id, &state, &previous, &status, &reference)
				out = append(out, fmt.Sprint(table, id, " ", state, previous, status, reference))
				return err
			}, `SELECT r.external_id, i.state_id, i.previous, i.status, i.reference FROM `+table+` i JOIN resource r ON r.id = i.resource`))
		}
		return errors.Join(err, db.Each(w.Context(), tx, func(scan func(...any) error) error {
			var id, name string
			var state, status int64
			err := scan(&id, &name, &state, &status)
			out = append(out, fmt.Sprint("newest ", id, name, " ", state, status))
			return err
		}, `SELECT external_id, name, state_id, status FROM resource WHERE external_id LIKE 'vol-%'`))
	})
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// history returns the items of a resource, in AWS's form.
func (w *world) history(id string) (out []string) {
	w.Helper()
	w.do(func(tx *db.Tx) error {
		items, err := store.History(w.Context(), tx, store.HistoryQuery{
			Key: config.ResourceKey{Place: place, Type: kind, ID: id}, To: now.Add(time.Hour), Forward: true, Limit: 10000,
		})
		for _, it := range items {
			text, err := json.Marshal(it)
			if err != nil {
				return err
			}
			out = append(out, string(text))
		}
		return err
	})
	return out
}

// files is a source in memory.
type files struct {
	names  []string
	bodies map[string][]byte
	broken map[string]int // how much of a file can be read before the source fails
}

func newFiles() *files { return &files{bodies: map[string][]byte{}, broken: map[string]int{}} }

func (f *files) add(name string, body []byte) {
	f.names, f.bodies[name] = append(f.names, name), body
}

func (f *files) Name() string { return "memory" }
func (f *files) Referred(l string) (string, bool) {
	return strings.TrimPrefix(l, "config-bucket/"), true
}
func (f *files) Files(context.Context) iter.Seq2[archive.File, error] {
	return func(yield func(archive.File, error) bool) {
		for _, n := range f.names {
			if !yield(archive.File{Name: n, Version: fmt.Sprint(len(f.bodies[n]))}, nil) {
				return
			}
		}
	}
}

var errAway = errors.New("the source is away")

func (f *files) Open(_ context.Context, name string) (io.ReadCloser, error) {
	body, ok := f.bodies[name]
	if !ok {
		return nil, errors.New("no such file")
	}
	if n, ok := f.broken[name]; ok {
		return io.NopCloser(io.MultiReader(bytes.NewReader(body[:n]), failing{})), nil
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errAway }

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

func fileOf(items []config.Item) []byte {
	var texts []string
	for _, it := range items {
		text, _ := json.Marshal(it)
		texts = append(texts, string(text))
	}
	return zipped(`{"fileVersion":"1.0","configSnapshotId":"16da64e4-cb65-4846-b061-e6c3ba43cb96","configurationItems":[` + strings.Join(texts, ",") + `]}`)
}

// randomPast returns what some resources were in two years, in the order of time:
// changes, deletions, items alike in a row, items at the first millisecond of a month.
func randomPast(r *rand.Rand) (all []config.Item) {
	for n := range 8 {
		at := now.AddDate(-2, r.IntN(12), r.IntN(28))
		gone := true
		content := 0
		for range 1 + r.IntN(14) {
			at = at.Add(time.Duration(1 + r.Int64N(int64(60*24*time.Hour)))).Truncate(time.Millisecond)
			if r.IntN(6) == 0 {
				at = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			}
			if at.After(now) {
				break
			}
			it := config.Item{
				ResourceKey: config.ResourceKey{Place: place, Type: kind, ID: fmt.Sprintf("vol-%d", n)}, AWSRegion: place.Region, AZ: "eu-west-1a",
				Name: fmt.Sprintf("name %d", content), Status: config.StatusOK, CaptureTime: at, StateID: at.UnixMilli(), Tags: map[string]string{"n": fmt.Sprint(content)},
				Configuration: map[string]any{"size": int64(content), "text": strings.Repeat("what rarely changes ", 8)}, Supplementary: map[string]any{},
				Relationships: []config.Relationship{{Type: "AWS::EC2::Instance", ID: "i-1", Name: "Is attached to Instance"}},
			}
			switch {
			case gone:
				it.Status = config.StatusDiscovered
			case r.IntN(5) == 0:
				it.Status, it.Configuration, it.Tags, it.Relationships = config.StatusDeleted, nil, map[string]string{}, nil
			}
			gone = it.Status.Gone()
			all = append(all, it)
			content += r.IntN(2)
		}
	}
	slices.SortStableFunc(all, func(a, b config.Item) int { return cmp.Compare(a.StateID, b.StateID) })
	return all
}

// Whatever lies in which file, in which order files come, however often the import is
// stopped and when months are carried forward: the history is the one of items that
// were recorded one after the other.
func TestHistoryIsTheSameInWhateverOrderItIsImported(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		all := randomPast(r)
		inOrder := newWorld(t, dbtest.Open(t))
		for _, it := range all {
			encoded, err := recorder.EncodePast([]config.Item{it})
			if err != nil {
				t.Fatal(err)
			}
			inOrder.do(func(tx *db.Tx) error { return store.AppendItems(t.Context(), tx, encoded) })
		}
		inOrder.carry()

		s := newFiles()
		var parts [6][]config.Item
		for _, it := range all {
			n := r.IntN(len(parts))
			parts[n] = append(parts[n], it)
			if r.IntN(4) == 0 { // a snapshot has it, too
				n := r.IntN(len(parts))
				parts[n] = append(parts[n], it)
			}
		}
		for n, part := range parts {
			if n%2 == 0 {
				slices.Reverse(part)
			}
			s.add(fmt.Sprintf("AWSLogs/x/Config/%d.json.gz", n), fileOf(part))
		}
		w := newWorld(t, d)
		for n, name := range s.names { // one file at a time, the first with an end that is lost at first
			one := newFiles()
			one.add(name, s.bodies[name])
			if n < 3 {
				one.broken[name] = len(s.bodies[name]) / 2
				if got := w.run(one, archive.Order{}); got.Unread != 1 || !strings.Contains(got.Problems[0].Reason, errAway.Error()) {
					t.Fatalf("%+v", got)
				}
				one.broken = nil
			}
			w.run(one, archive.Order{})
			if r.IntN(2) == 0 {
				w.carry()
			}
		}
		w.carry()
		if got, want := w.dump(), inOrder.dump(); got != want {
			t.Fatalf("got\n%s\n\nwant\n%s", got, want)
		}
		for n := range 8 {
			id := fmt.Sprintf("vol-%d", n)
			if got, want := w.history(id), inOrder.history(id); !slices.Equal(got, want) {
				t.Fatalf("%s: got\n%s\n\nwant\n%s", id, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		if again := w.run(s, archive.Order{}); again.Before != int64(len(s.names)) || again.Written != 0 || again.Items != 0 {
			t.Errorf("a second run: %+v", again)
		}
		if again := w.run(s, archive.Order{Again: true}); again.Written != 0 || again.Kept != again.Items || again.Items < int64(len(all)) {
			t.Errorf("a second run that reads all again: %+v", again)
		}
	})
}

func TestImportThatIsStoppedGoesOnWhereItWas(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		var items []config.Item
		for n := range 2600 {
			at := now.AddDate(0, 0, -20).Add(time.Duration(n) * time.Minute)
			items = append(items, config.Item{
				ResourceKey: config.ResourceKey{Place: place, Type: kind, ID: fmt.Sprintf("vol-%d", n/3)}, AWSRegion: place.Region,
				Status: config.StatusOK, CaptureTime: at, StateID: at.UnixMilli(), Configuration: map[string]any{"n": int64(n)},
			})
		}
		s := newFiles()
		s.add("a.json.gz", fileOf(items))
		w := newWorld(t, d)
		var got archive.Report
		for runs := 1; ; runs++ {
			ctx, cancel := context.WithCancel(t.Context())
			report, err := w.Importer.Run(ctx, s, archive.Order{}, func(archive.Report) {
				if runs < 5 { // after the first batch
					cancel()
				}
			})
			cancel()
			got.Items, got.Written = got.Items+report.Items, got.Written+report.Written
			if err == nil {
				if runs < 2 {
					t.Error("it was never stopped")
				}
				break
			}
			if !errors.Is(err, context.Canceled) || runs > 20 {
				t.Fatalf("run %d: %v", runs, err)
			}
		}
		if got.Items != 2600 || got.Written != 2600 {
			t.Errorf("%+v", got)
		}
		if n := len(w.history("vol-7")); n != 3 {
			t.Errorf("vol-7 has %d items", n)
		}
		if len(w.evaluated) != 1 || w.evaluated[0] != place {
			t.Errorf("rules were asked in %v", w.evaluated)
		}
	})
}

const recorded = `{"relatedEvents":["e-1"],"relationships":[{"resourceId":"vpc-1","resourceName":null,"resourceType":"AWS::EC2::VPC","name":"Is contained in Vpc"}],
 "configuration":{"groupId":"sg-1","ipPermissions":[]},"supplementaryConfiguration":{},"tags":{"Env":"Dev"},
 "configurationItemVersion":"1.2","configurationItemCaptureTime":"2018-09-14T10:38:48.177Z","configurationStateId":949,
 "awsAccountId":"123456789012","configurationItemStatus":"OK","resourceType":"AWS::EC2::Volume","resourceId":"vol-1","resourceName":null,
 "ARN":"arn:aws:ec2:us-east-1:123456789012:volume/vol-1","awsRegion":"us-east-1","availabilityZone":"Not Applicable",
 "configurationStateMd5Hash":"d41d8cd98f00b204e9800998ecf8427e","resourceCreationTime":null}`

// What AWS writes is kept to the letter, and what it stamped is shown again.
func TestItemsAreShownAsAWSWroteThem(t *testing.T) {
	w := newWorld(t, dbtest.Open(t))
	s := newFiles()
	name := "AWSLogs/123456789012/Config/eu-west-1/2018/9/14/ConfigHistory/123456789012_Config_eu-west-1_ConfigHistory_AWS::EC2::Volume_20180914T103848Z_20180914T103848Z_1.json.gz"
	s.add(name, zipped(`{"fileVersion":"1.0","configurationItems":[`+recorded+`]}`))
	if r := w.run(s, archive.Order{Again: true}); r.TooOld != 0 || r.Newest != 1 || r.Unread != 0 {
		t.Fatalf("%+v", r)
	}
	got := w.history("vol-1") // of the region whose recorder delivered the file
	var a, b any
	if len(got) != 1 || json.Unmarshal([]byte(got[0]), &a) != nil || json.Unmarshal([]byte(recorded), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("got  %v\nwant %v", a, b)
	}
}

func TestWhatCannotBeReadIsNamedAndTheRestIsImported(t *testing.T) {
	item := func(change ...string) string { return strings.NewReplacer(change...).Replace(recorded) }
	oversized := `{"configurationItemDiff":{},"configurationItem":` + item("vol-1", "vol-9") + `,"messageType":"ConfigurationItemChangeNotification"}`
	message := func(key string) string {
		return `{"configurationItemSummary":{},"s3DeliverySummary":{"s3BucketLocation":"config-bucket/` + key + `","errorCode":null},"recordVersion":"1.0"}`
	}
	for name, c := range map[string]struct {
		body   []byte
		read   int64
		reason string
		item   int64
	}{
		"an item of a later day": {zipped(`{"configurationItems":[` + item() + `,` + item("vol-1", "vol-2", "2018-09", "2092-09") + `,` + item("vol-1", "vol-3") + `]}`), 3, "still to come", 2},
		"no account":             {zipped(`{"configurationItems":[` + item(`"123456789012"`, `"x"`) + `]}`), 1, `awsAccountId "x" is none`, 1},
		"no status":              {zipped(`{"configurationItems":[` + item(`"OK"`, `"Gone"`) + `]}`), 1, `configurationItemStatus "Gone" is none`, 1},
		"no object":              {zipped(`{"configurationItems":[7,` + item() + `]}`), 2, "it is no object", 1},
		"cut off":                {zipped(`{"configurationItems":[` + item() + `,{"a":`), 1, "unexpected EOF", 2},
		"cut off gzip":           {zipped(`{"configurationItems":[` + item() + `]}`)[:300], 0, "unexpected EOF", 1},
		"no JSON":                {[]byte("hello"), 0, "invalid character", 1},
		"something else":         {zipped(`{"Records":[]}`), 0, "no file of AWS Config", 1},
		"a list":                 {zipped(`[]`), 0, "no file of AWS Config", 1},
		"too large":              {zipped(`{"x":"` + strings.Repeat("x", 65<<20) + `"}`), 0, "larger than 64 MiB", 1},
		"nothing":                {nil, 0, "unexpected EOF", 1},
		"deep":                   {zipped(`{"configurationItems":[{"configuration":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}]}`), 0, "max depth", 1},
		"U+0000":                 {zipped(`{"configurationItems":[` + item("vol-1", `vol\u0000`) + `]}`), 1, "U+0000", 1},
		"far away":               {zipped(message("AWSLogs/not-here.json.gz")), 0, "no such file", 1},
		"oversized":              {zipped(oversized), 1, "", 0},
		"a message about one":    {zipped(message("b.json.gz")), 1, "", 0},
		"the first form":         {zipped(`{"configurationItems":[` + item("awsAccountId", "accountId", `"configurationStateId":949`, `"configurationStateID":"949"`, "ARN", "arn") + `]}`), 1, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.Open(t))
			s := newFiles()
			s.add("a.json.gz", c.body)
			s.bodies["b.json.gz"] = zipped(oversized)
			for range 2 { // it says so again when it is asked again
				r := w.run(s, archive.Order{})
				if r.Before == 0 && r.Items != c.read {
					t.Errorf("%d items were read: %+v", r.Items, r)
				}
				switch {
				case c.reason == "" && (r.Unread > 0 || r.Before == 0 && r.Written != 1):
					t.Errorf("%+v", r)
				case c.reason != "" && (r.Unread != 1 || len(r.Problems) != 1 || r.Problems[0].Item != c.item || !strings.Contains(r.Problems[0].Reason, c.reason)):
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func TestOrderLeavesOutWhatIsNotAskedFor(t *testing.T) {
	w := newWorld(t, dbtest.Open(t))
	s := newFiles()
	s.add("a.json.gz", zipped(`{"configurationItems":[`+recorded+`,`+strings.ReplaceAll(recorded, "Volume", "VPC")+`,`+strings.ReplaceAll(recorded, "123456789012", "210987654321")+`]}`))
	for _, c := range []struct {
		archive.Order
		written, left int64
	}{
		{archive.Order{Types: []string{"AWS::EC2::VP*"}}, 1, 2},
		{archive.Order{Accounts: []string{"210987654321"}, Regions: []string{"us-east-1"}}, 1, 2},
		{archive.Order{Regions: []string{"eu-west-1"}}, 0, 3},
		{archive.Order{}, 1, 0},
	} {
		if r := w.run(s, c.Order); r.Written != c.written || r.Left != c.left || r.Before != 0 {
			t.Errorf("%+v: %+v", c.Order, r)
		}
	}
}

// AWS Config writes many files of few items: their items are recorded together, each file
// is known to be through, and an import that is stopped between goes on after what it has.
func TestItemsOfManyFilesAreRecordedTogether(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var kept atomic.Int64
		d.Trace(func(query string, _ []any) {
			if strings.Contains(query, "INSERT INTO import_file") {
				kept.Add(1)
			}
		})
		s := newFiles()
		for n := range 1200 {
			s.add(fmt.Sprintf("%04d.json.gz", n), zipped(`{"configurationItems":[`+strings.ReplaceAll(recorded, "vol-1", fmt.Sprintf("vol-%d", n))+`]}`))
		}
		ctx, cancel := context.WithCancel(t.Context())
		some, err := w.Importer.Run(ctx, s, archive.Order{Global: "eu-west-1"}, func(archive.Report) { cancel() }) // after the first batch
		if !errors.Is(err, context.Canceled) || some.Written == 0 || some.Written == 1200 {
			t.Fatalf("%+v: %v", some, err)
		}
		all := w.run(s, archive.Order{Global: "eu-west-1"})
		if all.Written != 1200-some.Written || all.Before < some.Written-1 || all.Files != 1200 { // of the last file it is not known yet that nothing follows
			t.Errorf("%+v after %+v", all, some)
		}
		if n := kept.Load(); n > 4 {
			t.Errorf("%d transactions for 1200 items", n)
		}
	})
}
