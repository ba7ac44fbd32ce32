package logs_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/logs"
	"plumb/internal/model"
)

var (
	place = config.Place{Account: "123456789012", Region: "us-east-1"}
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// run runs a test on both databases with a clock that the test moves.
func run(t *testing.T, test func(t *testing.T, s *logs.Store, now *time.Time)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		now := start
		test(t, logs.New(slog.New(slog.DiscardHandler), d, func() time.Time { return now }), &now)
	})
}

func add(s *logs.Store, group, stream string, texts ...string) {
	for _, text := range texts {
		s.Add(logs.Line{Place: place, Group: group, Stream: stream, Text: text})
	}
}

func texts(p logs.Page) string {
	var out []string
	for _, e := range p.Events {
		out = append(out, e.Message)
	}
	return strings.Join(out, " ")
}

func TestAddedLinesAreReadInTheirOrder(t *testing.T) {
	run(t, func(t *testing.T, s *logs.Store, now *time.Time) {
		add(s, "/aws/lambda/f", "a", "1", "2")
		add(s, "/aws/lambda/f", "b", "3")
		*now = now.Add(time.Millisecond)
		add(s, "/aws/lambda/f", "a", "4", "\x00\xff")
		page, err := s.Filter(t.Context(), place, "/aws/lambda/f", logs.Query{Limit: 10})
		if got := texts(page); err != nil || got != "1 2 3 4 \uFFFD\uFFFD" {
			t.Errorf("got %q, %v", got, err)
		}
		page, err = s.Stream(t.Context(), place, "/aws/lambda/f", "a", logs.Query{Limit: 2, Backward: true})
		if got := texts(page); err != nil || got != "4 \uFFFD\uFFFD" {
			t.Errorf("the end of a stream is %q, %v", got, err)
		}
		page, err = s.Filter(t.Context(), place, "/aws/lambda/f", logs.Query{Limit: 10, Prefix: "b"})
		if got := texts(page); err != nil || got != "3" {
			t.Errorf("by prefix: %q, %v", got, err)
		}
		if _, err := s.Filter(t.Context(), place, "/aws/lambda/g", logs.Query{Limit: 10}); !model.IsCode(err, "ResourceNotFoundException") {
			t.Errorf("a group that is not there: %v", err)
		}
		if _, err := s.Stream(t.Context(), place, "/aws/lambda/f", "c", logs.Query{Limit: 1}); !model.IsCode(err, "ResourceNotFoundException") {
			t.Errorf("a stream that is not there: %v", err)
		}
		other := config.Place{Account: "210987654321", Region: "us-east-1"}
		if _, err := s.Filter(t.Context(), other, "/aws/lambda/f", logs.Query{Limit: 10}); !model.IsCode(err, "ResourceNotFoundException") {
			t.Errorf("another account: %v", err)
		}
	})
}

func TestPagesMissNothing(t *testing.T) {
	run(t, func(t *testing.T, s *logs.Store, now *time.Time) {
		for i := range 25 {
			add(s, "g", fmt.Sprint("s", i%3), fmt.Sprint(i))
			if i%10 == 9 {
				*now = now.Add(time.Second)
			}
		}
		var got []string
		q := logs.Query{Limit: 4}
		for {
			page, err := s.Filter(t.Context(), place, "g", q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				got = append(got, e.Message)
			}
			if page.More == nil {
				break
			}
			q.After = page.More
		}
		seen := map[string]bool{}
		for _, text := range got {
			seen[text] = true
		}
		if len(got) != 25 || len(seen) != 25 {
			t.Errorf("%d events, %d different: %v", len(got), len(seen), got)
		}
	})
}

