package recorder

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"plumb/internal/store"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func emptySchedule() *schedule {
	return &schedule{readings: map[string]*store.Reading{}, changed: map[string]bool{}}
}

// take returns the types that were asked for since the last call, by name.
func (s *schedule) take() []string {
	var out []string
	for _, x := range s.asked {
		out = append(out, x.Type)
	}
	s.asked = nil
	slices.Sort(out)
	return out
}

func (s *schedule) mustAsk(t *testing.T, want ...string) {
	t.Helper()
	if got := s.take(); !slices.Equal(got, want) {
		t.Fatalf("asked for %v, want %v", got, want)
	}
}

// ends has the reading of a type end.
func (s *schedule) ends(resourceType string, failure *readFailure) bool {
	return s.end(discover{Type: resourceType, Token: s.readings[resourceType].Token}, noon, noon, failure)
}

func polled(names ...string) (out []readType) {
	for _, n := range names {
		out = append(out, readType{name: n})
	}
	return out
}

func TestAtMostEightTypesOfAPlaceAreReadAtOnce(t *testing.T) {
	s := emptySchedule()
	types := polled("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	s.poll(types, noon)
	s.mustAsk(t, "a", "b", "c", "d", "e", "f", "g", "h")
	s.poll(types, noon.Add(time.Minute))
	s.mustAsk(t)
	s.ends("b", nil)
	s.mustAsk(t, "i")
	s.ends("a", &readFailure{"AccessDenied", "no"})
	s.mustAsk(t, "j")
}

func TestTypeThatWaitsLongestIsReadNext(t *testing.T) {
	s := emptySchedule()
	types := polled("a", "b", "c", "d", "e", "f", "g", "h", "i")
	s.poll(types, noon)
	s.take()
	s.ends("a", nil)
	s.mustAsk(t, "i")
	s.ends("b", nil)
	s.poll(types, noon.Add(time.Minute))
	s.mustAsk(t, "a")
	s.ends("c", nil)
	s.mustAsk(t, "b")
}

func TestTypeThatListsOthersIsReadAfterThem(t *testing.T) {
	s := emptySchedule()
	types := []readType{{name: "group", late: true}, {name: "instance"}}
	s.poll(types, noon)
	s.mustAsk(t, "instance")
	s.poll(types, noon.Add(time.Minute)) // an inventory waits until all others were read
	s.mustAsk(t)
	s.ends("instance", &readFailure{"AccessDenied", "no"})
	s.mustAsk(t, "group")
}

func TestTypeThatListsOthersWaitsNoLongerThanAPoll(t *testing.T) {
	s := emptySchedule()
	types := []readType{{name: "group", late: true}, {name: "instance"}}
	s.poll(types, noon)
	s.ends("instance", nil)
	s.ends("group", nil)
	s.take()
	s.poll(types, noon.Add(time.Minute))
	s.mustAsk(t, "instance")
	s.poll(types, noon.Add(2*time.Minute)) // the reading of instances hangs
	s.mustAsk(t, "group")
}

func TestEndOfAnotherReadingIsIgnored(t *testing.T) {
	s := emptySchedule()
	s.poll(polled("a"), noon)
	first := s.readings["a"].Token
	s.ends("a", nil)
	s.poll(polled("a"), noon.Add(time.Minute))
	if s.end(discover{Type: "a", Token: first}, noon, noon, nil) || s.readings["a"].Token == 0 {
		t.Error("the present reading was ended")
	}
	if s.end(discover{Type: "b", Token: first}, noon, noon, nil) {
		t.Error("the reading of a type that is not read was ended")
	}
}

func TestReadingWhoseJobWasLostIsAskedForAgain(t *testing.T) {
	s := emptySchedule()
	s.poll(polled("a"), noon)
	s.mustAsk(t, "a")
	first := s.readings["a"].Token
	s.readings["a"].Asked = time.Now().Add(-2 * lostAfter)
	s.poll(polled("a"), noon)
	s.mustAsk(t, "a")
	if s.readings["a"].Token == first {
		t.Error("it has the token of the one that was lost")
	}
}

func TestFailureLastsUntilTheNextCompleteReading(t *testing.T) {
	s := emptySchedule()
	for n := range 3 {
		s.poll(polled("a"), noon.Add(time.Duration(n)*time.Minute))
		s.end(discover{Type: "a", Token: s.readings["a"].Token}, noon, noon.Add(time.Duration(n)*time.Minute),
			&readFailure{"AccessDenied", fmt.Sprint(n)})
	}
	if x := s.readings["a"]; !x.Failing.Equal(noon) || x.Message != "2" || !x.Inventory {
		t.Errorf("%+v", x)
	}
	s.poll(polled("a"), noon.Add(time.Hour))
	s.ends("a", nil)
	if x := s.readings["a"]; !x.Failing.IsZero() || x.Code != "" || x.Inventory || x.Completed.IsZero() {
		t.Errorf("%+v", x)
	}
}

func TestAnnouncedTypeIsReadUntilItsInventoryIsComplete(t *testing.T) {
	s := emptySchedule()
	types := []readType{{name: "a", announced: true}}
	s.poll(types, noon)
	s.mustAsk(t, "a")
	s.ends("a", &readFailure{"InternalError", "no"})
	if !s.again(types) {
		t.Error("no poll repeats it")
	}
	s.poll(types, noon.Add(time.Minute))
	s.mustAsk(t, "a")
	s.ends("a", nil)
	s.poll(types, noon.Add(2*time.Minute))
	s.mustAsk(t)
	if s.again(types) {
		t.Error("polls go on")
	}
}
