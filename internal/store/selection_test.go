package store_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/query"
	"plumb/internal/store"
)

// A population is resources that were made up, in their event forms.
type population struct {
	suite
	r      *rand.Rand
	places []config.Place
	forms  map[config.ResourceKey]map[string]any
	names  []string // of what conditions are about; nil for properties
}

var scalars = []any{
	"a", "ab", "abc", "abcd", "abc_d", "Zürich", "ABC", "", "10", "1.5", "true", "it's", "a.b*c", "x\ny", "é",
	"10.0.0.1", "10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.168.1.255", "010.0.0.1", "10.0.0.1/33", "1.2.3", "2001:db8::/32", "2001:db8::5", "::", "::ffff:10.0.0.1", "fe80::1%eth0", "a::b::c::",
	"2024-01-01T00:00:00.000Z", "2024-06-01",
	int64(0), int64(10), int64(-5), int64(1700000000000), 1.5, -0.25, 1e21, true, false, nil,
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

var members = []string{"a", "b", "list", "Deep-Name", "value"}

// value makes up JSON. Lists in lists only end paths.
func (p *population) value(depth int) any {
	switch n := p.r.IntN(10); {
	case depth > 0 && n < 3:
		object := map[string]any{}
		for range p.r.IntN(4) {
			object[pick(p.r, members)] = p.value(depth - 1)
		}
		return object
	case depth > 0 && n < 6:
		list := []any{}
		for range p.r.IntN(4) {
			list = append(list, p.value(depth-1))
		}
		return list
	default:
		return pick(p.r, scalars)
	}
}

var kinds = []string{"A::B::C", "A::B::D", "X::Y::Z"}

func (p *population) make(n int) {
	for i := range n {
		k := config.ResourceKey{Place: pick(p.r, p.places), Type: pick(p.r, kinds), ID: fmt.Sprintf("r-%02d", p.r.IntN(60))}
		it := p.add(k, i, func(it *store.NewItem) {
			it.Name = pick(p.r, []string{"", "name-1", "name-2", "abc"})
			it.ARN = pick(p.r, []string{"", "arn:" + k.ID})
			it.AWSRegion = pick(p.r, []string{"", "global"})
			for range p.r.IntN(3) {
				it.Tags[pick(p.r, []string{"env", "a", "a=b"})] = pick(p.r, []string{"prod", "b=c", "c", "", "10.0.0.1"})
			}
			it.Relationships = []config.Relationship{{Type: "AWS::EC2::VPC", ID: pick(p.r, []string{"vpc-1", "vpc-2"}), Name: "Is contained in Vpc"}, {Type: "AWS::IAM::Role", ResourceName: "role", Name: "x "}}[:p.r.IntN(3)]
			for range p.r.IntN(4) {
				r := config.Relationship{Type: pick(p.r, kinds), ID: fmt.Sprintf("r-%02d", p.r.IntN(60)), Name: pick(p.r, []string{"Contains ", "abcd"})}
				if p.r.IntN(3) == 0 {
					r.ID, r.ResourceName = "", pick(p.r, []string{"name-1", "name-2", "none", ""})
				}
				it.Relationships = append(it.Relationships, r)
			}
			it.Configuration = map[string]any{"a": p.value(3), "b": p.value(2), "list": []any{p.value(1), p.value(1)}, "o": map[string]any{"a": p.value(0), "b": p.value(1)}}
			it.Supplementary = map[string]any{"a": p.value(2)}
			if p.r.IntN(12) == 0 {
				gone(it)
			}
		})
		delete(p.forms, k)
		if it.Status != config.StatusDeleted {
			text, err := json.Marshal(it)
			p.must(err)
			v, err := config.Decode(text)
			p.must(err)
			p.forms[k] = v.(map[string]any)
		}
	}
}

var properties = []string{
	"resourceType", "resourceId", "resourceName", "arn", "accountId", "awsRegion", "version", "configurationStateId", "availabilityZone",
	"tags.key", "tags.value", "tags.tag", "relationships.resourceId", "relationships.resourceName", "relationships.resourceType",
	"configuration.a", "configuration.a.a", "configuration.a.b", "configuration.a.list.a", "configuration.a.Deep-Name", "configuration.b",
	"configuration.b.a", "configuration.a.value", "configuration.a.a.value", "configuration.list.value", "configuration.o.b.value", "configuration.list", "configuration.list.a", "configuration.o.a", "configuration.o.b", "configuration.none",
	"supplementaryConfiguration.a", "supplementaryConfiguration.a.a",
}

func (p *population) literal() string {
	texts := []string{
		"A::B::C", "X::Y::Z", "r-07", "r-11", "name-1", "arn:r-07", "123456789012", "210987654321", "eu-west-1", "global", "1.3", "env", "prod", "b=c", "env=prod", "a=b=c", "vpc-1", "AWS::EC2::VPC",
		"10.0.0.0/9", "10.0.0.77", "9.0.0.0", "2001:db8::/48", "::/0", "-5", "1e21", "1700000000000",
	}
	switch v := pick(p.r, scalars); {
	case v == nil || p.r.IntN(3) == 0:
		return quoted(pick(p.r, texts))
	case p.r.IntN(5) == 0:
		return quoted(fmt.Sprint(v))
	default:
		if s, ok := v.(string); ok {
			return quoted(s)
		}
		return fmt.Sprint(v)
	}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (p *population) condition(depth int) string {
	if depth > 0 {
		switch p.r.IntN(5) {
		case 0:
			return "NOT (" + p.condition(depth-1) + ")"
		case 1:
			return "(" + p.condition(depth-1) + " OR " + p.condition(depth-1) + ")"
		case 2, 3:
			return p.condition(depth-1) + " AND " + p.condition(depth-1)
		}
	}
	name := pick(p.r, properties)
	if p.names != nil {
		name = pick(p.r, p.names)
	}
	switch p.r.IntN(8) {
	case 0:
		return name + " IN (" + p.literal() + ", " + p.literal() + ")"
	case 1:
		return name + " BETWEEN " + p.literal() + " AND " + p.literal()
	case 2:
		return name + " LIKE " + quoted(pick(p.r, []string{"abc%", "abc", "abc_", "abc_%", "Zür___", "10.0%", "10.__.%", "A::B::_", "env=%", "name-_", "x\ny", "a.b*_"}))
	case 3, 4, 5:
		return name + " = " + p.literal()
	}
	return name + " " + pick(p.r, []string{"<", "<=", ">", ">=", "<>"}) + " " + p.literal()
}

// found is what a selection of places should find, and the values of properties.
func (p *population) found(q *query.Query, places []config.Place, wanted []query.Property) (out []string) {
	for k, form := range p.forms {
		if of := query.ValuesOf(form); slices.Contains(places, k.Place) && query.Holds(q.Where, of) {
			out = append(out, k.ID+" "+spelled(wanted, func(i int, yield func(query.Value) bool) { of(wanted[i], yield) }))
		}
	}
	slices.Sort(out)
	return out
}

func spelled(wanted []query.Property, values func(int, func(query.Value) bool)) string {
	var all []string
	for i := range wanted {
		var some []string
		values(i, func(v query.Value) bool { some = append(some, fmt.Sprint(v.Kind, v.JSON())); return true })
		slices.Sort(some)
		all = append(all, fmt.Sprint(some))
	}
	return strings.Join(all, " ")
}

func (p *population) selected(s store.Selection) (out []string, last store.Spot) {
	p.must(store.Select(p.Context(), p.tx, s, func(m store.Match) error {
		line := m.ID + " " + spelled(s.Properties, func(i int, yield func(query.Value) bool) {
			for _, v := range m.Values[i] {
				yield(v)
			}
		})
		for range m.Count {
			out = append(out, line)
		}
		last = m.Spot
		return nil
	}))
	return out, last
}

// TestBothDatabasesFindWhatTheEvaluatorFinds is the one that says that the two
// translations mean what query.Holds does.
func TestBothDatabasesFindWhatTheEvaluatorFinds(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	run(t, func(s suite) {
		p := &population{s, rand.New(rand.NewPCG(1, uint64(rounds))), []config.Place{place, {Account: place.Account, Region: "us-east-1"}, {Account: "210987654321", Region: "eu-west-1"}}, map[config.ResourceKey]map[string]any{}, nil}
		p.make(150)
		found := 0
		for range rounds {
			text := "SELECT resourceId WHERE " + p.condition(2)
			q, err := query.Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			places := p.places[:1+p.r.IntN(3)]
			sel := store.Selection{Places: places, Where: q.Where, Properties: []query.Property{property(pick(p.r, properties)), property(pick(p.r, properties)), property("resourceId")}}
			want := p.found(q, places, sel.Properties)
			found += len(want)
			got, _ := p.selected(sel)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("%s\n got %q\nwant %q", text, got, want)
			}
			p.checkPages(text, sel, want)
		}
		if found < rounds {
			t.Errorf("the queries found %d resources: too few to show anything", found)
		}
	})
}

func property(name string) query.Property {
	q, err := query.Parse("SELECT " + name)
	if err != nil {
		panic(err)
	}
	return q.Items[0].Property
}

func (p *population) checkPages(text string, sel store.Selection, want []string) {
	p.Helper()
	sel.Limit = 1 + p.r.IntN(20)
	var all []string
	for range 500 {
		page, last := p.selected(sel)
		if len(page) > sel.Limit {
			p.Fatalf("%s: a page of %d has %d", text, sel.Limit, len(page))
		}
		if all = append(all, page...); len(page) < sel.Limit {
			break
		}
		if last.Compare(sel.After) <= 0 {
			p.Fatalf("%s: after %v comes %v", text, sel.After, last)
		}
		sel.After = last
	}
	slices.Sort(all)
	if !slices.Equal(all, want) {
		p.Fatalf("%s, in pages of %d\n got %q\nwant %q", text, sel.Limit, all, want)
	}
}

// joined returns joins, and the properties that there are with them.
func (p *population) joined() (text string, names []string) {
	names = properties
	from := []string{""}
	for _, join := range []string{"x", "y", "z"}[:1+p.r.IntN(query.MaxJoins)] {
		text += " JOIN " + join + " ON " + pick(p.r, from) + "relationships"
		from = append(from, join+".")
		for _, n := range append(properties, query.RelationshipName) {
			names = append(slices.Clip(names), join+"."+n)
		}
	}
	return text, names
}

// find finds in a place as query.Find says.
func (p *population) find(place config.Place) query.Find {
	return func(resourceType, id, name string) (map[string]any, error) {
		best := ""
		for k, form := range p.forms {
			if id == "" && k.Place == place && k.Type == resourceType && name != "" && form["resourceName"] == name && (best == "" || k.ID < best) {
				best = k.ID
			}
		}
		if id == "" {
			id = best
		}
		return p.forms[config.ResourceKey{Place: place, Type: resourceType, ID: id}], nil
	}
}

// foundJoined is found for a query with joins.
func (p *population) foundJoined(q *query.Query, places []config.Place, wanted []query.Property) (out []string) {
	for k, form := range p.forms {
		if !slices.Contains(places, k.Place) {
			continue
		}
		p.must(q.Tuples(form, p.find(k.Place), func(form map[string]any, _ query.Path) error {
			if of := query.ValuesOf(form); query.Holds(q.Where, of) {
				out = append(out, k.ID+" "+spelled(wanted, func(i int, yield func(query.Value) bool) { of(wanted[i], yield) }))
			}
			return nil
		}))
	}
	slices.Sort(out)
	return out
}

func TestJoinsFindWhatTheEvaluatorFinds(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	run(t, func(s suite) {
		p := &population{s, rand.New(rand.NewPCG(5, uint64(rounds))), []config.Place{place, {Account: place.Account, Region: "us-east-1"}}, map[config.ResourceKey]map[string]any{}, nil}
		p.make(250)
		found := 0
		for range rounds {
			var joins string
			joins, p.names = p.joined()
			text := "SELECT " + pick(p.r, p.names) + ", " + pick(p.r, p.names) + ", resourceId" + joins + " WHERE " + p.condition(2)
			q, err := query.ParseExtended(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			sel := store.Selection{Places: p.places[:1+p.r.IntN(2)], Joins: q.Joins, Where: q.Where}
			for _, i := range q.Items {
				sel.Properties = append(sel.Properties, i.Property)
			}
			want := p.foundJoined(q, sel.Places, sel.Properties)
			found += len(want)
			got, _ := p.selected(sel)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("%s\n got %q\nwant %q", text, got, want)
			}
			if len(want) < 300 {
				p.checkPages(text, sel, want)
			}
		}
		if found < rounds {
			t.Errorf("the queries found %d rows: too few to show anything", found)
		}
	})
}

func TestSelectionsOfManyPlacesAndCountsAreWhole(t *testing.T) {
	run(t, func(s suite) {
		p := &population{s, rand.New(rand.NewPCG(3, 4)), nil, map[config.ResourceKey]map[string]any{}, nil}
		for i := range 40 {
			p.places = append(p.places, config.Place{Account: fmt.Sprintf("1234567890%02d", i), Region: "eu-west-1"})
		}
		p.make(200)
		for _, condition := range []string{"resourceType LIKE 'A::%'", "accountId > '123456789010'", "NOT resourceType = 'A::B::C' AND accountId IN ('123456789003', '123456789004')", "tags.key = 'env'", "resourceId = 'r-07'", "version = '1.3'"} {
			q, err := query.Parse("SELECT resourceId WHERE " + condition)
			s.must(err)
			for _, names := range [][]string{{"resourceType", "accountId"}, {"resourceId"}, nil} {
				sel := store.Selection{Places: p.places, Where: q.Where}
				for _, n := range names {
					sel.Properties = append(sel.Properties, property(n))
				}
				want := p.found(q, p.places, sel.Properties)
				got, _ := p.selected(sel)
				for i := range got {
					got[i] = got[i][strings.IndexByte(got[i], ' '):] // a counted match has no id
				}
				for i := range want {
					want[i] = want[i][strings.IndexByte(want[i], ' '):]
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("%s\n got %q\nwant %q", condition, got, want)
				}
			}
			p.checkPages(condition, store.Selection{Places: p.places, Where: q.Where, Properties: []query.Property{property("resourceId")}}, p.found(q, p.places, []query.Property{property("resourceId")}))
		}
	})
}

func TestSelectionsGoByIndexes(t *testing.T) {
	d := dbtest.Open(t)
	fill(t, d)
	for condition, small := range map[string][]string{
		"resourceType = 'A::B::C'":                             nil,
		"resourceId IN ('r-0011', 'r-0012')":                   nil,
		"resourceName = 'name-1' AND resourceType = 'A::B::C'": {dbtest.SmallSort},
		"arn = 'arn:x'":                                        {dbtest.SmallSort, "json_each"},
		"tags.tag = 'env=prod'":                                {dbtest.SmallSort, "json_each"},
		"tags.key = 'env' AND configuration.a = 'x'":           {dbtest.SmallSort, "json_each"},
		"resourceId = 'r-0011' AND x.resourceName = 'name-1'":  {"e1"},
	} {
		text := "SELECT resourceId WHERE " + condition
		if strings.Contains(condition, "x.") {
			text = "SELECT resourceId JOIN x ON relationships WHERE " + condition
		}
		q, err := query.ParseExtended(text)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(condition, func(t *testing.T) {
			dbtest.Indexed(t, d, func(tx *db.Tx) error {
				return store.Select(t.Context(), tx, store.Selection{Places: []config.Place{place}, Joins: q.Joins, Where: q.Where, Limit: 10}, func(store.Match) error { return nil })
			}, small...)
		})
	}
}
