package recorder

import (
	"context"
	"maps"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Resources that announce their changes are looked at by several jobs at once,
// and one that looked early may come to record late. Nothing would look again,
// so each sight knows how many announcements it followed, and one that a later
// sight has overtaken is dropped.

// announcements returns how often resources of a type were announced, those
// keys or all; nil where they do not announce themselves.
func (r *Recorder) announcements(
	ctx context.Context, p config.Place, resourceType string, keys ...config.ResourceKey,
) (map[config.ResourceKey]int64, error) {
	if !r.Source.Announces(p, resourceType) {
		return nil, nil
	}
	counts := map[config.ResourceKey]int64{}
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		var heard map[config.ResourceKey]store.Announcement
		if len(keys) == 0 {
			heard, err = store.AnnouncementsOfType(ctx, tx, p, resourceType)
		} else {
			heard, err = store.Announcements(ctx, tx, p, keys)
		}
		for k, a := range heard {
			counts[k] = a.Announced
		}
		return err
	})
	return counts, err
}

// after is what a sight of a resource follows.
func after(heard map[config.ResourceKey]int64, key config.ResourceKey) *int64 {
	if heard == nil {
		return nil
	}
	return new(heard[key])
}

// looks is how often a resource is looked at that changes meanwhile. The last
// look is taken as it is: the job of the change comes after it in any case.
const looks = 10

// look reads a resource while nothing of it changes, so that of two looks after
// the same announcement both saw the same.
func (r *Recorder) look(ctx context.Context, key config.ResourceKey) (s Seen, err error) {
	before, err := r.announcements(ctx, key.Place, key.Type, key)
	for range looks {
		if err != nil {
			return Seen{}, err
		}
		it, found, err := r.Source.Describe(ctx, key)
		if err != nil {
			return Seen{}, err
		}
		it.ResourceKey = key
		s = Seen{Item: it, Gone: !found, After: after(before, key)}
		now, err := r.announcements(ctx, key.Place, key.Type, key)
		if err != nil || now[key] == before[key] {
			return s, err
		}
		before = now
	}
	return s, err
}

// A sight is a resource that was looked at after that many announcements.
type sight struct {
	key   config.ResourceKey
	after int64
}

// overtaken reports whether a later sight of the same resource was dealt with.
func (pl *plan) overtaken(s Seen) bool {
	return s.After != nil && *s.After < pl.heard[s.Item.ResourceKey].Seen
}

// lookAgain has the plan ask for another look, if an overtaken sight was of a
// resource that gets an item because of another one and has not got it.
func (pl *plan) lookAgain(s Seen) {
	if s.Since > pl.heads[s.Item.ResourceKey].StateID {
		pl.postponed = append(pl.postponed, postponement{key: s.Item.ResourceKey, since: s.Since})
	}
}

// noteSight has the plan write that a sight was dealt with, if that is news.
func (pl *plan) noteSight(s Seen) {
	if s.After != nil && *s.After > pl.heard[s.Item.ResourceKey].Seen {
		pl.sights = append(pl.sights, sight{s.Item.ResourceKey, *s.After})
	}
}

// hear reads how far the resources of the plan were looked at.
func (pl *plan) hear(ctx context.Context, tx *db.Tx, seen []Seen) (err error) {
	for _, s := range seen {
		if s.After != nil {
			pl.announced = append(pl.announced, s.Item.ResourceKey)
		}
	}
	pl.heard, err = store.Announcements(ctx, tx, pl.place, pl.announced)
	return err
}

// stillHeard returns errMoved if one of them was looked at meanwhile.
func (pl *plan) stillHeard(ctx context.Context, tx *db.Tx) error {
	heard, err := store.Announcements(ctx, tx, pl.place, pl.announced)
	if err != nil {
		return err
	}
	if !maps.EqualFunc(heard, pl.heard, func(a, b store.Announcement) bool { return a.Seen == b.Seen }) {
		return errMoved
	}
	for _, s := range pl.sights {
		if err := store.SetSeen(ctx, tx, s.key, s.after); err != nil {
			return err
		}
	}
	return nil
}
