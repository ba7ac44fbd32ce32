package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// most is how many evaluations one call may carry.
const most = 100

// evaluations measures PutEvaluations: verdicts that stay as they are, of which
// only the times are new, and verdicts that turn, each with its compliance item.
func evaluations(ctx context.Context, b *bench) error {
	s, err := b.newServer(ctx)
	if err != nil {
		return err
	}
	if err := s.startRecorder(ctx); err != nil {
		return err
	}
	arn, err := s.makeFunction(ctx, "judge", echoPython)
	if err != nil {
		return err
	}
	id, err := s.putFunctionRule(ctx, "judge", arn, instanceType)
	if err != nil {
		return err
	}
	token, err := s.resultToken(ctx, b, id, arn)
	if err != nil {
		return err
	}
	for _, turn := range []bool{false, true} {
		if err := b.putEvaluations(ctx, s, token, turn); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) putEvaluations(ctx context.Context, s *server, token string, turn bool) error {
	bodies, err := evaluationBodies(token, turn)
	if err != nil {
		return err
	}
	var calls atomic.Int64
	ours := together(b.clients, func(ctx context.Context) error {
		n := int(calls.Add(1) - 1)
		_, err := s.callRaw(ctx, "PutEvaluations", bodies[n%len(bodies)])
		return err
	})
	if _, err := ours(ctx); err != nil { // the first verdicts on resources
		return err
	}
	floor, err := b.bareEvaluations(ctx, s, turn)
	if err != nil {
		return err
	}
	r, err := b.compare(ctx, ours, floor)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("PutEvaluations of %d verdicts that stay, %d clients", most, b.clients)
	if turn {
		what = fmt.Sprintf("PutEvaluations of %d verdicts that turn, and their compliance items", most)
	}
	b.table.race(what, "calls/s", r, 0.5)
	return nil
}

// evaluationBodies returns the calls that speak of the whole fleet once, or with
// turn twice, the other way around the second time.
func evaluationBodies(token string, turn bool) ([][]byte, error) {
	verdicts := []string{"COMPLIANT"}
	if turn {
		verdicts = append(verdicts, "NON_COMPLIANT")
	}
	now := float64(time.Now().UnixMilli()) / 1000
	var bodies [][]byte
	for _, verdict := range verdicts {
		for first := 0; first < fleetSize; first += most {
			var list []map[string]any
			for i := range most {
				list = append(list, map[string]any{
					"ComplianceResourceType": instanceType, "ComplianceResourceId": instanceID(first + i),
					"ComplianceType": verdict, "Annotation": "volume is not encrypted", "OrderingTimestamp": now,
				})
			}
			body, err := json.Marshal(map[string]any{"ResultToken": token, "Evaluations": list})
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, body)
		}
	}
	return bodies, nil
}

// bareEvaluations writes the rows of a call: verdicts, and of those that turn the
// compliance items.
func (b *bench) bareEvaluations(ctx context.Context, s *server, turn bool) (act, error) {
	d, err := b.openFloor(ctx)
	if err != nil {
		return nil, err
	}
	some, err := s.someItem(ctx, b, config.TypeResourceCompliance)
	if err != nil {
		return nil, err
	}
	var calls, state atomic.Int64
	state.Store(time.Now().UnixMilli())
	return together(b.clients, func(ctx context.Context) error {
		n := calls.Add(1) - 1
		var verdicts []keptVerdict
		var items []keptItem
		for i := range int64(most) {
			id := int64(int(n*most+i) % fleetSize)
			verdicts = append(verdicts, keptVerdict{1, id})
			if turn {
				items = append(items, keptItem{1, id, some.body, some.packed})
			}
		}
		at := state.Add(1)
		return d.Write(ctx, func(tx *db.Tx) error {
			if turn {
				if err := bareItems(ctx, tx, items, at); err != nil {
					return err
				}
			}
			return bareVerdicts(ctx, tx, verdicts, 1, time.Now())
		})
	}), nil
}

// someItem returns the bodies of some item that the server keeps.
func (s *server) someItem(ctx context.Context, b *bench, kind string) (keptItem, error) {
	d, err := db.Open(ctx, s.store, b.log())
	if err != nil {
		return keptItem{}, err
	}
	defer d.Close()
	return someItem(ctx, d, kind)
}
