package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A blame says since when a value is what it is.
type blame struct {
	Path, Value, Before string
	Text                string
	Href                string
	Off                 string
}

// addBlame looks back from the revision for the last change of a path.
func (r *resourcePage) addBlame(ctx context.Context, tx *db.Tx, v *visit) error {
	path := v.q.Get("blame")
	if path == "" || r.Item == nil {
		return nil
	}
	b := &blame{Path: path, Off: v.with("blame", "")}
	r.Blame = b
	present, there := lookup(r.Item.Form(), path)
	if !there {
		b.Text = "This revision has no such path."
		return nil
	}
	b.Value = leaf(present)
	want := canonical(present)
	since, looked := *r.Item, 0
	for after := r.Item.StateID; looked < maxBlame; {
		items, err := store.History(ctx, tx, store.HistoryQuery{Key: r.Key, To: endOfTime, After: after, Limit: blamePage})
		if err != nil {
			return err
		}
		for _, it := range items {
			if it, err = decoded(it); err != nil {
				return err
			}
			was, there := lookup(it.Form(), path)
			if !there || canonical(was) != want {
				b.found(v, since)
				if b.Before = "not there"; there {
					b.Before = leaf(was)
				}
				return nil
			}
			since, after = it, it.StateID
		}
		if looked += len(items); len(items) < blamePage {
			b.found(v, since)
			b.Text = "It is so since the oldest revision that is kept, of " + shortTime(since.CaptureTime) + "."
			return nil
		}
	}
	b.found(v, since)
	b.Text = fmt.Sprintf("It is so since %s at least; %d revisions were looked at.", shortTime(since.CaptureTime), looked)
	return nil
}

func (b *blame) found(v *visit, since config.Item) {
	b.Text = "It became so with the revision of " + shortTime(since.CaptureTime) + "."
	b.Href = v.with("rev", fmt.Sprint(since.StateID), "blame", "", "from", "")
}

func canonical(v any) string {
	text, _ := json.Marshal(v) // decoded JSON always encodes
	return string(text)
}

// lookup finds a path, whose members may have dots, in decoded JSON.
func lookup(v any, path string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		if member, ok := v[path]; ok {
			return member, true
		}
		for i, c := range path {
			if c != '.' {
				continue
			}
			if member, ok := v[path[:i]]; ok {
				if found, ok := lookup(member, path[i+1:]); ok {
					return found, true
				}
			}
		}
	case []any:
		first, rest, more := strings.Cut(path, ".")
		i, err := strconv.Atoi(first)
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		if !more {
			return v[i], true
		}
		return lookup(v[i], rest)
	}
	return nil, false
}
