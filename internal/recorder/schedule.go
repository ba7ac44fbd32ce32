package recorder

import (
	"cmp"
	"context"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// maxReadings is how many types of a place are read at once, by all servers. One
// place whose endpoint hangs holds no more of the workers than that.
const maxReadings = 8

// lostAfter is when a reading is taken for lost that was asked for and has not
// ended. A reading that runs ends within readingTimeout.
const lostAfter = time.Hour

// A schedule is which types of a place are read and which wait. There is at most
// one reading of a type: a poll passes over a type that is still being read, and
// for a type that failed the next poll is the retry.
type schedule struct {
	place    config.Place
	readings map[string]*store.Reading // by type
	changed  map[string]bool           // types whose reading is to be written
	removed  []string
	asked    []*store.Reading // whose jobs are to be inserted
}

// A readType is a type that a recorder reads.
type readType struct {
	name      string
	announced bool // its changes are, so that one inventory is enough
	late      bool // its items list others' relationships: it is read after them

	every time.Duration // between two readings of a polled type
}

func (r *Recorder) readSchedule(ctx context.Context, tx *db.Tx, p config.Place) (*schedule, error) {
	list, err := store.Readings(ctx, tx, p)
	s := &schedule{place: p, readings: make(map[string]*store.Reading, len(list)), changed: map[string]bool{}}
	for i := range list {
		s.readings[list[i].Type] = &list[i]
	}
	return s, err
}

func (r *Recorder) writeSchedule(ctx context.Context, tx *db.Tx, s *schedule, generation int64) error {
	for _, t := range s.removed {
		if err := store.DeleteReading(ctx, tx, s.place, t); err != nil {
			return err
		}
	}
	for t := range s.changed {
		if err := store.PutReading(ctx, tx, s.place, *s.readings[t]); err != nil {
			return err
		}
	}
	for _, x := range s.asked {
		args := discover{Place: s.place, Type: x.Type, Generation: generation, Token: x.Token, Inventory: x.Inventory}
		if err := r.Jobs.Insert(ctx, tx, args, job.Options{Queue: job.Collect}); err != nil {
			return err
		}
	}
	return nil
}

// poll has the types read that are due: those that are polled, and those whose
// inventory is still to come.
func (s *schedule) poll(types []readType, now time.Time) {
	s.keepOnly(types)
	pause := pauseOf(types)
	for _, t := range types {
		x := s.readings[t.name]
		if x == nil {
			x = &store.Reading{Type: t.name, Inventory: true}
			s.readings[t.name] = x
			s.changed[t.name] = true
		}
		switch {
		case t.announced && !x.Inventory:
		case x.Token == 0 && !t.due(x, pause, now):
		case x.Token == 0 || lost(x):
			x.Token, x.Asked, x.Late = max(x.Token+1, now.UnixMicro()), time.Time{}, t.late
			s.changed[t.name] = true
		case x.Asked.IsZero() && x.Late && !x.Inventory: // it has waited for a whole poll
			x.Late = false
			s.changed[t.name] = true
		}
	}
	s.ask()
}

// pauseOf returns how long after a poll the next one comes, as long as the polled
// type that is read most often can wait; 0 if none is polled.
func pauseOf(types []readType) (pause time.Duration) {
	for _, t := range types {
		if !t.announced && (pause == 0 || t.every < pause) {
			pause = t.every
		}
	}
	return pause
}

// due reports whether a type is to be read. One that is not read with every poll is
// due at the poll next to its time. What failed is tried again with every poll.
func (t readType) due(x *store.Reading, pause time.Duration, now time.Time) bool {
	return x.Inventory || !x.Failing.IsZero() || t.every <= pause || now.Sub(x.Completed) >= t.every-pause/2
}

// keepOnly removes the types that are not read any more.
func (s *schedule) keepOnly(types []readType) {
	for name := range s.readings {
		if !slices.ContainsFunc(types, func(t readType) bool { return t.name == name }) {
			delete(s.readings, name)
			s.removed = append(s.removed, name)
		}
	}
}

// lost reports whether the job of a reading must have been lost. That is by the
// machine's clock: the program's may be moved while a job runs.
func lost(x *store.Reading) bool { return !x.Asked.IsZero() && time.Since(x.Asked) > lostAfter }

// ask has as many waiting types read as may be, those first that wait longest.
func (s *schedule) ask() {
	var waiting []*store.Reading
	running, early := 0, 0
	for _, x := range s.readings {
		switch {
		case x.Token == 0:
		case x.Asked.IsZero():
			waiting = append(waiting, x)
		default:
			running++
		}
		if x.Token != 0 && !x.Late {
			early++
		}
	}
	slices.SortFunc(waiting, func(a, b *store.Reading) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Type, b.Type))
	})
	for _, x := range waiting {
		if running >= maxReadings {
			return
		}
		if x.Late && early > 0 {
			continue
		}
		running++
		x.Asked = time.Now()
		s.changed[x.Type] = true
		s.asked = append(s.asked, x)
	}
}

// again reports whether another poll has to come: for types that are polled, and
// for inventories, which that poll repeats if they fail.
func (s *schedule) again(types []readType) bool {
	return slices.ContainsFunc(types, func(t readType) bool { return !t.announced || s.readings[t.name].Inventory })
}

// end notes how the reading of a type ended, and has the next ones read. It
// reports false if the reading is not the one that is under way.
func (s *schedule) end(d discover, began, now time.Time, failure *readFailure) bool {
	x := s.readings[d.Type]
	if x == nil || x.Token != d.Token {
		return false
	}
	x.Token, x.Asked, x.Late = 0, time.Time{}, false
	x.Code, x.Message = "", ""
	if failure == nil {
		x.Inventory, x.Completed, x.Failing = false, began, time.Time{}
	} else {
		x.Code, x.Message = failure.code, failure.message
		if x.Failing.IsZero() {
			x.Failing = now
		}
	}
	s.changed[d.Type] = true
	s.ask()
	return true
}

// failing returns the types whose last reading failed, of those that a recorder
// records, by name.
func (s *schedule) failing(rec config.Recorder) []*store.Reading {
	var out []*store.Reading
	for _, x := range s.readings {
		if !x.Failing.IsZero() && rec.Records(x.Type) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b *store.Reading) int { return cmp.Compare(a.Type, b.Type) })
	return out
}
