package recorder

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// logEvery is how often it is logged that a type still cannot be read.
const logEvery = time.Hour

// A failureLog keeps when a server last logged that a type cannot be read.
type failureLog struct {
	mu     sync.Mutex
	logged map[failureKey]time.Time
}

type failureKey struct {
	place              config.Place
	resourceType, code string
}

// due reports whether a failure is to be logged now.
func (l *failureLog) due(k failureKey, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.logged[k]; ok && now.Sub(last) < logEvery && !now.Before(last) {
		return false
	}
	l.logged[k] = now
	return true
}

// clear forgets the failures of a type, and reports whether there were any.
func (l *failureLog) clear(p config.Place, resourceType string) (any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.logged {
		if k.place == p && k.resourceType == resourceType {
			delete(l.logged, k)
			any = true
		}
	}
	return any
}

// noteFailure counts and logs how a reading ended; cause is nil if it was
// complete.
func (r *Recorder) noteFailure(d discover, cause error) {
	log := r.log.With("account", d.Place.Account, "region", d.Place.Region, "resource", d.Type)
	if cause == nil {
		if r.failures.clear(d.Place, d.Type) {
			log.Info("resources can be read again")
		}
		return
	}
	if r.ReadingFailed != nil {
		r.ReadingFailed(d.Type)
	}
	if r.failures.due(failureKey{d.Place, d.Type, failureCode(cause)}, r.Now()) {
		log.Warn("resources cannot be read, the next poll tries again", "err", cause)
	}
}

// failureCode returns the service's code of an error, or that of a failed reading.
func failureCode(err error) string {
	if code := awsclient.Code(err); code != "" {
		return code
	}
	return readFailed
}

// readFailed is the code of a recorder that cannot read some types.
const readFailed = "ResourceReadFailed"

// maxNamed is of how many failing types the status has the error.
const maxNamed = 3

// failureMessage names the types that cannot be read, with the errors of the
// first ones.
func failureMessage(failing []*store.Reading) string {
	names := make([]string, len(failing))
	for i, x := range failing {
		names[i] = x.Type
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Cannot read %s.", strings.Join(names, ", "))
	for _, x := range failing[:min(len(failing), maxNamed)] {
		fmt.Fprintf(&b, " %s.", strings.TrimSuffix(x.Message, "."))
	}
	return b.String()
}

// A ReadingAge is how long ago the last complete reading of a polled type began.
type ReadingAge struct {
	Place config.Place
	Type  string
	Age   time.Duration
}

// ReadingAges returns the ages of all places. A type that was never read completely
// is not among them.
func (r *Recorder) ReadingAges(ctx context.Context) (out []ReadingAge, err error) {
	now := r.Now()
	err = r.DB.Read(ctx, func(tx *db.Tx) error {
		return store.EachReading(ctx, tx, func(p config.Place, x store.Reading) {
			if !x.Completed.IsZero() && r.Source != nil && !r.Source.Announces(p, x.Type) {
				out = append(out, ReadingAge{p, x.Type, now.Sub(x.Completed)})
			}
		})
	})
	return out, err
}
