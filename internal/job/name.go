package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Two servers of one name would take up each other's running jobs. On PostgreSQL
// a server holds its name by a lock of a session: it ends with the process,
// however that ends. A SQLite file has one server, which app sees to.

// nameWait is how long a start waits for its name: the database may not have
// noticed yet that the process before it was killed.
const nameWait = 5 * time.Second

// errNameTaken says that another server has the name.
var errNameTaken = errors.New("the name is taken")

func (q *Queue) claimName(ctx context.Context) error {
	if q.pg == nil {
		return nil
	}
	until := time.Now().Add(nameWait)
	for taken := false; ; taken = true {
		err := q.tryName(ctx)
		late := taken && ctx.Err() != nil // the caller's time ran out while it was asked again
		if !errors.Is(err, errNameTaken) && !late {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			until = time.Time{}
		}
		if time.Now().After(until) {
			return fmt.Errorf("another server that runs on this database is called %q: give this one another --host", q.server)
		}
	}
}

func (q *Queue) tryName(ctx context.Context) error {
	session, err := q.db.Session(ctx)
	if err != nil {
		return fmt.Errorf("claim the name of this server: %w", err)
	}
	var got bool
	// Schemas are stores of their own.
	err = session.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended('job.server ' || current_schema() || ' ' || $1, 0))`, q.server).Scan(&got)
	switch {
	case err != nil:
		err = fmt.Errorf("claim the name of this server: %w", err)
	case !got:
		err = errNameTaken
	}
	if err != nil {
		closeSession(ctx, session)
		return err
	}
	q.session = session
	return nil
}

// keepName claims the name again after the database ended the session.
func (q *Queue) keepName(ctx context.Context) error {
	if q.session != nil && q.session.Ping(ctx) == nil {
		return nil
	}
	q.releaseName(ctx)
	return q.tryName(ctx)
}

func (q *Queue) releaseName(ctx context.Context) {
	if q.session != nil {
		closeSession(ctx, q.session)
		q.session = nil
	}
}

func closeSession(ctx context.Context, s *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.Close(ctx) // the database may be away; it ends the session by itself
}
