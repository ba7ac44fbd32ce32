package topic

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

func TestTheKeyThatSignsIsSealedWhenThereIsAKeyToSealIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		signed := func(key string) (signature, kept string, err error) {
			t.Helper()
			if err := d.SealWith(key); err != nil {
				t.Fatal(err)
			}
			s := &Store{log: slog.New(slog.DiscardHandler), db: d, now: time.Now}
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				k, err := s.signing(t.Context(), tx)
				if err != nil {
					return err
				}
				if signature, err = k.sign("2", "text"); err != nil {
					return err
				}
				return tx.QueryRow(t.Context(), `SELECT key FROM topic_signers WHERE id = 1`).Scan(&kept)
			})
			return signature, kept, err
		}
		first, open, err := signed("")
		if err != nil || !strings.Contains(open, "BEGIN PRIVATE KEY") {
			t.Fatal(open, err)
		}
		for range 2 {
			again, sealed, err := signed("key")
			if err != nil || again != first || strings.Contains(sealed, "BEGIN PRIVATE KEY") {
				t.Errorf("%v, the same key: %v, kept as %s", err, again == first, sealed)
			}
		}
		if _, _, err := signed("another"); err == nil {
			t.Error("it is read with another key")
		}
	})
}
