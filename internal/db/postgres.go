package db

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A server that freezes, or vanishes without closing its connections, must not
// block the others: PostgreSQL ends its transaction after idleTransaction. Its
// own transactions that wait for a lock must be gone by then, or they would be
// given the lock one after the other and hold it as long again: lockTimeout is
// shorter. Together they keep a waiter from waiting longer than 30 seconds.
const (
	idleTransaction = 20 * time.Second
	lockTimeout     = 8 * time.Second
)

// sessionParameters are set for every session unless the database's URL sets them.
var sessionParameters = map[string]string{
	"idle_in_transaction_session_timeout": millis(idleTransaction),
	"lock_timeout":                        millis(lockTimeout),
	"tcp_keepalives_idle":                 "10", // seconds
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "20000", // milliseconds
	"application_name":                    "plumb",
}

func millis(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// connectTimeout bounds one try to connect, so that a database whose machine is
// gone costs a request seconds, not minutes.
const connectTimeout = 5 * time.Second

func (d *DB) openPostgres(ctx context.Context) error {
	cfg, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	if cfg.MaxConns < 16 {
		cfg.MaxConns = 16
	}
	prepareSession(cfg.ConnConfig, d.readOnly)
	d.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	if err := d.pool.QueryRow(ctx, "SELECT coalesce(current_schema(), '')").Scan(&d.schema); err != nil {
		d.pool.Close()
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	if d.longPool, err = openLongPostgres(ctx, cfg); err != nil {
		d.pool.Close()
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	return nil
}

func prepareSession(cfg *pgx.ConnConfig, readOnly bool) {
	for name, value := range sessionParameters {
		if _, set := cfg.RuntimeParams[name]; !set {
			cfg.RuntimeParams[name] = value
		}
	}
	if readOnly {
		cfg.RuntimeParams["default_transaction_read_only"] = "on"
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	cfg.DialFunc = dialer.DialContext
}

// Session opens a connection of its own to PostgreSQL, for what lives as long as
// a session does, such as a lock on a name.
func (d *DB) Session(ctx context.Context) (*pgx.Conn, error) {
	return pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
}
