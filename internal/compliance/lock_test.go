package compliance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

// impatient runs f in a transaction that gives up soon where it has to wait for
// another one, and reports whether it had to.
func impatient(t *testing.T, d *db.DB, f func(tx *db.Tx) error) (waited bool) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL lock_timeout = '200ms'`); err != nil {
			return err
		}
		return f(tx)
	})
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == "55P03" {
		return true
	}
	if err != nil {
		t.Fatal(err)
	}
	return false
}

// recordAndJudge does what recording does to one bucket.
func (k *desk) recordAndJudge(ctx context.Context, tx *db.Tx, id string, step int) error {
	key := config.ResourceKey{Place: place, Type: "AWS::S3::Bucket", ID: id}
	if err := store.HoldRules(ctx, tx, place); err != nil {
		return err
	}
	if err := store.Hold(ctx, tx, place, []config.ResourceKey{key}); err != nil {
		return err
	}
	at := noon.Add(time.Duration(step) * time.Second)
	it := config.Item{ResourceKey: key, Status: config.StatusOK, CaptureTime: at, StateID: at.UnixMilli(), Configuration: map[string]any{}}
	body, err := it.MarshalJSON()
	if err != nil {
		return err
	}
	if err := store.AppendItems(ctx, tx, []store.NewItem{{Item: it, Body: body, Digest: []byte{byte(step)}}}); err != nil {
		return err
	}
	return k.ledger.Accept(ctx, tx, place, config.Batch{Rule: rule, Invoked: noon, Evaluations: []config.Evaluation{
		{ResourceType: key.Type, ResourceID: key.ID, Compliance: config.Compliant, Ordering: at},
	}})
}

func TestWritersOfOnePlaceWaitOnlyForWhoWritesTheSameResource(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("SQLite has one writer")
		}
		k := newDesk(t, d)
		k.write(func(tx *db.Tx) error { return k.recordAndJudge(t.Context(), tx, "known", 1) })
		k.write(func(tx *db.Tx) error {
			for _, id := range []string{"known", "new"} {
				if err := k.recordAndJudge(t.Context(), tx, id, 2); err != nil {
					return err
				}
			}
			for _, id := range []string{"known", "new"} {
				if !impatient(t, d, func(tx *db.Tx) error { return k.recordAndJudge(t.Context(), tx, id, 3) }) {
					t.Errorf("two transactions write %s at once", id)
				}
			}
			if impatient(t, d, func(tx *db.Tx) error { return k.recordAndJudge(t.Context(), tx, "another", 3) }) {
				t.Error("a transaction waits for one that writes another resource")
			}
			return nil
		})
	})
}

func TestRuleIsDeletedAfterThoseWhoJudgeByIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("SQLite has one writer")
		}
		k := newDesk(t, d)
		k.write(func(tx *db.Tx) error {
			if err := k.recordAndJudge(t.Context(), tx, "b", 1); err != nil {
				return err
			}
			if !impatient(t, d, func(tx *db.Tx) error { return store.SetRuleState(t.Context(), tx, rule, config.RuleDeleting) }) {
				t.Error("a rule is being deleted while somebody judges by it")
			}
			return nil
		})
	})
}

func TestNoVerdictComesForARuleThatIsBeingDeleted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.write(func(tx *db.Tx) error { return store.SetRuleState(t.Context(), tx, rule, config.RuleDeleting) })
		k.say(config.Compliant, "", noon)
		k.write(func(tx *db.Tx) error { return store.DeleteRule(t.Context(), tx, rule) })
		k.say(config.Compliant, "", noon)
		if len(k.verdicts()) != 0 || len(k.changes) != 0 {
			t.Fatalf("kept %v, published %v", k.verdicts(), k.changes)
		}
	})
}
