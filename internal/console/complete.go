package console

import (
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/query"
	"plumb/internal/search"
	"plumb/internal/store"
)

const (
	maxCompletions  = 40
	completionItems = 20 // items whose paths are offered
)

// A completion is what may stand in place of the word that is being written in a query.
type completion struct {
	Word  string   `json:"word"`
	Words []string `json:"words"`
}

// showComplete lists what a query may go on with. Its JSON is what the query's field asks for
// while somebody types.
func showComplete(v *visit) (*page, error) {
	spot := query.SpotAt(v.q.Get("before"), v.q.Get("rest"))
	all, err := v.completions(spot)
	if err != nil {
		return nil, err
	}
	c := completion{Word: spot.Word, Words: []string{}}
	for _, w := range all {
		if len(w) > len(spot.Word) && strings.EqualFold(w[:len(spot.Word)], spot.Word) && len(c.Words) < maxCompletions {
			c.Words = append(c.Words, w)
		}
	}
	t := &table{Caption: "What the query may go on with", Columns: []col{{Name: "word"}}}
	for _, w := range c.Words {
		t.Rows = append(t.Rows, row{Cells: []cell{code(w)}})
	}
	p := list("Completions", "", t)
	p.JSON = c
	return p, nil
}

func (v *visit) completions(spot query.Spot) (all []string, err error) {
	inside := strings.HasPrefix(spot.Word, "configuration.") || strings.HasPrefix(spot.Word, "supplementaryConfiguration.")
	switch {
	case spot.Value == "" && spot.Word == "":
		return nil, nil
	case spot.Value == "" && !inside:
		return query.Words(), nil
	case spot.Value == "configurationItemStatus":
		for _, s := range config.ItemStatuses() {
			all = append(all, string(s))
		}
		return all, nil
	}
	var places []config.Place
	err = v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if spot.Value != "resourceType" {
			places, err = v.places(ctx, tx)
			return err
		}
		types, err := store.TallyTypesOf(ctx, tx, v.account())
		for t := range types {
			all = append(all, t.Type)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case spot.Value == "accountId":
		for _, p := range places {
			all = append(all, p.Account)
		}
	case spot.Value == "awsRegion":
		for _, p := range places {
			all = append(all, p.Region)
		}
	case spot.Value == "" && inside:
		all, err = v.paths(spot, places)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// paths are those below the configuration of some items of the type that the query asks
// for, without the numbers of lists.
func (v *visit) paths(spot query.Spot, places []config.Place) ([]string, error) {
	root, _, _ := strings.Cut(spot.Word, ".")
	text := "SELECT " + root
	if spot.Type != "" {
		text += " WHERE resourceType = " + sqlText(spot.Type)
	}
	q, err := query.ParseExtended(text)
	if err != nil {
		return nil, nil // the type makes the query too long
	}
	found, err := search.Select(v.ctx, v.DB, q, places, search.Window{Limit: completionItems})
	all := map[string]bool{}
	for _, r := range found.Rows {
		form, err := config.Decode([]byte(r))
		if err != nil {
			return nil, err
		}
		addPaths("", form, all)
	}
	return slices.Collect(maps.Keys(all)), err
}

func addPaths(path string, v any, all map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			below := joined(path, name)
			all[below] = true
			addPaths(below, member, all)
		}
	case []any:
		for _, e := range v {
			addPaths(path, e, all)
		}
	}
}
