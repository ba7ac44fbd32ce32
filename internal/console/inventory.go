package console

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

const inventoryPage = 50

// showInventory lists the types that there are with what rules judge of them, the
// resources of the types that the filters name, or those that ever held a value.
func showInventory(v *visit) (*page, error) {
	d := inventoryView{Value: strings.TrimSpace(v.q.Get("value")), Query: v.link("query"), Without: v.with("value", "")}
	var all map[store.TypeAt]store.PlaceTally
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		all, err = store.TallyTypesOf(ctx, tx, v.account())
		return err
	})
	if err != nil {
		return nil, err
	}
	d.Facets = inventoryFacets(v, all)
	p := &page{Title: "Inventory", Template: "inventory", Calls: []call{
		v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice get-discovered-resource-counts"),
		sql("SELECT resourceType, COUNT(*) GROUP BY resourceType")}}
	d.Kept = v.parts(func(name string) bool { return name == "is" || name == "not" || name == "at" })
	types := v.filters.is["type"]
	switch {
	case d.Value != "":
		if d.Table, d.Looked, err = heldTable(v, d.Value); err != nil {
			return nil, err
		}
		p.Calls = []call{sql("SELECT * FROM history")}
		p.AtNote = "The search goes back from then."
	case len(types) > 0:
		d.Typed, d.Shown = true, v.q.Get("deleted") == "show"
		d.Deleted = v.with("deleted", map[bool]string{true: "", false: "show"}[d.Shown])
		if d.Table, err = resourcesOf(v, types); err != nil {
			return nil, err
		}
		p.Calls = []call{v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice list-discovered-resources", "resource-type", types[0]),
			sql("SELECT resourceId, accountId, awsRegion WHERE resourceType = " + sqlText(types[0]))}
	default:
		d.Table = coverage(v, all)
		p.AtNote = "These numbers are kept as they are now. Choose a type to see its resources of that moment."
	}
	p.Data, p.Table = d, d.Table
	return p, nil
}

type inventoryView struct {
	listPage
	Query   string
	Deleted string
	Shown   bool // deleted ones are
	Typed   bool
	Value   string // that is searched for in all revisions
	Looked  string // how far the search looked
	Without string // the address without the search
	Kept    []pair // parts of the address that a search leaves
}

func inventoryFacets(v *visit, all map[store.TypeAt]store.PlaceTally) []facet {
	types, accounts, regions := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for k, n := range all {
		if n.Live > 0 && v.filters.leave("account", k.Account) && v.filters.leave("region", k.Region) {
			types[k.Type] += n.Live
		}
		if n.Live > 0 && v.filters.leave("type", k.Type) {
			accounts[k.Account] += n.Live
			regions[k.Region] += n.Live
		}
	}
	return []facet{v.countedFacet("type", types), v.countedFacet("account", accounts), v.countedFacet("region", regions)}
}

