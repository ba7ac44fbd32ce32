package job

import (
	"context"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"plumb/internal/db"
)

// unknownWait is how long a job waits whose kind this server does not know. In a
// rolling upgrade a newer server takes it meanwhile.
const unknownWait = 10 * time.Second

// A driver is River's driver for one of the databases, with what Plumb changes
// at that border:
//
//   - River runs by the machine's clock, jobs are due by the program's clock,
//     which can be frozen and moved. Times are translated here.
//   - A server changes only jobs that it holds: see settle.
//   - Jobs of an unknown kind wait instead of failing.
//   - On SQLite, notifications stay in the process; with PostgreSQL, those that
//     this server needs do not depend on River's.
type driver[T any] struct {
	riverdriver.Driver[T]
	q *Queue
}

// GetExecutor returns River's executor, wrapped.
func (d driver[T]) GetExecutor() riverdriver.Executor {
	return executor{d.Driver.GetExecutor(), d.q}
}

// UnwrapExecutor returns an executor on a transaction of ours.
func (d driver[T]) UnwrapExecutor(tx T) riverdriver.ExecutorTx {
	return executorTx{d.Driver.UnwrapExecutor(tx), d.q}
}

// UnwrapTx returns the transaction behind an executor.
func (d driver[T]) UnwrapTx(tx riverdriver.ExecutorTx) T {
	if t, ok := tx.(executorTx); ok {
		tx = t.ExecutorTx
	}
	return d.Driver.UnwrapTx(tx)
}

// GetListener returns what waits for notifications.
func (d driver[T]) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	if d.q.db.IsPostgres() {
		return bothListener{d.Driver.GetListener(p), newListener(d.q.notifier)}
	}
	return newListener(d.q.notifier)
}

type executor struct {
	riverdriver.Executor
	q *Queue
}

// Begin opens a transaction.
func (e executor) Begin(ctx context.Context) (riverdriver.ExecutorTx, error) {
	tx, err := e.Executor.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return executorTx{tx, e.q}, nil
}

// NotifyMany sends notifications.
func (e executor) NotifyMany(ctx context.Context, p *riverdriver.NotifyManyParams) error {
	if e.q.db.IsPostgres() {
		return e.Executor.NotifyMany(ctx, p)
	}
	e.q.notifier.notify(p)
	return nil
}

// JobGetAvailable takes jobs that are due by the program's clock and that this
// server can do.
func (e executor) JobGetAvailable(
	ctx context.Context, p *riverdriver.JobGetAvailableParams,
) (*riverdriver.JobGetAvailableResult, error) {
	e.q.hold.RLock()
	defer e.q.hold.RUnlock()
	if e.q.onHold {
		return &riverdriver.JobGetAvailableResult{}, nil
	}
	due := *p
	due.Now = e.q.now()
	res, err := e.Executor.JobGetAvailable(ctx, &due)
	if err != nil || res == nil {
		return res, err
	}
	return res, e.q.setAsideUnknown(ctx, e.Executor, res)
}

// JobSchedule makes jobs available that are due by the program's clock.
func (e executor) JobSchedule(
	ctx context.Context, p *riverdriver.JobScheduleParams,
) ([]*riverdriver.JobScheduleResult, error) {
	due := *p
	due.Now = e.q.now()
	return e.Executor.JobSchedule(ctx, &due)
}

// JobSetStateIfRunningMany notes how attempts ended.
func (e executor) JobSetStateIfRunningMany(
	ctx context.Context, p *riverdriver.JobSetStateIfRunningManyParams,
) ([]*rivertype.JobRow, error) {
	return e.q.settle(ctx, e.Executor, p)
}

type executorTx struct {
	riverdriver.ExecutorTx
	q *Queue
}

// NotifyMany sends notifications. On SQLite, those about new jobs follow after
// the commit (see Insert); before it there would be nothing to find.
func (t executorTx) NotifyMany(ctx context.Context, p *riverdriver.NotifyManyParams) error {
	if t.q.db.IsPostgres() {
		return t.ExecutorTx.NotifyMany(ctx, p)
	}
	if p.Topic != topicInsert {
		t.q.notifier.notify(p)
	}
	return nil
}

// JobSchedule makes jobs available that are due by the program's clock.
func (t executorTx) JobSchedule(
	ctx context.Context, p *riverdriver.JobScheduleParams,
) ([]*riverdriver.JobScheduleResult, error) {
	due := *p
	due.Now = t.q.now()
	return t.ExecutorTx.JobSchedule(ctx, &due)
}

// JobInsertFastMany inserts jobs; those without a time are due now by the
// program's clock.
func (t executorTx) JobInsertFastMany(
	ctx context.Context, p *riverdriver.JobInsertFastManyParams,
) ([]*riverdriver.JobInsertFastResult, error) {
	return t.ExecutorTx.JobInsertFastMany(ctx, t.q.timed(p))
}

// JobInsertFastManyNoReturning does the same without reading them back.
func (t executorTx) JobInsertFastManyNoReturning(ctx context.Context, p *riverdriver.JobInsertFastManyParams) (int, error) {
	return t.ExecutorTx.JobInsertFastManyNoReturning(ctx, t.q.timed(p))
}

