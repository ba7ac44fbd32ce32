package aggregation

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

func TestPacksThatMayNotBeReadAreLeftOutAndSaidOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		var log bytes.Buffer
		p := config.Place{Account: "123456789012", Region: "us-east-1"}
		refused := ""
		call := func(_ context.Context, _ config.Place, operation string, _ map[string]any) (map[string]any, error) {
			if operation == refused {
				return nil, &awsclient.Error{Code: "AccessDeniedException"}
			}
			return map[string]any{"ConformancePackDetails": []any{map[string]any{"ConformancePackName": "p", "ConformancePackId": "p-1"}}}, nil
		}
		o := &outside{log: slog.New(slog.NewTextHandler(&log, nil)), OutsideOptions: OutsideOptions{DB: d, Call: call}, Aggregation: New(nil, 1, time.Now)}
		for _, refused = range []string{"", "DescribeConformancePacks", "DescribeConformancePackCompliance"} {
			if err := o.readPacks(t.Context(), p); err != nil {
				t.Fatalf("without %s: %v", refused, err)
			}
			var kept []store.PackWithStatus
			err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
				kept, err = store.ConformancePacks(t.Context(), tx, p, "", 0)
				return err
			})
			if err != nil || (refused == "") != (len(kept) == 1) {
				t.Errorf("without %q %d packs are kept: %v", refused, len(kept), err)
			}
		}
		if n := strings.Count(log.String(), "may not be read"); n != 1 {
			t.Errorf("it was said %d times", n)
		}
	})
}
