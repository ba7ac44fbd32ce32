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

// announcements reads, before resources are looked at, how often they were
// announced; nil where they do not announce themselves.
func (r *Recorder) announcements(
	ctx context.Context, p config.Place, resourceType string,
	read func(ctx context.Context, tx *db.Tx) (map[config.ResourceKey]store.Announcement, error),
) (heard map[config.ResourceKey]store.Announcement, err error) {
	if !r.Source.Announces(p, resourceType) {
		return nil, nil
	}
	err = r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		heard, err = read(ctx, tx)
		return err
	})
	return heard, err
}

// after is what a sight of a resource follows.
func after(heard map[config.ResourceKey]store.Announcement, key config.ResourceKey) *int64 {
	if heard == nil {
		return nil
	}
	return new(heard[key].Announced)
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
