package console

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

const (
	heldPage     = 40
	maxHeldLook  = 1000 // revisions that one page looks at
	maxHeldWord  = 1000 // bytes of a value that is searched for
	maxHeldUntil = 200  // revisions that are looked at for the end of a stretch
)

// A heldSearch looks through the revisions of all resources for a value.
type heldSearch struct {
	*visit
	value string
	until time.Time // no revision after it counts
	table *table
	err   error // the first one of reading a revision
}

// heldTable lists when resources held a value: a row for each stretch of revisions in a
// row that do, by its first one, the newest first. The second result says how far it looked.
func heldTable(v *visit, value string) (*table, string, error) {
	if len(value) > maxHeldWord {
		return nil, "", wrong(fmt.Sprintf("A value to search for has at most %d bytes.", maxHeldWord))
	}
	s := &heldSearch{visit: v, value: value, until: endOfTime, table: &table{
		Caption: "Resources that held “" + short(value, 60) + "”, the newest first", Empty: "No revision that was looked at began to hold it.",
		Columns: []col{{Name: "since"}, {Name: "until"}, {Name: "resource"}, {Name: "where"}, {Name: "value"}, {Name: "type"}, {Name: "account"}, {Name: "region"}},
	}}
	if v.past() {
		s.until = v.at
	}
	q := store.ChangeQuery{To: s.until, Limit: heldPage, Look: maxHeldLook}
	if text := v.q.Get("after"); text != "" && json.Unmarshal([]byte(text), &q.Before) != nil {
		return nil, "", wrong("No page ends there.")
	}
	var found store.Changes
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		q.Keep = func(c store.Change) bool { return s.err == nil && s.wanted(c) && s.add(ctx, tx, c) }
		found, err = store.ListChanges(ctx, tx, q)
		if s.err != nil {
			return s.err
		}
		return err
	})
	if found.Unlisted {
		s.table.Note = "Months that an older version recorded are not listed by time yet; that is made up for during the night."
	}
	n := counted(int64(len(s.table.Rows)), "time", "times")
	if !found.More {
		return s.table, "Found " + n + " on this page. It goes back to the oldest revision that is kept.", err
	}
	text, _ := json.Marshal(found.Last) // numbers cannot fail
	s.table.More = v.with("after", string(text))
	return s.table, "Found at least " + n + ". Looked back until " + shortTime(time.UnixMilli(found.Last.StateID)) + ".", err
}

// wanted reports whether a revision is one that the visitor may see and the filters leave.
// AWS Config's own items repeat what others hold, and count if the filters name them.
func (s *heldSearch) wanted(c store.Change) bool {
	return s.allowed(c.Account) && s.filters.leave("account", c.Account) && s.filters.leave("region", c.Region) && s.filters.leave("type", c.Type) &&
		(!isOwn(c.Type) || len(s.filters.is["type"]) > 0)
}

// add adds a row if a resource began to hold the value with a revision.
func (s *heldSearch) add(ctx context.Context, tx *db.Tx, c store.Change) bool {
	path, value, here, err := s.holdsAt(ctx, tx, c.VersionKey)
	before := false
	if here && err == nil && c.Previous != 0 {
		_, _, before, err = s.holdsAt(ctx, tx, config.VersionKey{ResourceKey: c.ResourceKey, StateID: c.Previous})
	}
	if err != nil || !here || before {
		s.err = err
		return false
	}
	end, err := s.end(ctx, tx, c.VersionKey)
	if err != nil {
		s.err = err
		return false
	}
	name := c.ID
	if c.Name != "" {
		name = c.Name
	}
	s.table.Rows = append(s.table.Rows, row{Cells: []cell{
		moment(c.At(), s.now), end, linked(name, s.resource(c.ResourceKey, "rev", fmt.Sprint(c.StateID))), code(path), {Text: short(value, 80)},
		{Text: c.Type, Kind: "short"}, {Text: c.Account, Kind: "short"}, {Text: c.Region, Kind: "short"}}})
	return true
}

// holdsAt reports whether a revision holds the value. One that retention has deleted
// does not.
func (s *heldSearch) holdsAt(ctx context.Context, tx *db.Tx, k config.VersionKey) (path, value string, ok bool, err error) {
	it, err := store.ItemVersion(ctx, tx, k)
	if isNotFound(err) {
		return "", "", false, nil
	}
	if err == nil {
		path, value, ok = itemHolds(it, s.value)
	}
	return path, value, ok, err
}

// end says until when a resource held the value that it began to hold with a revision.
func (s *heldSearch) end(ctx context.Context, tx *db.Tx, k config.VersionKey) (cell, error) {
	after, at := k.StateID, time.UnixMilli(k.StateID)
	for looked := 0; looked < maxHeldUntil; looked += blamePage {
		items, err := store.History(ctx, tx, store.HistoryQuery{Key: k.ResourceKey, To: s.until, Forward: true, After: after, Limit: blamePage})
		if err != nil {
			return cell{}, err
		}
		for _, it := range items {
			if it, err = decoded(it); err != nil {
				return cell{}, err
			}
			if _, _, ok := itemHolds(it, s.value); !ok {
				return moment(it.CaptureTime, s.now), nil
			}
			after, at = it.StateID, it.CaptureTime
		}
		if len(items) < blamePage {
			return plain("still"), nil
		}
	}
	return plain("at least " + shortTime(at)), nil
}

// itemHolds finds a value in an item of a resource that was there.
func itemHolds(it config.Item, value string) (path, held string, ok bool) {
	if it.Status.Gone() || it.Status == config.StatusNotRecorded {
		return "", "", false
	}
	return holds("", it.Form(), value)
}

// holds finds the first path in decoded JSON, by name, whose value is a text or has it as
// a whole word.
func holds(path string, v any, text string) (at, held string, ok bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if at, held, ok = holds(joined(path, name), v[name], text); ok {
				return at, held, true
			}
		}
	case []any:
		for i, e := range v {
			if at, held, ok = holds(joined(path, fmt.Sprint(i)), e, text); ok {
				return at, held, true
			}
		}
	case nil:
	default:
		held = leaf(v)
		return path, held, hasWord(held, text)
	}
	return "", "", false
}

// hasWord reports whether a text has another one with no letter, digit, dash, underscore
// or dot beside it, so that 10.0.0.7 is in 10.0.0.7/32 and not in 10.0.0.70.
func hasWord(text, word string) bool {
	if word == "" {
		return false
	}
	if text == word {
		return true
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, size := utf8.DecodeRuneInString(text[i+len(word):])
		if (i == 0 || !inWord(before)) && (size == 0 || !inWord(after)) {
			return true
		}
		_, step := utf8.DecodeRuneInString(text[i:])
		from = i + step
	}
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)
}
