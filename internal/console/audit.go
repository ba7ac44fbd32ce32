package console

import (
	"cmp"
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"plumb/internal/audit"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/settings"
)

// service is what the audit log calls the console.
const service = "signin"

// audit notes what somebody did here. Of who failed to log in nothing is certain, not
// even that they meant to write an access key where they did: it is noted if there is
// such a key.
func (v *visit) audit(kind, what, id string, key *settings.AccessKey, failed string) {
	from, _, err := net.SplitHostPort(v.r.RemoteAddr)
	if err != nil {
		from = v.r.RemoteAddr
	}
	e := audit.Event{
		Kind: kind, Service: service, Operation: what, SourceIP: from, UserAgent: v.r.UserAgent(), Code: failed,
		Place: config.Place{Account: v.c.Settings.Account, Region: v.c.Settings.Region}, Who: audit.Unknown(""),
	}
	if key != nil {
		e.Place.Account = key.Account
		e.Who = audit.Unknown(id)
		if failed == "" && v.subject != "" {
			e.Who = audit.Who{Type: "WebIdentityUser", Account: key.Account, UserName: v.subject}
		} else if failed == "" {
			name := cmp.Or(key.User, "root")
			e.Who = audit.Who{Type: "IAMUser", Account: key.Account, AccessKeyID: id, UserName: name, ARN: "arn:aws:iam::" + key.Account + ":user/" + name}
		}
	} else if failed != "" {
		e.Place.Account = ""
	}
	if kind == audit.ConsoleAction {
		e.Who.Type = "Root" // who uses development mode's console may do everything
		e.Sent = audit.Redact(formOf(v)).JSON
	}
	e.UserAgent = e.UserAgent[:min(len(e.UserAgent), maxAgent)]
	v.Audit.Add(e)
}

const maxAgent = 256

func formOf(v *visit) map[string]any {
	out := map[string]any{}
	for name := range v.r.PostForm {
		if name != "csrf" && name != "back" {
			out[name] = v.r.PostForm.Get(name)
		}
	}
	return out
}

// maxCalls is how many calls are looked at for a page.
const maxCalls = 200

// lag is how long after a call its change is recorded at most, as a rule.
const lag = time.Minute

// addWho says for each revision of the timeline who made the change: the calls that its
// item names, or, where it names none, the last one that named the resource before it was
// recorded.
func (r *resourcePage) addWho(ctx context.Context, tx *db.Tx, items []config.Item) error {
	if len(items) == 0 {
		return nil
	}
	var names []string
	for _, it := range items[:1] {
		names = slices.DeleteFunc([]string{it.ARN, it.Name}, func(s string) bool { return s == "" })
	}
	last, first := items[0].CaptureTime, items[len(items)-1].CaptureTime
	all, err := audit.Changed(ctx, tx, r.Key, names, first.Add(-lag), last.Add(time.Second), maxCalls)
	if err != nil {
		return err
	}
	known, err := r.related(ctx, tx, items)
	if err != nil {
		return err
	}
	before := map[int64]time.Time{} // of a revision: that of the one before it
	for i, it := range items {
		before[it.StateID] = it.CaptureTime.Add(-lag)
		if i+1 < len(items) && items[i+1].CaptureTime.After(before[it.StateID]) {
			before[it.StateID] = items[i+1].CaptureTime
		}
	}
	for i, e := range r.Timeline {
		if e.State == 0 {
			continue
		}
		if a, ok := known[e.State]; ok {
			r.Timeline[i].Note = noteOf(e.Note, a)
			continue
		}
		for _, a := range all {
			if !a.At.After(e.At.Add(time.Millisecond)) && a.At.After(before[e.State].Add(-time.Millisecond)) {
				r.Timeline[i].Note = noteOf(e.Note, a)
				break
			}
		}
	}
	return nil
}

func noteOf(note string, a audit.Event) string {
	return strings.TrimSpace(note + " by " + nameOf(a.Who) + ", " + a.Service + ":" + a.Operation)
}

// related returns the last of the calls that each item names, by its state id.
func (r *resourcePage) related(ctx context.Context, tx *db.Tx, items []config.Item) (map[int64]audit.Event, error) {
	of := map[string]int64{}
	for _, it := range items {
		for _, id := range it.RelatedEvents {
			of[id] = it.StateID
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	all, err := audit.Find(ctx, tx, audit.Query{IDs: slices.Collect(maps.Keys(of)), Account: r.Key.Account, Oldest: true, Limit: maxCalls})
	out := map[int64]audit.Event{}
	for _, e := range all {
		out[of[e.ID]] = e
	}
	return out, err
}

func nameOf(w audit.Who) string {
	return cmp.Or(w.ARN, w.InvokedBy, w.AccessKeyID, w.Type)
}
