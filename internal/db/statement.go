package db

import (
	"context"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

// SQLite compiles a statement every time that it is handed as text, which for a
// batch of a hundred rows takes as long as writing them. A cachedConn keeps the
// compiled ones of a connection, by the size of their texts: a compiled statement
// takes about ten times as much.
const (
	keptText = 256 << 10 // of all statements of a connection
	longText = 32 << 10  // of one that is worth keeping
)

// liteConnector opens connections to SQLite that keep their statements.
type liteConnector struct{ driver.Connector }

func newLiteConnector(dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	return liteConnector{c}, err
}

// Connect opens a connection.
func (c liteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(liteConn)
	if !ok {
		conn.Close()
		return nil, errors.New("the SQLite driver lacks what the store needs")
	}
	return &cachedConn{liteConn: full, kept: map[string]*cachedStmt{}}, nil
}

// liteConn is what the driver's connection can do.
type liteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type cachedConn struct {
	liteConn
	kept map[string]*cachedStmt
	size int // of the kept texts
}

type cachedStmt struct {
	liteStmt
	open bool // its rows are being read: a second use needs a statement of its own
}

type liteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// ExecContext runs a statement. What has begun is not interrupted: watching for
// that costs more than most statements take, and the next one sees the end of
// ctx.
func (c *cachedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext runs a query, which the end of ctx interrupts.
func (c *cachedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.open = true
	return &cachedRows{rows, s}, nil
}

// BeginTx opens a transaction. Its end is not interrupted either.
func (c *cachedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.liteConn.BeginTx(context.WithoutCancel(ctx), o)
}

// Close gives back the statements and closes the connection.
func (c *cachedConn) Close() error {
	for _, s := range c.kept {
		s.Close()
	}
	return c.liteConn.Close()
}

type cachedRows struct {
	driver.Rows
	stmt *cachedStmt
}

// Close ends the reading of the rows.
func (r *cachedRows) Close() error {
	r.stmt.open = false
	return r.Rows.Close()
}

// statement returns the compiled statement of a text; nil if it cannot be kept.
func (c *cachedConn) statement(ctx context.Context, query string) (*cachedStmt, error) {
	if s, ok := c.kept[query]; ok {
		if s.open {
			return nil, nil
		}
		return s, nil
	}
	if len(query) > longText {
		return nil, nil
	}
	s, err := c.liteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := s.(liteStmt)
	if !ok {
		return nil, s.Close()
	}
	c.makeRoom(len(query))
	kept := &cachedStmt{liteStmt: full}
	c.kept[query] = kept
	c.size += len(query)
	return kept, nil
}

// makeRoom forgets statements, any that are not in use: the busy ones come back.
func (c *cachedConn) makeRoom(n int) {
	for query, s := range c.kept {
		if c.size+n <= keptText {
			return
		}
		if !s.open {
			delete(c.kept, query)
			c.size -= len(query)
			s.Close()
		}
	}
}
