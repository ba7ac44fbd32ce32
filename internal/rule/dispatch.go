package rule

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// The jobs that have functions evaluate what happened.
type (
	// dispatch is on items that were recorded together.
	dispatch struct {
		Account  string    `json:"account"`
		Region   string    `json:"region"`
		Versions []version `json:"versions"`
	}
	version struct {
		Type    string `json:"type"`
		ID      string `json:"id"`
		StateID int64  `json:"stateId"`
	}
	// snapshot is on a snapshot that lies in the channel's bucket.
	snapshot struct {
		Account    string `json:"account"`
		Region     string `json:"region"`
		SnapshotID string `json:"snapshotId"`
		Bucket     string `json:"bucket"`
		Key        string `json:"key"`
	}
)

// Kind names the job.
func (dispatch) Kind() string { return "rule.dispatch" }

// Owner is the place's account.
func (j dispatch) Owner() string { return j.Account }

// Kind names the job.
func (snapshot) Kind() string { return "rule.snapshot" }

// Owner is the place's account.
func (j snapshot) Owner() string { return j.Account }

// maxPayloads is how many bytes of events one transaction hands over.
const maxPayloads = 16 << 20

// OnItemsRecorded reacts to new items: if a function may be in scope, a job
// follows. Rules that this server has not read are not read here, where others
// wait: the job looks.
func (e *Engine) OnItemsRecorded(ctx context.Context, tx *db.Tx, ev config.ItemsRecorded) error {
	s, known, err := e.loaded(ctx, tx, ev.Place)
	if err != nil {
		return err
	}
	d := dispatch{Account: ev.Place.Account, Region: ev.Place.Region}
	for _, it := range ev.Items {
		if !known || s.mayInvoke(it) {
			d.Versions = append(d.Versions, version{it.Type, it.ID, it.StateID})
		}
	}
	if len(d.Versions) == 0 {
		return nil
	}
	return e.Jobs.Insert(ctx, tx, d, job.Options{})
}

// mayInvoke reports whether a function could have the item, or the one before it,
// in its scope.
func (s *set) mayInvoke(it config.Item) bool {
	for _, part := range s.functions.of(it.Type) {
		for _, r := range part {
			if judged(r, it) && (r.TagScoped() || r.Covers(it, nil)) {
				return true
			}
		}
	}
	return false
}

// prepareDispatch builds the events of items, as many as one transaction hands
// over; the rest is a job of its own.
func (e *Engine) prepareDispatch(ctx context.Context, j job.Job[dispatch]) (job.Commit, error) {
	p := config.Place{Account: j.Args.Account, Region: j.Args.Region}
	s, err := e.load(ctx, p)
	if err != nil {
		return nil, err
	}
	h := &handOver{place: p, version: s.version, rules: map[string]config.Rule{}}
	size := 0
	for n, v := range j.Args.Versions {
		if size > maxPayloads {
			h.rest = &dispatch{p.Account, p.Region, j.Args.Versions[n:]}
			break
		}
		c, recorderRole, err := e.readNotice(ctx, config.VersionKey{ResourceKey: config.ResourceKey{Place: p, Type: v.Type, ID: v.ID}, StateID: v.StateID})
		if errors.Is(err, store.ErrNotFound) {
			continue // the place was reset
		}
		if err != nil {
			return nil, err
		}
		for _, part := range s.functions.of(v.Type) {
			for _, r := range part {
				i, ok, err := e.inScope(ctx, r, c, recorderRole)
				if err != nil {
					return nil, err
				}
				if ok {
					h.add(r, i)
					size += len(i.Payload)
				}
			}
		}
	}
	return h.commit(e), nil
}