func (q *Queue) now() *time.Time {
	t := q.clock.Now()
	return &t
}

func (q *Queue) timed(p *riverdriver.JobInsertFastManyParams) *riverdriver.JobInsertFastManyParams {
	out := *p
	out.Jobs = make([]*riverdriver.JobInsertFastParams, len(p.Jobs))
	for i, j := range p.Jobs {
		one := *j
		if one.ScheduledAt == nil {
			one.ScheduledAt = q.now()
		}
		out.Jobs[i] = &one
	}
	return &out
}

// setAsideUnknown takes the jobs whose kind has no handler out of the result and
// has them wait, without counting an attempt.
func (q *Queue) setAsideUnknown(ctx context.Context, exec riverdriver.Executor, res *riverdriver.JobGetAvailableResult) error {
	var known []*rivertype.JobRow
	wait := &riverdriver.JobSetStateIfRunningManyParams{}
	for _, j := range res.Jobs {
		if q.kinds[j.Kind] {
			known = append(known, j)
			continue
		}
		add(wait, riverdriver.JobSetStateSnoozed(j.ID, q.clock.Now().Add(unknownWait), max(j.Attempt-1, 0), nil))
		if _, logged := q.unknown.LoadOrStore(j.Kind, true); !logged {
			q.log.Warn("a job waits for a server that knows its kind", "job", j.Kind, "id", j.ID)
		}
	}
	res.Jobs = known
	if len(wait.ID) == 0 {
		return nil
	}
	_, err := exec.JobSetStateIfRunningMany(ctx, wait)
	return err
}

// settle notes how attempts ended. It leaves out the jobs that were completed in
// a transaction of their own, and on PostgreSQL those that this server no longer
// holds: another one took them up while it was thought dead.
func (q *Queue) settle(
	ctx context.Context, exec riverdriver.Executor, p *riverdriver.JobSetStateIfRunningManyParams,
) (rows []*rivertype.JobRow, err error) {
	ended := q.translated(p, func(id int64) bool {
		_, completed := q.completed.LoadAndDelete(id)
		return !completed
	})
	if len(ended.ID) == 0 {
		return nil, nil
	}
	if q.pg == nil {
		return exec.JobSetStateIfRunningMany(ctx, ended)
	}
	err = q.db.Write(ctx, func(tx *db.Tx) error {
		held, err := q.held(ctx, tx, ended.ID)
		if err != nil || len(held) == 0 {
			return err
		}
		mine := pick(ended, func(id int64) bool { return held[id] })
		rows, err = q.pg.Driver().UnwrapExecutor(tx.Postgres()).JobSetStateIfRunningMany(ctx, mine)
		return err
	})
	return rows, err
}

// translated returns what was picked, with times by the program's clock.
func (q *Queue) translated(p *riverdriver.JobSetStateIfRunningManyParams, keep func(id int64) bool) *riverdriver.JobSetStateIfRunningManyParams {
	out := pick(p, keep)
	ahead := time.Until(q.clock.Now())
	for i, at := range out.ScheduledAt {
		if at != nil {
			moved := at.Add(ahead)
			out.ScheduledAt[i] = &moved
		}
	}
	return out
}

// held locks those of the jobs that run in this server.
func (q *Queue) held(ctx context.Context, tx *db.Tx, ids []int64) (map[int64]bool, error) {
	held := map[int64]bool{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		held[id] = true
		return err
	}, `SELECT id FROM river_job
		WHERE id = ANY(?) AND state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = ?
		ORDER BY id
		FOR UPDATE`, ids, q.server)
	return held, err
}

// pick returns the entries of some jobs. River keeps them in parallel slices.
func pick(p *riverdriver.JobSetStateIfRunningManyParams, keep func(id int64) bool) *riverdriver.JobSetStateIfRunningManyParams {
	out := &riverdriver.JobSetStateIfRunningManyParams{Now: p.Now, Schema: p.Schema}
	for i, id := range p.ID {
		if keep(id) {
			add(out, &riverdriver.JobSetStateIfRunningParams{
				ID: id, Attempt: p.Attempt[i], ErrData: p.ErrData[i], FinalizedAt: p.FinalizedAt[i], MetadataDoMerge: p.MetadataDoMerge[i],
				MetadataUpdates: p.MetadataUpdates[i], ScheduledAt: p.ScheduledAt[i], State: p.State[i],
			})
		}
	}
	return out
}

func add(p *riverdriver.JobSetStateIfRunningManyParams, one *riverdriver.JobSetStateIfRunningParams) {
	p.ID = append(p.ID, one.ID)
	p.Attempt = append(p.Attempt, one.Attempt)
	p.ErrData = append(p.ErrData, one.ErrData)
	p.FinalizedAt = append(p.FinalizedAt, one.FinalizedAt)
	p.MetadataDoMerge = append(p.MetadataDoMerge, one.MetadataDoMerge)
	p.MetadataUpdates = append(p.MetadataUpdates, one.MetadataUpdates)
	p.ScheduledAt = append(p.ScheduledAt, one.ScheduledAt)
	p.State = append(p.State, one.State)
}