// coverage says of each type how much of it rules judge. What nobody judges is not green.
func coverage(v *visit, all map[store.TypeAt]store.PlaceTally) *table {
	t := &table{Caption: "Types that are recorded", Empty: "Nothing is recorded.",
		Columns: []col{{Name: "type"}, {"recorded", true}, {"judged", true}, {"failing", true}, {Name: "complies"}}}
	sums := map[string]store.PlaceTally{}
	for k, n := range all {
		if v.filters.leave("account", k.Account) && v.filters.leave("region", k.Region) && v.filters.leave("type", k.Type) {
			s := sums[k.Type]
			s.Live, s.Compliant, s.NonCompliant = s.Live+n.Live, s.Compliant+n.Compliant, s.NonCompliant+n.NonCompliant
			sums[k.Type] = s
		}
	}
	for _, kind := range slices.SortedFunc(maps.Keys(sums), func(a, b string) int { return cmp.Or(cmp.Compare(sums[b].Live, sums[a].Live), strings.Compare(a, b)) }) {
		s := sums[kind]
		if s.Live == 0 && s.Compliant+s.NonCompliant == 0 {
			continue
		}
		r := row{Cells: []cell{linked(kind, v.filtered("is", "type", kind)), number(s.Live), number(s.Compliant + s.NonCompliant), number(s.NonCompliant), share(s.Compliant, s.NonCompliant)}}
		switch {
		case s.Compliant+s.NonCompliant == 0:
			r.Mark, r.Cells[4] = "warn", faint("no rule judges it")
		case s.NonCompliant > 0:
			r.Mark = "bad"
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// resourcesOf lists resources of some types, as they are or as they were.
func resourcesOf(v *visit, types []string) (*table, error) {
	t := &table{Caption: "Resources", Empty: "There is none of these types.", Columns: []col{{Name: "resource"}, {Name: "name"}, {Name: "type"}, {Name: "account"}, {Name: "region"}, {Name: "verdicts"}}}
	after, err := v.keyAfter()
	if err != nil {
		return nil, err
	}
	types = slices.Sorted(slices.Values(types))
	err = v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range places {
			if p.Compare(after.Place) < 0 {
				continue
			}
			from := config.ResourceKey{Place: p}
			if p == after.Place {
				from = after
			}
			more, err := v.addResources(ctx, tx, t, p, types, from)
			if err != nil || more {
				return err
			}
		}
		return nil
	})
	return t, err
}

// addResources adds resources of a place until the page is full.
func (v *visit) addResources(ctx context.Context, tx *db.Tx, t *table, p config.Place, types []string, after config.ResourceKey) (full bool, err error) {
	if v.past() {
		items, next, err := store.AsOf(ctx, tx, p, v.at, types, after, inventoryPage-len(t.Rows))
		for _, it := range items {
			t.Rows = append(t.Rows, row{Cells: []cell{linked(it.ID, v.resource(it.ResourceKey)), {Text: it.Name}, {Text: it.Type, Kind: "short"}, {Text: p.Account, Kind: "short"}, {Text: p.Region, Kind: "short"}, faint("not kept for the past")}})
		}
		if next != (config.ResourceKey{}) {
			t.More = v.afterKey(next)
			return true, err
		}
		return false, err
	}
	for _, kind := range types {
		if kind < after.Type {
			continue
		}
		past := ""
		if kind == after.Type {
			past = after.ID
		}
		found, err := store.Resources(ctx, tx, store.ResourceQuery{
			Place: p, Type: kind, After: past, IncludeDeleted: v.q.Get("deleted") == "show", Limit: inventoryPage - len(t.Rows)})
		if err != nil {
			return false, err
		}
		keys := make([]config.ResourceKey, len(found))
		for i, r := range found {
			keys[i] = r.ResourceKey
		}
		tallies, err := store.RollUps(ctx, tx, p, keys)
		if err != nil {
			return false, err
		}
		for _, r := range found {
			t.Rows = append(t.Rows, inventoryRow(v, r, tallies[r.ResourceKey]))
		}
		if len(t.Rows) >= inventoryPage {
			t.More = v.afterKey(keys[len(keys)-1])
			return true, nil
		}
	}
	return false, nil
}

func inventoryRow(v *visit, r store.Resource, tally store.Tally) row {
	state := faint("no rule says anything")
	if tally != (store.Tally{}) {
		state = verdict(tally.Compliance())
	}
	out := row{Cells: []cell{linked(r.ID, v.resource(r.ResourceKey)), {Text: r.Name}, {Text: r.Type, Kind: "short"}, {Text: r.Account, Kind: "short"}, {Text: r.Region, Kind: "short"}, state}}
	switch {
	case r.Status.Gone():
		out.Cells[0].Note = "deleted " + shortTime(r.Deleted)
	case r.Status == config.StatusNotRecorded:
		out.Cells[0].Note = "not recorded any more"
	case tally.NonCompliant > 0:
		out.Mark = "bad"
	}
	return out
}
