package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/source/mapping"
)

// progress is how far a shard is.
type progress struct {
	Begin    string  `json:"begin,omitempty"`    // where it begins; see position
	Time     int64   `json:"time,omitempty"`     // microseconds
	Iterator string  `json:"iterator,omitempty"` // where to read on; all before it is handled
	Read     int64   `json:"read,omitempty"`     // when that was, in microseconds by the machine's clock
	Lanes    []lane  `json:"lanes,omitempty"`
	Window   *window `json:"window,omitempty"`
}

// A lane is the records of some keys in their order.
type lane struct {
	Checkpoint string `json:"checkpoint,omitempty"` // the last sequence number that is handled
	Parts      []part `json:"parts,omitempty"`      // of what follows: batches that are tried again
	Since      int64  `json:"since,omitempty"`      // since when records wait for a full batch
}

// A part is a batch that failed: all up to a sequence number.
type part struct {
	End      string `json:"end"`
	Attempts int    `json:"attempts,omitempty"`
}

// A window is a tumbling one.
type window struct {
	Start    int64           `json:"start"` // seconds
	State    json.RawMessage `json:"state"`
	Attempts int             `json:"attempts,omitempty"` // of its end
	Early    bool            `json:"early,omitempty"`
}

// start returns where reading begins.
func (p progress) start() position {
	least := ""
	for i, l := range p.Lanes {
		if l.Checkpoint == "" {
			least = ""
			break
		}
		if i == 0 || after(least, l.Checkpoint) {
			least = l.Checkpoint
		}
	}
	if least != "" {
		return position{After: least}
	}
	return position{Begin: p.Begin, Time: db.Time(p.Time)}
}

// fit gives a shard as many lanes as the mapping has. When that number changed, all go
// on from what is handled in each.
func (p *progress) fit(lanes int) {
	if len(p.Lanes) == lanes {
		return
	}
	at := p.start().After
	p.Lanes = make([]lane, lanes)
	for i := range p.Lanes {
		p.Lanes[i].Checkpoint = at
	}
}

// discover is the job that looks for shards.
type discover struct {
	config.Place
	Mapping string `json:"mapping"`
	Round   int64  `json:"round"`          // of polling: an older one has ended
	Once    bool   `json:"once,omitempty"` // it has no successor
}

func (discover) Kind() string { return "source.stream.discover" }

// Owner is the mapping's account.
func (d discover) Owner() string { return d.Account }

// read is the job that reads a shard.
type read struct {
	config.Place
	Mapping string `json:"mapping"`
	Shard   string `json:"shard"`
	Round   int64  `json:"round"`
}

func (read) Kind() string { return "source.stream.read" }

// Owner is the mapping's account.
func (r read) Owner() string { return r.Account }

// A kept is a row of source_shard. The one without a shard is the mapping's own.
type kept struct {
	Shard string
	Round int64
	Job   int64 // that reads it
	Done  bool
	progress
}

func shardsOf(ctx context.Context, tx *db.Tx, mapping string) (map[string]kept, error) {
	out := map[string]kept{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k, err := scanShard(scan)
		out[k.Shard] = k
		return err
	}, `SELECT shard, round, job, done, progress FROM source_shard WHERE mapping = ?`, mapping)
	if err != nil {
		return nil, fmt.Errorf("read the shards of event source mapping %s: %w", mapping, err)
	}
	return out, nil
}

func scanShard(scan func(...any) error) (kept, error) {
	var k kept
	var text string
	if err := scan(&k.Shard, &k.Round, &k.Job, &k.Done, &text); err != nil {
		return k, err
	}
	return k, json.Unmarshal([]byte(text), &k.progress)
}

// readShard returns a row; found is false if there is none.
func readShard(ctx context.Context, tx *db.Tx, mapping, shard string) (k kept, found bool, err error) {
	k, err = scanShard(tx.QueryRow(ctx, `SELECT shard, round, job, done, progress FROM source_shard WHERE mapping = ? AND shard = ?`, mapping, shard).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return k, false, nil
	}
	return k, err == nil, err
}

