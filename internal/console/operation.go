package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/settings"
	"plumb/internal/store"
)

// maxReadings is how many readings one page lists, those that fail and the oldest first.
const maxReadings = 300

type operationsView struct {
	Facts      []fact
	Readings   *table
	Deliveries *table
	Jobs       *table
	Settings   *table
}

func showOperations(v *visit) (*page, error) {
	d := &operationsView{}
	err := v.read(func(ctx context.Context, tx *db.Tx) error {
		if err := d.addReadings(ctx, tx, v); err != nil {
			return err
		}
		return d.addDeliveries(ctx, tx, v)
	})
	if err != nil {
		return nil, err
	}
	if v.c.development() { // the rest is about the whole server
		if err := d.addServer(v); err != nil {
			return nil, err
		}
	}
	return &page{Title: "Operations", Template: "operations", Data: d, Table: d.Readings, AtNote: "How the server fares is kept as it is now, so this page shows now.", Calls: []call{
		v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice describe-configuration-recorder-status"),
		v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice describe-delivery-channel-status"),
		{"Plumb", "plumb doctor"},
	}}, nil
}

// A readingAt is the reading of a type in a place.
type readingAt struct {
	config.Place
	store.Reading
}

func (d *operationsView) addReadings(ctx context.Context, tx *db.Tx, v *visit) error {
	var all []readingAt
	err := store.EachReading(ctx, tx, func(p config.Place, r store.Reading) {
		if v.allowed(p.Account) && v.filters.leave("account", p.Account) && v.filters.leave("region", p.Region) && v.filters.leave("type", r.Type) {
			all = append(all, readingAt{p, r})
		}
	})
	slices.SortFunc(all, func(a, b readingAt) int {
		if x, y := a.Failing.IsZero(), b.Failing.IsZero(); x != y {
			return map[bool]int{true: 1, false: -1}[x]
		}
		return cmp.Or(a.Completed.Compare(b.Completed), a.Place.Compare(b.Place), cmp.Compare(a.Type, b.Type))
	})
	t := &table{Caption: "Readings: what fails first, then the oldest", Empty: "Nothing is read: no recorder runs, or nothing that it records is read yet.",
		Columns: []col{{Name: "type"}, {Name: "account"}, {Name: "region"}, {Name: "last complete reading"}, {Name: "state"}}}
	for _, r := range all[:min(len(all), maxReadings)] {
		line := row{Cells: []cell{linked(r.Type, v.link("inventory", "is", "type:"+r.Type)), {Text: r.Account, Kind: "short"}, {Text: r.Region, Kind: "short"}, moment(r.Completed, v.now), faint("read")}}
		switch {
		case !r.Failing.IsZero():
			line.Mark, line.Cells[4] = "warn", cell{Text: r.Code + " " + r.Message, Note: "since " + shortTime(r.Failing)}
		case !r.Asked.IsZero():
			line.Cells[4] = faint("being read")
		case r.Completed.IsZero():
			line.Cells[4] = faint("waits for its first reading")
		}
		t.Rows = append(t.Rows, line)
	}
	if len(all) > maxReadings {
		t.Note = fmt.Sprintf("These are the first %d of %d.", maxReadings, len(all))
	}
	d.Readings = t
	return err
}

func (d *operationsView) addDeliveries(ctx context.Context, tx *db.Tx, v *visit) error {
	d.Deliveries = &table{Caption: "Deliveries", Empty: "There is no delivery channel: nothing is delivered.",
		Columns: []col{{Name: "account"}, {Name: "region"}, {Name: "what"}, {Name: "to"}, {Name: "last success"}, {Name: "last try"}, {Name: "state"}}}
	places, err := v.places(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range places {
		c, s, err := store.DeliveryChannel(ctx, tx, p)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, part := range []struct {
			name, to string
			config.DeliveryInfo
		}{{"messages", c.TopicARN, s.Stream}, {"history files", c.Bucket, s.History}, {"snapshots", c.Bucket, s.Snapshot}} {
			line := row{Cells: []cell{cell{Text: p.Account, Kind: "short"}, cell{Text: p.Region, Kind: "short"}, plain(part.name), plain(part.to), moment(part.Success, v.now), moment(part.Attempt, v.now), faint(cmp.Or(part.Status, "nothing was delivered yet"))}}
			if part.ErrorCode != "" {
				line.Mark, line.Cells[6] = "bad", cell{Text: part.ErrorCode + " " + part.ErrorMessage}
			}
			if part.to == "" {
				line.Cells[3] = faint("no topic")
			}
			d.Deliveries.Rows = append(d.Deliveries.Rows, line)
		}
	}
	return nil
}

// addServer adds what belongs to no account.
func (d *operationsView) addServer(v *visit) error {
	size, err := v.DB.Size(v.ctx)
	if err != nil {
		return err
	}
	busy, idle := v.Environments()
	d.Facts = []fact{
		{Name: "store", Value: fmt.Sprintf("%.1f MiB", float64(size)/(1<<20))}, {Name: "database", Value: v.c.Settings.ShownDatabase()},
		{Name: "function environments", Value: fmt.Sprintf("%d busy, %d warm", busy, idle)}, {Name: "endpoint", Value: v.c.Endpoint()},
	}
	jobs, err := v.Jobs.Counts(v.ctx)
	if err != nil {
		return err
	}
	d.Jobs = &table{Caption: "Jobs", Empty: "No job is due, running or planned.", Columns: []col{{Name: "queue"}, {Name: "state"}, {"jobs", true}}}
	for _, c := range jobs {
		d.Jobs.Rows = append(d.Jobs.Rows, row{Cells: []cell{plain(c.Queue), plain(c.State), number(c.N)}})
	}
	d.Settings = &table{Caption: "Settings", Columns: []col{{Name: "setting"}, {Name: "value"}, {Name: "from"}}}
	for _, s := range settings.Table() {
		value := plain(s.Show(v.c.Settings))
		if value.Text == "" {
			value = faint("not set")
		}
		from := faint(v.c.Settings.Origin(s.Name))
		d.Settings.Rows = append(d.Settings.Rows, row{Cells: []cell{code(s.Name), value, from}})
	}
	return nil
}
