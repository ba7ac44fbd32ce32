package command

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// Who counts documents finds each, also where no rule file has a rule.
func TestADocumentOfWhichNoRuleSpeaksIsSkipped(t *testing.T) {
	for _, rules := range []string{`"# words only\n"`, `""`, ``} {
		v := &Validate{Payload: true, Structured: true, Format: JSON, ShowSummary: []string{"none"}}
		var out bytes.Buffer
		in := strings.NewReader(`{"rules":[` + rules + `],"data":["{\"a\":1}","{\"b\":2}"]}`)
		code, err := v.Run(t.Context(), Streams{In: in, Out: &out, Err: &bytes.Buffer{}})
		if err != nil || code != OK {
			t.Fatalf("rules %s: %d, %v", rules, code, err)
		}
		var got []struct {
			Name, Status string
			Failed       []any `json:"not_compliant"`
			Skipped      []any `json:"not_applicable"`
			Passed       []any `json:"compliant"`
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v", out.Bytes(), err)
		}
		if len(got) != 2 || got[0].Status != "SKIP" || got[1].Status != "SKIP" || got[0].Name == got[1].Name || got[0].Failed == nil || len(got[0].Failed)+len(got[0].Skipped)+len(got[0].Passed) > 0 {
			t.Errorf("rules %s: %s", rules, out.Bytes())
		}
	}
}