// readNotice reads an item with the one before it, and the recorder's role.
func (e *Engine) readNotice(ctx context.Context, v config.VersionKey) (n *notice, recorderRole string, err error) {
	n = &notice{now: e.Now()}
	err = e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if recorderRole, err = role(ctx, tx, v.Place); err != nil {
			return err
		}
		if n.item, err = store.ItemVersion(ctx, tx, v); err != nil {
			return err
		}
		before, err := store.ItemBefore(ctx, tx, v)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		n.before = &before
		return err
	})
	n.changed = true
	return n, recorderRole, err
}

// inScope returns the invocation of a rule with a change if that is in the rule's
// scope, or has just left it.
func (e *Engine) inScope(ctx context.Context, r config.Rule, n *notice, recorderRole string) (i Invocation, ok bool, err error) {
	if !judged(r, n.item) {
		return i, false, nil
	}
	now := r.Covers(n.item, nil)
	was := n.before != nil && r.Covers(*n.before, nil)
	if !now && !was {
		return i, false, nil
	}
	return e.invocation(ctx, r, recorderRole, n, !now || n.item.Status.Gone())
}

func (e *Engine) prepareSnapshot(ctx context.Context, j job.Job[snapshot]) (job.Commit, error) {
	a := j.Args
	p := config.Place{Account: a.Account, Region: a.Region}
	s, err := e.load(ctx, p)
	if err != nil || len(s.snapshots) == 0 {
		return nil, err
	}
	var recorderRole string
	err = e.DB.Read(ctx, func(tx *db.Tx) (err error) {
		recorderRole, err = role(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	now := e.Now()
	body, err := config.SnapshotCompleted(config.SnapshotDelivered{Place: p, SnapshotID: a.SnapshotID, Bucket: a.Bucket, Key: a.Key}, now)
	if err != nil {
		return nil, err
	}
	h := &handOver{place: p, version: s.version, rules: map[string]config.Rule{}}
	for _, r := range s.snapshots {
		i, err := e.seal(ctx, r, recorderRole, body, nil, false, now)
		if err != nil {
			return nil, err
		}
		h.add(r, i)
	}
	return h.commit(e), nil
}

// OnSnapshotDelivered has the rules evaluate that snapshots trigger.
func (e *Engine) OnSnapshotDelivered(ctx context.Context, tx *db.Tx, ev config.SnapshotDelivered) error {
	s, known, err := e.loaded(ctx, tx, ev.Place)
	if err != nil || known && len(s.snapshots) == 0 {
		return err
	}
	return e.Jobs.Insert(ctx, tx, snapshot{ev.Place.Account, ev.Place.Region, ev.SnapshotID, ev.Bucket, ev.Key}, job.Options{})
}

// A handOver is events that were built, with the rules that they were built for.
type handOver struct {
	place   config.Place
	version int64 // of the rules
	rules   map[string]config.Rule
	list    []Invocation
	rest    *dispatch
}

func (h *handOver) add(r config.Rule, i Invocation) {
	h.rules[r.ID] = r
	h.list = append(h.list, i)
}

// commit hands the events over, but for those of rules that are not what they
// were: one that was put again evaluates what is recorded by itself.
func (h *handOver) commit(e *Engine) job.Commit {
	return func(ctx context.Context, tx *db.Tx) error {
		changed, err := h.changedRules(ctx, tx)
		if err != nil {
			return err
		}
		list := make([]Invocation, 0, len(h.list))
		for _, i := range h.list {
			if !changed[i.RuleID] {
				list = append(list, i)
			}
		}
		if err := e.invoke(ctx, tx, list); err != nil {
			return err
		}
		if h.rest != nil {
			return e.Jobs.Insert(ctx, tx, *h.rest, job.Options{})
		}
		return nil
	}
}

func (h *handOver) changedRules(ctx context.Context, tx *db.Tx) (map[string]bool, error) {
	version, err := store.RuleSetVersion(ctx, tx, h.place)
	if err != nil || version == h.version {
		return nil, err
	}
	changed := map[string]bool{}
	for id, r := range h.rules {
		now, err := liveRule(ctx, tx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		changed[id] = err != nil || !sameRule(now, r)
	}
	return changed, nil
}
