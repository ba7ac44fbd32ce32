package recorder

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

const (
	// maxCallReads is how many resources are read for one call.
	maxCallReads = 25
	// minCallGap is how long after a reading of a type the next one may begin that calls
	// ask for.
	minCallGap = 30 * time.Second
)

// noticed has read what calls to outside services changed. Types are those whose list has
// to be read since a time.
type noticed struct {
	Place config.Place         `json:"place"`
	Calls []noticedCall        `json:"calls,omitempty"`
	Types map[string]time.Time `json:"types,omitempty"`
}

type noticedCall struct {
	At        time.Time `json:"at"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Names     []string  `json:"names"`
}

// Kind names the job.
func (noticed) Kind() string { return "recorder.noticed" }

// Owner is the place's account.
func (j noticed) Owner() string { return j.Place.Account }

// OnCalls has read again what calls changed that CloudTrail tells of: resources that the
// recorders of the account know by a name that the call has, and the list of the type that
// the operation's name speaks of. What they record then names the call.
func (r *Recorder) OnCalls(ctx context.Context, tx *db.Tx, calls []config.Call) error {
	if r.Source == nil {
		return nil
	}
	recording := map[string][]config.Place{} // by account
	asked := map[config.Place][]noticedCall{}
	for _, c := range calls {
		age := r.Now().Sub(c.At)
		if age > config.MaxCallAge || age < -config.MaxCallAge {
			continue
		}
		places, known := recording[c.Account]
		if !known {
			var err error
			if places, err = recordingPlaces(ctx, tx, c.Account); err != nil {
				return err
			}
			recording[c.Account] = places
		}
		for _, p := range places {
			if len(r.typesOf(p, c.Service, c.Region)) == 0 {
				continue
			}
			if err := store.NoteCall(ctx, tx, p, c, r.Now()); err != nil {
				return err
			}
			asked[p] = append(asked[p], noticedCall{c.At, c.Service, c.Operation, c.Names})
		}
	}
	for p, list := range asked {
		for chunk := range slices.Chunk(list, maxBatch) {
			if err := r.Jobs.Insert(ctx, tx, noticed{Place: p, Calls: chunk}, job.Options{Queue: job.Collect}); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordingPlaces returns the places of an account whose recorder runs.
func recordingPlaces(ctx context.Context, tx *db.Tx, account string) ([]config.Place, error) {
	places, err := store.PlacesOf(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	var out []config.Place
	for _, p := range places {
		_, status, err := presentRecorder(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		if status.Recording {
			out = append(out, p)
		}
	}
	return out, nil
}

// typesOf returns the types of a service that a place polls, and that a call in a region
// can have changed.
func (r *Recorder) typesOf(p config.Place, service, region string) (out []string) {
	if r.Service == nil {
		return nil
	}
	for _, t := range r.Source.Types(p) {
		of, global := r.Service(t)
		if of == service && !r.Source.Announces(p, t) && (region == "" || global || region == p.Region) {
			out = append(out, t)
		}
	}
	return out
}

// doNoticed finds the resources that calls name, and has them read, or their types.
func (r *Recorder) doNoticed(ctx context.Context, j job.Job[noticed]) (job.Commit, error) {
	if r.Source == nil {
		return nil, nil
	}
	p, types := j.Args.Place, map[string]time.Time{}
	for t, at := range j.Args.Types {
		types[t] = at
	}
	var keys []config.ResourceKey
	err := r.DB.Read(ctx, func(tx *db.Tx) error {
		rec, status, err := presentRecorder(ctx, tx, p)
		if err != nil || !status.Recording {
			clear(types)
			return err
		}
		for _, c := range j.Args.Calls {
			of := slices.DeleteFunc(r.typesOf(p, c.Service, ""), func(t string) bool { return !rec.Records(t) })
			found, err := store.Named(ctx, tx, p, of, c.Names, maxCallReads)
			if err != nil {
				return err
			}
			keys = append(keys, found...)
			for _, t := range spoken(of, c.Operation) {
				if !slices.ContainsFunc(found, func(k config.ResourceKey) bool { return k.Type == t }) && c.At.After(types[t]) {
					types[t] = c.At
				}
			}
		}
		return nil
	})
	if err != nil || len(keys) == 0 && len(types) == 0 {
		return nil, err
	}
	slices.SortFunc(keys, func(a, b config.ResourceKey) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	keys = slices.Compact(keys)
	return func(ctx context.Context, tx *db.Tx) error {
		if err := r.askCapture(ctx, tx, p, keys, 0, time.Time{}); err != nil || len(types) == 0 {
			return err
		}
		return r.readSooner(ctx, tx, p, types)
	}, nil
}

// spoken returns the types that the name of an operation speaks of: those with the longest
// names in it. RunInstances speaks of instances, and CreateSecurityGroup of security groups
// and not of other groups.
func spoken(types []string, operation string) (out []string) {
	longest, operation := 0, strings.ToLower(operation)
	for _, t := range types {
		noun := strings.ToLower(t[strings.LastIndexByte(t, ':')+1:])
		switch {
		case !strings.Contains(operation, noun) || len(noun) < longest:
		case len(noun) > longest:
			out, longest = []string{t}, len(noun)
		default:
			out = append(out, t)
		}
	}
	return out
}

// readSooner brings forward the next readings of types that were not read since a time.
// Those that are under way, or were read a moment ago, are looked at again later. A type
// whose readings fail waits for the next poll.
func (r *Recorder) readSooner(ctx context.Context, tx *db.Tx, p config.Place, types map[string]time.Time) error {
	_, status, err := r.lockedRecorder(ctx, tx, p)
	if err != nil || !status.Recording {
		return err
	}
	s, err := r.readSchedule(ctx, tx, p)
	if err != nil {
		return err
	}
	now, later := r.Now(), map[string]time.Time{}
	for t, at := range types {
		x := s.readings[t]
		switch {
		case x == nil, !x.Failing.IsZero(), !x.Completed.Before(at.Add(time.Second)), now.Sub(at) > config.MaxCallAge:
		case x.Token != 0, now.Sub(x.Completed) < minCallGap:
			later[t] = at
		default:
			x.Token, x.Asked, x.Late = max(x.Token+1, now.UnixMicro()), time.Time{}, false
			s.changed[t] = true
		}
	}
	s.ask()
	if err := r.writeSchedule(ctx, tx, s, status.Generation); err != nil || len(later) == 0 {
		return err
	}
	return r.Jobs.Insert(ctx, tx, noticed{Place: p, Types: later}, job.Options{Queue: job.Collect, At: now.Add(minCallGap)})
}

// readCalls reads the calls that name what was observed of types that are polled.
func (b *basis) readCalls(ctx context.Context, tx *db.Tx, observations []Observation) (err error) {
	var names []string
	for _, o := range observations {
		if o.Sequence == nil && !o.Pushed {
			names = append(names, b.namesOf(o)...)
		}
	}
	b.calls, err = store.NoticedCalls(ctx, tx, b.place, names)
	return err
}

// namesOf returns what calls can name a resource by.
func (b *basis) namesOf(o Observation) []string {
	it := o.Item
	if last, ok := b.deleted[it.ResourceKey]; ok {
		it = last
	}
	return slices.DeleteFunc([]string{it.ID, it.Name, it.ARN}, func(s string) bool { return s == "" })
}

// noticedFor returns the events of the calls to a resource's service that named it since
// its newest item, the last ones.
func (b *basis) noticedFor(o Observation) (events []string) {
	if len(b.calls) == 0 {
		return nil
	}
	var all []store.NoticedCall
	for _, name := range b.namesOf(o) {
		for _, c := range b.calls[name] {
			if b.service(o.Item.Type) == c.Service && c.At.After(b.heads[o.Item.ResourceKey].Captured) {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b store.NoticedCall) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Event, b.Event)) })
	for _, c := range all {
		if !slices.Contains(events, c.Event) {
			events = append(events, c.Event)
		}
	}
	return events[max(0, len(events)-maxEvents):]
}

// maxEvents is how many calls an item names at most.
const maxEvents = 20
