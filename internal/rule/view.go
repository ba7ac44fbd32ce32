package rule

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule/view"
	"plumb/internal/store"
)

// maxSeen bounds the resources of one type that a rule may look through: they are
// all in memory while it does.
const maxSeen = 20_000

// A recorded is the View of what is recorded in a place. It reads a type when the
// first rule asks for it.
type recorded struct {
	ctx   context.Context
	e     *Engine
	place config.Place
	now   time.Time

	mu    sync.Mutex
	types map[string]*seen
}

// A seen type is read once.
type seen struct {
	once   sync.Once
	global bool // it belongs to no region, and may be recorded in several
	all    []any
	by     map[string][]any // by id and by name
	err    error
}

func (e *Engine) view(ctx context.Context, p config.Place) *recorded {
	return &recorded{ctx: ctx, e: e, place: p, now: e.Now(), types: map[string]*seen{}}
}

// Now is when the evaluation began.
func (v *recorded) Now() time.Time { return v.now }

// All returns the documents of a type.
func (v *recorded) All(resourceType string) ([]any, error) {
	s := v.see(resourceType)
	return s.all, s.err
}

// Some returns the documents with these ids or names.
func (v *recorded) Some(resourceType string, idsOrNames []string) ([]any, error) {
	s := v.see(resourceType)
	list := []any{}
	for i, name := range idsOrNames {
		if !slices.Contains(idsOrNames[:i], name) {
			list = append(list, s.by[name]...)
		}
	}
	return list, s.err
}

func (v *recorded) see(resourceType string) *seen {
	v.mu.Lock()
	s := v.types[resourceType]
	if s == nil {
		s = &seen{}
		v.types[resourceType] = s
	}
	v.mu.Unlock()
	s.once.Do(func() { s.err = v.read(resourceType, s) })
	return s
}

func (v *recorded) read(resourceType string, s *seen) error {
	s.all, s.by, s.global = []any{}, map[string][]any{}, v.e.Global(resourceType)
	places, err := v.places(s.global)
	if err != nil {
		return err
	}
	known, failure := false, ""
	for _, p := range places {
		is, why, err := v.readPlace(p, resourceType, s)
		if err != nil {
			return err
		}
		known, failure = known || is, cmp.Or(failure, why)
	}
	switch {
	case known:
		return nil
	case failure != "":
		return view.NotReadable(resourceType, failure)
	}
	return view.NotRecorded(resourceType)
}

// places are where resources of a type may be recorded.
func (v *recorded) places(global bool) (list []config.Place, err error) {
	if !global {
		return []config.Place{v.place}, nil
	}
	err = v.e.DB.Read(v.ctx, func(tx *db.Tx) error {
		list, err = store.PlacesOf(v.ctx, tx, v.place.Account)
		return err
	})
	return list, err
}

// readPlace adds the resources of a place, and reports whether anything is known
// of them: there are some, or a complete reading found none. Else it says why they
// could not be read, if that was tried.
func (v *recorded) readPlace(p config.Place, resourceType string, s *seen) (known bool, failure string, err error) {
	after := config.ResourceKey{Place: p}
	for more := true; more; {
		var items []config.Item
		err := v.e.DB.Read(v.ctx, func(tx *db.Tx) error {
			keys, err := store.LiveKeys(v.ctx, tx, p, []string{resourceType}, after, maxPage)
			if err != nil || len(keys) == 0 {
				more = false
				return err
			}
			after, more = keys[len(keys)-1], len(keys) == maxPage
			items, err = store.DecodedItems(v.ctx, tx, p, keys)
			return err
		})
		if err != nil {
			return false, "", err
		}
		if err := s.add(items); err != nil {
			return false, "", err
		}
		known = known || len(items) > 0
	}
	if known {
		return true, "", nil
	}
	var r store.Reading
	err = v.e.DB.Read(v.ctx, func(tx *db.Tx) (err error) {
		r, err = store.ReadingOf(v.ctx, tx, p, resourceType)
		return err
	})
	return !r.Completed.IsZero(), r.Message, err
}

func (s *seen) add(items []config.Item) error {
	for i := range items {
		it := &items[i]
		if s.global && s.by[it.ID] != nil {
			continue
		}
		d := view.Document(it)
		s.all = append(s.all, d)
		s.by[it.ID] = append(s.by[it.ID], d)
		if it.Name != "" && it.Name != it.ID {
			s.by[it.Name] = append(s.by[it.Name], d)
		}
	}
	if len(s.all) > maxSeen {
		return fmt.Errorf("there are more than %d resources of type %s, which a rule cannot look through", maxSeen, items[0].Type)
	}
	return nil
}
