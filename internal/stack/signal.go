package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/template"
)

// The types by which a stack waits for somebody: a handle is an address that takes
// signals, and a condition waits for them.
const (
	handleType    = "AWS::CloudFormation::WaitConditionHandle"
	conditionType = "AWS::CloudFormation::WaitCondition"
)

func isWait(typ string) bool { return typ == handleType || typ == conditionType }

const (
	maxWait    = 12 * time.Hour
	maxSignals = 1000 // that a handle keeps
	handleMark = "handle"
)

// A signal is what was sent to a handle.
type signal struct{ Status, Reason, UniqueId, Data string }

// await makes a handle, or waits for the signals of a condition.
func (s *Stacks) await(ctx context.Context, st Stack, r Resource) error {
	switch {
	case r.Do != doCreate:
		return s.end(ctx, st, r, nil) // neither can be changed
	case r.Type == handleType:
		return s.openHandle(ctx, st, r)
	}
	limit, err := seconds(r.Properties["Timeout"])
	if err != nil {
		return s.end(ctx, st, r, err)
	}
	r.Physical = st.ID + "/" + r.ID
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		r.State = waiting
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
		over, err := s.weigh(ctx, tx, st, r)
		if err != nil || over {
			return err
		}
		end := silence{Stack: st.ID, ID: r.ID, Mark: r.Mark, Token: r.Token}
		return s.Jobs.Insert(ctx, tx, end, job.Options{At: s.Now().Add(limit)})
	})
}

func seconds(v any) (time.Duration, error) {
	text, _ := template.Text(v)
	n, err := strconv.Atoi(text)
	if limit := time.Duration(n) * time.Second; err == nil && n > 0 && limit <= maxWait {
		return limit, nil
	}
	return 0, because("Timeout must be a whole number of seconds from 1 to 43200.")
}

// openHandle makes the address that takes signals.
func (s *Stacks) openHandle(ctx context.Context, st Stack, r Resource) error {
	secret := rand.Text() + rand.Text()
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO stack_answer (secret, stack, id, generation, mark, token) VALUES (?, ?, ?, 0, ?, '')`,
			keyOf(secret), st.ID, r.ID, handleMark)
		if err != nil {
			return err
		}
		r.Physical = s.AnswerAt() + AnswerPath + secret
		return s.endIn(ctx, tx, st, r, nil)
	})
}

// closeWait ends a handle or a condition.
func (s *Stacks) closeWait(ctx context.Context, st Stack, r Resource) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		if r.Type == handleType {
			secret := r.Physical[strings.LastIndexByte(r.Physical, '/')+1:]
			if _, err := tx.Exec(ctx, `DELETE FROM stack_answer WHERE secret = ?`, keyOf(secret)); err != nil {
				return err
			}
		}
		return s.endIn(ctx, tx, st, r, nil)
	})
}

// signalled takes a signal for a handle. The address goes on working.
func (s *Stacks) signalled(ctx context.Context, tx *db.Tx, stack, id string, body []byte) error {
	if err := lock(ctx, tx, stack); err != nil {
		return err
	}
	st, err := byID(ctx, tx, stack)
	if err != nil {
		return ErrNoAnswer
	}
	handle, err := resourceOf(ctx, tx, stack, id, 0)
	if err != nil || handle.Type != handleType {
		return ErrNoAnswer
	}
	var got signal
	if len(body) > maxAnswer || json.Unmarshal(body, &got) != nil || got.UniqueId == "" || got.Status != "SUCCESS" && got.Status != "FAILURE" {
		return ErrBadAnswer
	}
	signals := signalsOf(handle)
	if _, twice := signals[got.UniqueId]; !twice && len(signals) == maxSignals {
		return ErrBadAnswer
	}
	if handle.Attributes == nil {
		handle.Attributes = map[string]any{}
	}
	text, err := template.JSON(got)
	if err != nil {
		return err
	}
	handle.Attributes["signal "+got.UniqueId] = text
	if err := putResource(ctx, tx, st, handle); err != nil {
		return err
	}
	rows, err := resourcesOf(ctx, tx, stack)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if handleOf(r) == handle.Physical && r.State == waiting && r.Mark == st.Operation.mark() && st.InProgress() {
			if _, err := s.weigh(ctx, tx, st, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// ErrBadAnswer says that a signal is not one.
var ErrBadAnswer = errors.New("a signal is JSON with Status, UniqueId, Reason and Data")

func signalsOf(handle Resource) map[string]signal {
	out := map[string]signal{}
	for k, v := range handle.Attributes {
		text, _ := v.(string)
		var one signal
		if id, is := strings.CutPrefix(k, "signal "); is && json.Unmarshal([]byte(text), &one) == nil {
			out[id] = one
		}
	}
	return out
}

func handleOf(r Resource) string {
	if r.Type != conditionType {
		return ""
	}
	text, _ := template.Text(r.Properties["Handle"])
	return text
}

func countOf(r Resource) int {
	text, _ := template.Text(r.Properties["Count"])
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return 1
}

// weigh ends a condition that has its signals.
func (s *Stacks) weigh(ctx context.Context, tx *db.Tx, st Stack, r Resource) (over bool, err error) {
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return false, err
	}
	data := map[string]string{}
	for _, h := range rows {
		if h.Type != handleType || h.Physical != handleOf(r) || h.Generation != 0 {
			continue
		}
		for id, one := range signalsOf(h) {
			if one.Status == "FAILURE" {
				return true, s.endIn(ctx, tx, st, r, because("WaitCondition received failed message: '%s' for uniqueId: %s", one.Reason, id))
			}
			data[id] = one.Data
		}
	}
	if len(data) < countOf(r) {
		return false, nil
	}
	text, err := template.JSON(data)
	if err != nil {
		return false, err
	}
	r.Attributes = map[string]any{"Data": text}
	return true, s.endIn(ctx, tx, st, r, nil)
}

// expired is why a condition failed that did not get its signals.
func (s *Stacks) expired(ctx context.Context, tx *db.Tx, st Stack, r Resource) error {
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	n := 0
	for _, h := range rows {
		if h.Type == handleType && h.Physical == handleOf(r) {
			n = len(signalsOf(h))
		}
	}
	return s.endIn(ctx, tx, st, r, because("WaitCondition timed out. Received %d conditions when expecting %d", n, countOf(r)))
}
