package db_test

import (
	"context"
	"log/slog"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// BenchmarkReadOneRow is what the least read of a server costs: a transaction, a
// query, a row.
func BenchmarkReadOneRow(b *testing.B) {
	d := dbtest.Open(b)
	ctx, cancel := context.WithCancel(b.Context()) // as a request's context can be
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		err := d.Read(ctx, func(tx *db.Tx) error {
			var n int
			return tx.QueryRow(ctx, `SELECT count(*) FROM rule_set WHERE place = ?`, 1).Scan(&n)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadsOnPostgres compares a read of one query with and without a
// transaction around it.
func BenchmarkReadsOnPostgres(b *testing.B) {
	d, err := db.Open(b.Context(), dbtest.PostgresURL(b), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.Close)
	for name, read := range map[string]func(context.Context, func(*db.Tx) error) error{"Read": d.Read, "ReadOne": d.ReadOne} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				err := read(b.Context(), func(tx *db.Tx) error {
					var n int
					return tx.QueryRow(b.Context(), `SELECT count(*) FROM plumb_migration WHERE number = ?`, 1).Scan(&n)
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReadThousandRows is dominated by what a row costs.
func BenchmarkReadThousandRows(b *testing.B) {
	d := dbtest.Open(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := d.Read(ctx, func(tx *db.Tx) error {
			return db.Each(ctx, tx, func(scan func(...any) error) error {
				var id int64
				var text string
				n++
				return scan(&id, &text)
			}, `WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000) SELECT i, 'some text' FROM c`)
		})
		if err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkWriteNothing is a transaction that changes no row: no disk.
func BenchmarkWriteNothing(b *testing.B) {
	d := dbtest.Open(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM rule_set WHERE place = ?`, 1)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadPage is a statement whose page is bounded by a parameter, as most lists and
// each fetch of jobs is: it is prepared once for a connection.
func BenchmarkReadPage(b *testing.B) {
	d := dbtest.Open(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		err := d.Read(ctx, func(tx *db.Tx) error {
			return db.Each(ctx, tx, func(scan func(...any) error) error {
				var id int64
				return scan(&id)
			}, `SELECT id FROM resource WHERE type = ? AND place = ? AND external_id > ? AND status IN (1, 2, 3) ORDER BY external_id LIMIT ?`, 1, 1, "x", 100)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
