package console

import (
	"context"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// maxFound is how many resources the search field lists.
const maxFound = 50

// showFind lists what has an id, a name or an ARN. One is shown at once, by its page.
func showFind(v *visit) (*page, error) {
	text := strings.TrimSpace(v.q.Get("q"))
	t := &table{
		Caption: "Resources and rules", Columns: []col{{Name: "resource"}, {Name: "type"}, {Name: "account"}, {Name: "region"}, {Name: "state"}},
		Empty: "Nothing recorded has exactly this id, name or ARN.",
	}
	if text == "" {
		return list("Find", "Type an id, a name or an ARN.", t), nil
	}
	t.Else = linked("Look for resources that ever held it as a value", v.link("inventory", "value", text))
	err := v.read(func(ctx context.Context, tx *db.Tx) error {
		found, err := store.FindResources(ctx, tx, v.account(), text, maxFound)
		for _, f := range found {
			t.Rows = append(t.Rows, foundRow(v, f))
		}
		if err != nil {
			return err
		}
		rules, err := store.ListRules(ctx, tx, v.account(), store.RulePosition{Name: text}, maxFound)
		for _, r := range rules {
			if r.Name == text { // those that come after it are listed too
				t.Rows = append(t.Rows, row{Cells: []cell{linked(r.Name, v.rule(r.Place, r.Name)), plain("rule"), cell{Text: r.Account, Kind: "short"}, cell{Text: r.Region, Kind: "short"}, plain("")}})
			}
		}
		return err
	})
	return list("Find “"+short(text, 60)+"”", "", t), err
}

func foundRow(v *visit, f store.FoundResource) row {
	state := plain("recorded")
	switch {
	case f.Status.Gone():
		state = faint("deleted")
	case f.Status == config.StatusNotRecorded:
		state = faint("not recorded")
	}
	name := f.ID
	if f.Name != "" && f.Name != f.ID {
		name = f.Name + " (" + f.ID + ")"
	}
	return row{Cells: []cell{linked(name, v.resource(f.ResourceKey)), plain(f.Type), plain(f.Account), plain(f.Region), state}}
}