func writeShard(ctx context.Context, tx *db.Tx, mapping string, k kept) error {
	text, err := json.Marshal(k.progress)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO source_shard (mapping, shard, round, job, done, progress) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (mapping, shard) DO UPDATE SET round = excluded.round, job = excluded.job, done = excluded.done, progress = excluded.progress`,
		mapping, k.Shard, k.Round, k.Job, k.Done, string(text))
	if err != nil {
		return fmt.Errorf("write shard %s: %w", k.Shard, err)
	}
	return nil
}

// Enable begins a round of polling, if none goes on.
func (p *Poller) Enable(ctx context.Context, tx *db.Tx, m mapping.Mapping) error {
	own, found, err := readShard(ctx, tx, m.ID, "")
	if err != nil {
		return err
	}
	own.Round = max(db.Micros(p.now()), own.Round+1)
	if !found {
		own.progress = progress{Begin: m.Position}
		if m.Position == mapping.AtTimestamp {
			own.Time = db.Micros(m.Timestamp)
		}
	}
	if err := writeShard(ctx, tx, m.ID, own); err != nil {
		return err
	}
	return p.jobs.Insert(ctx, tx, discover{Place: m.Place, Mapping: m.ID, Round: own.Round}, job.Options{Queue: job.Collect})
}

// Forget removes what is kept of a mapping.
func (p *Poller) Forget(ctx context.Context, tx *db.Tx, m mapping.Mapping) error {
	_, err := tx.Exec(ctx, `DELETE FROM source_shard WHERE mapping = ?`, m.ID)
	return err
}

// discoverEvery is how often shards are looked for.
const discoverEvery = time.Minute

// discover looks for shards and has those read whose parents are done.
func (p *Poller) discover(ctx context.Context, j job.Job[discover]) error {
	a := j.Args
	m, goesOn, err := p.polled(ctx, a.Place, a.Mapping, a.Round)
	if err != nil || !goesOn {
		return err
	}
	found, err := p.shards(ctx, m)
	if err != nil {
		return p.db.Write(ctx, func(tx *db.Tx) error {
			if err := mapping.Note(ctx, tx, m, problem(err)); err != nil || a.Once {
				return err
			}
			return p.jobs.Insert(ctx, tx, a, job.Options{At: p.now().Add(discoverEvery), Queue: job.Collect})
		})
	}
	return p.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "shards of "+m.ID); err != nil {
			return err
		}
		if err := p.adopt(ctx, tx, m, a.Round, found); err != nil || a.Once {
			return err
		}
		return p.jobs.Insert(ctx, tx, a, job.Options{At: p.now().Add(discoverEvery), Queue: job.Collect})
	})
}

// adopt keeps shards that are new and has those read that can be. A reshard's begin at
// their beginning, those that were there first where the mapping says.
func (p *Poller) adopt(ctx context.Context, tx *db.Tx, m mapping.Mapping, round int64, found []shard) error {
	have, err := shardsOf(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	own := have[""]
	if own.Round != round {
		return nil
	}
	first := len(have) == 1
	for _, s := range found {
		if _, known := have[s.ID]; known {
			continue
		}
		k := kept{Shard: s.ID, progress: progress{Begin: mapping.TrimHorizon}}
		if first {
			k.progress = progress{Begin: own.Begin, Time: own.Time}
		}
		have[s.ID] = k
		if err := writeShard(ctx, tx, m.ID, k); err != nil {
			return err
		}
	}
	for _, s := range found {
		k := have[s.ID]
		if k.Done || k.Round == round || waits(have, s) {
			continue
		}
		k.Round = round
		if err := writeShard(ctx, tx, m.ID, k); err != nil {
			return err
		}
		if err := p.jobs.Insert(ctx, tx, read{m.Place, m.ID, s.ID, round}, job.Options{Queue: job.Function}); err != nil {
			return err
		}
	}
	return nil
}

// waits reports whether a shard's parents still have records.
func waits(have map[string]kept, s shard) bool {
	for _, parent := range s.Parents {
		if k, known := have[parent]; known && !k.Done {
			return true
		}
	}
	return false
}

// polled returns a mapping, and whether this round of polling goes on.
func (p *Poller) polled(ctx context.Context, at config.Place, id string, round int64) (m mapping.Mapping, goesOn bool, err error) {
	err = p.db.Read(ctx, func(tx *db.Tx) error {
		goesOn = false
		if m, err = mapping.Read(ctx, tx, at, id); err != nil {
			return gone(err)
		}
		own, found, err := readShard(ctx, tx, id, "")
		goesOn = found && own.Round == round && m.Polls()
		return err
	})
	return m, goesOn, err
}
