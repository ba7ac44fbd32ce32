package outside

import (
	"errors"
	"fmt"
	"testing"

	"plumb/internal/delivery"
)

func TestEachEntryOfAPutIsTakenOrHasAReason(t *testing.T) {
	taken := map[string]any{"EventId": "1"}
	for _, c := range []struct {
		entries []any
		want    []error // nil is taken; errOther is any
	}{
		{[]any{taken, taken}, []error{nil, nil}},
		{[]any{taken, map[string]any{"ErrorCode": "ThrottlingException", "ErrorMessage": "slower"}}, []error{nil, errOther}},
		{[]any{map[string]any{"ErrorCode": "MalformedDetail"}, taken}, []error{delivery.ErrInvalid, nil}},
		{[]any{map[string]any{"ErrorCode": "NotAuthorizedForSourceException"}, taken}, []error{delivery.ErrAccessDenied, nil}},
		{[]any{map[string]any{}, nil}, []error{errOther, errOther}},
		{[]any{taken}, []error{errOther, errOther}},
		{nil, []error{errOther, errOther}},
	} {
		got := entryErrors(map[string]any{"Entries": c.entries}, 2)
		for i, want := range c.want {
			if ok := got[i] == nil; ok != (want == nil) || want != nil && want != errOther && !errors.Is(got[i], want) {
				t.Errorf("%v: %v", c.entries, fmt.Sprint(got))
			}
		}
	}
}

var errOther = errors.New("other")
