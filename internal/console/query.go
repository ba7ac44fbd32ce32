package console

import (
	"context"
	"errors"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/query"
	"plumb/internal/search"
	"plumb/internal/store"
)

const queryPage = 100

type queryView struct {
	Expression string
	Failed     string
	Table      *table
	Stored     []choice
	Examples   []choice
	At         string // kept by the form
}

// Examples of queries, which show what the language has.
var queryExamples = []string{
	"SELECT resourceType, COUNT(*) GROUP BY resourceType",
	"SELECT resourceId, resourceType, accountId, awsRegion, tags WHERE resourceType = 'AWS::S3::Bucket'",
	"SELECT resourceId, configurationItemCaptureTime, configurationItemStatus FROM history WHERE resourceType = 'AWS::S3::Bucket' ORDER BY configurationItemCaptureTime DESC",
	"SELECT resourceId, related.resourceType, related.resourceId, related.relationshipName JOIN related ON relationships WHERE resourceType = 'AWS::EC2::Instance'",
	"SELECT accountId, resourceId, configuration.complianceType WHERE resourceType = 'AWS::Config::ResourceCompliance' AND configuration.complianceType = 'NON_COMPLIANT'",
}

func showQuery(v *visit) (*page, error) {
	d := &queryView{Expression: strings.TrimSpace(v.q.Get("sql"))}
	for _, text := range queryExamples {
		d.Examples = append(d.Examples, choice{Text: text, Href: v.link("query", "sql", text)})
	}
	p := &page{Title: "Query", Template: "query", Data: d, AtNote: "The query is asked as of then, unless it says AS OF itself."}
	if v.past() {
		d.At = v.at.Format("2006-01-02T15:04:05Z07:00")
	}
	places, err := d.prepare(v)
	if err != nil || d.Expression == "" {
		return p, err
	}
	q, err := query.ParseExtended(d.Expression)
	if err != nil {
		d.Failed = plainError(err)
		return p, nil
	}
	if v.past() && !q.Past() {
		q.AsOf = v.at
	}
	if err := d.run(v, q, places); err != nil {
		return nil, err
	}
	p.Table = d.Table
	p.Calls = []call{
		v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice select-resource-config", "expression", d.Expression),
		{"Plumb", "plumb query " + quoted(d.Expression)},
	}
	return p, nil
}

// prepare reads where to ask, and the stored queries of the default place.
func (d *queryView) prepare(v *visit) (places []config.Place, err error) {
	home, err := v.place()
	if err != nil {
		return nil, err
	}
	err = v.read(func(ctx context.Context, tx *db.Tx) error {
		if places, err = v.places(ctx, tx); err != nil {
			return err
		}
		stored, err := store.StoredQueries(ctx, tx, home, "", 50)
		for _, s := range stored {
			d.Stored = append(d.Stored, choice{Text: s.Name, Href: v.link("query", "sql", s.Expression)})
		}
		return err
	})
	return places, err
}

// run asks, and shows an error of the query beside it.
func (d *queryView) run(v *visit, q *query.Query, places []config.Place) error {
	page, err := search.Select(v.ctx, v.DB, q, places, search.Window{After: v.q.Get("after"), Limit: queryPage})
	var told *search.Error
	switch {
	case errors.Is(err, search.ErrWindow):
		return wrong("No page ends there.")
	case errors.As(err, &told):
		d.Failed = told.Error()
		return nil
	case err != nil:
		if e, ok := errors.AsType[*model.Error](err); ok {
			d.Failed = e.Message
			return nil
		}
		return err
	}
	d.Table, err = queryTable(v, q, page)
	return err
}

func plainError(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// queryTable has a column for each member of the rows, in the order of the query where
// it names them.
func queryTable(v *visit, q *query.Query, page search.Page) (*table, error) {
	t := &table{Caption: counted(int64(len(page.Rows)), "row", "rows"), Empty: "Nothing matches."}
	var rows []map[string]any
	names := q.Fields()
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	for _, text := range page.Rows {
		form, err := config.Decode([]byte(text))
		if err != nil {
			return nil, err
		}
		flat := map[string]any{}
		flatten("", form, names, flat)
		for _, k := range sortedKeys(flat) {
			if !known[k] {
				known[k] = true
				names = append(names, k)
			}
		}
		rows = append(rows, flat)
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		return len(rows) > 0 && !slices.ContainsFunc(rows, func(r map[string]any) bool { _, ok := r[n]; return ok })
	})
	for _, n := range names {
		t.Columns = append(t.Columns, col{Name: n})
	}
	for _, r := range rows {
		var line row
		for _, n := range names {
			line.Cells = append(line.Cells, queryCell(v, n, r))
		}
		t.Rows = append(t.Rows, line)
	}
	if page.Next != "" {
		t.More = v.with("after", page.Next)
	}
	return t, nil
}

// flatten gives members their paths; what the query names stays whole.
func flatten(path string, value any, whole []string, out map[string]any) {
	m, ok := value.(map[string]any)
	if !ok || path != "" && slices.Contains(whole, path) {
		out[path] = value
		return
	}
	for k, member := range m {
		flatten(joined(path, k), member, whole, out)
	}
}

// queryCell shows a value. An id leads to its resource, where the row says which it is.
func queryCell(v *visit, name string, r map[string]any) cell {
	value, there := r[name]
	if !there {
		return faint("—")
	}
	c := cell{Text: short(leaf(value), 300)}
	if name == "resourceId" {
		kind, _ := r["resourceType"].(string)
		account, _ := r["accountId"].(string)
		region, _ := r["awsRegion"].(string)
		if kind != "" && account != "" && region != "" {
			c.Href = v.resource(config.ResourceKey{Place: config.Place{Account: account, Region: region}, Type: kind, ID: c.Text})
		} else {
			c.Href = v.link("find", "q", c.Text)
		}
	}
	return c
}
