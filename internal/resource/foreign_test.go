package resource

import (
	"context"
	"iter"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/models"
	"plumb/resources"
)

// stranger answers every call with the same members, as no service does.
type stranger map[string]any

func (s stranger) All(context.Context, string, string, map[string]any) (map[string]any, error) {
	return s, nil
}

func (s stranger) Pages(context.Context, string, string, map[string]any) iter.Seq2[awsclient.Page, error] {
	return func(yield func(awsclient.Page, error) bool) { yield(awsclient.Page(s), nil) }
}

// Answers without their members, with others, or with members of another kind say so in words, and not in those of
// the library that looks at them.
func TestAnswersThatNoServiceGivesAreNamedSo(t *testing.T) {
	c, err := Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		t.Fatal(err)
	}
	place := config.Place{Account: "123456789012", Region: "us-east-1"}
	answers := map[string]stranger{
		"empty": {}, "of something else": {"message": "Bad Gateway"}, "text for a list": {"Reservations": "none"}, "nothing for a list": {"Reservations": nil},
		"an element that is none": {"Reservations": []any{"r-1"}},
	}
	for _, info := range c.Types() {
		for name, answer := range answers {
			_, err := Collect(c.Discover(t.Context(), answer, place, info.Type))
			if err == nil {
				continue // what is asked for each resource is looked at where there is one
			}
			text := strings.ToLower(err.Error())
			for _, raw := range []string{"invalid type", "invalid-type", "jmespath", "%!", "interface {}", "[?", "==", "[]", "type(", "map[", "nil"} {
				if strings.Contains(text, raw) {
					t.Errorf("%s, %s: %v", info.Type, name, err)
				}
			}
		}
	}
	for name, answer := range answers {
		_, err := Collect(c.Discover(t.Context(), answer, place, "AWS::EC2::Instance"))
		if err == nil || !strings.Contains(err.Error(), "DescribeInstances: the answer is not what the service answers, or a part of it: a proxy may have written it or cut it short (looked for: Reservations, Instances)") {
			t.Errorf("instances, %s: %v", name, err)
		}
	}
}