func TestRetentionEndsEvents(t *testing.T) {
	run(t, func(t *testing.T, s *logs.Store, now *time.Time) {
		add(s, "g", "s", "old")
		s.Flush(t.Context())
		*now = now.Add(48 * time.Hour)
		if err := s.SetRetention(t.Context(), place, "g", 3); err != nil {
			t.Fatal(err)
		}
		add(s, "g", "s", "new")
		s.Flush(t.Context())
		*now = now.Add(48 * time.Hour) // nobody has written since
		page, err := s.Filter(t.Context(), place, "g", logs.Query{Limit: 10})
		if got := texts(page); err != nil || got != "new" {
			t.Errorf("got %q, %v", got, err)
		}
		add(s, "g", "s", "newest")
		g, err := s.Group(t.Context(), place, "g")
		if want := int64(len("new") + len("newest") + 2*26); err != nil || g.Bytes != want {
			t.Errorf("the group has %d bytes, want %d, %v", g.Bytes, want, err)
		}
	})
}

func TestGroupsHaveABound(t *testing.T) {
	run(t, func(t *testing.T, s *logs.Store, now *time.Time) {
		const bound = 10 << 10
		s.SetMaxGroup(bound)
		for i := range 30 {
			*now = now.Add(time.Second)
			add(s, "g", "s", fmt.Sprintf("%02d %s", i, strings.Repeat("x", 1000)))
			s.Flush(t.Context())
		}
		g, err := s.Group(t.Context(), place, "g")
		if err != nil || g.Bytes > bound || g.Bytes < bound/2 {
			t.Errorf("the group has %d bytes, %v", g.Bytes, err)
		}
		page, err := s.Filter(t.Context(), place, "g", logs.Query{Limit: 100})
		if err != nil || len(page.Events) < 5 || !strings.HasPrefix(page.Events[len(page.Events)-1].Message, "29") {
			t.Errorf("%d events are left, %v", len(page.Events), err)
		}
	})
}

func TestGroupsAndStreamsAreListed(t *testing.T) {
	run(t, func(t *testing.T, s *logs.Store, now *time.Time) {
		for _, name := range []string{"/aws/lambda/a", "/aws/lambda/b", "other"} {
			if err := s.CreateGroup(t.Context(), place, name, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CreateGroup(t.Context(), place, "other", nil); !model.IsCode(err, "ResourceAlreadyExistsException") {
			t.Errorf("made twice: %v", err)
		}
		for _, c := range []struct{ prefix, part, after, want string }{
			{"", "", "", "/aws/lambda/a /aws/lambda/b other"}, {"/aws/", "", "", "/aws/lambda/a /aws/lambda/b"},
			{"", "lambda/b", "", "/aws/lambda/b"}, {"", "", "/aws/lambda/a", "/aws/lambda/b other"}, {"", "xx", "", ""},
		} {
			list, err := s.Groups(t.Context(), place, c.prefix, c.part, c.after, 10)
			var names []string
			for _, g := range list {
				names = append(names, g.Name)
			}
			if got := strings.Join(names, " "); err != nil || got != c.want {
				t.Errorf("%+v: %q, %v", c, got, err)
			}
		}
		for _, stream := range []string{"b", "a", "c"} {
			add(s, "other", stream, "x")
			s.Flush(t.Context())
			*now = now.Add(time.Second)
		}
		g, err := s.Group(t.Context(), place, "other")
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Streams(t.Context(), g, logs.StreamList{ByLast: true, Descending: true, Limit: 2})
		if err != nil || len(list) != 2 || list[0].Name != "c" || list[1].Name != "a" {
			t.Errorf("got %v, %v", list, err)
		}
		list, err = s.Streams(t.Context(), g, logs.StreamList{ByLast: true, Descending: true, After: &list[1], Limit: 2})
		if err != nil || len(list) != 1 || list[0].Name != "b" {
			t.Errorf("after a: %v, %v", list, err)
		}
		if err := s.DeleteStream(t.Context(), place, "other", "b"); err != nil {
			t.Error(err)
		}
		if err := s.DeleteGroup(t.Context(), place, "other"); err != nil {
			t.Error(err)
		}
		if err := s.DeleteGroup(t.Context(), place, "other"); !model.IsCode(err, "ResourceNotFoundException") {
			t.Errorf("deleted twice: %v", err)
		}
	})
}
