package managed

import (
	"os"
	"testing"

	"plumb/internal/config"
)

// instance returns a decoded EC2 instance item: 3 KB, of which the configuration
// is 1.7 KB.
func instance(tb testing.TB) config.Item {
	tb.Helper()
	content, err := os.ReadFile("testdata/instance.json")
	if err != nil {
		tb.Fatal(err)
	}
	var item config.Item
	if err := item.UnmarshalJSON(content); err != nil {
		tb.Fatal(err)
	}
	return item
}

// 50 rules on one item: every rule on instances, again and again until there
// are 50, each with its own parameters' evaluator. ns/op is the time of all 50.
func BenchmarkFiftyRulesOnOneInstance(b *testing.B) {
	c, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	evaluators := fifty(b, c)
	item := instance(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range evaluators {
			if _, _, err := e.Evaluate(item, Beside()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func fifty(b *testing.B, c *Catalogue) []*Evaluator {
	b.Helper()
	parameters := map[string]string{
		"APPROVED_AMIS_BY_ID":   `{"amiIds":"ami-1,ami-2,ami-0abcdef1234567890"}`,
		"DESIRED_INSTANCE_TYPE": `{"instanceType":"t3.micro,m5.large"}`, "DESIRED_INSTANCE_TENANCY": `{"tenancy":"DEFAULT"}`,
		"REQUIRED_TAGS": `{"tag1Key":"Environment","tag1Value":"prod,test","tag2Key":"Owner"}`,
	}
	var list []*Evaluator
	for len(list) < 50 {
		for _, identifier := range c.Evaluated() {
			info, _ := c.Known(identifier)
			for _, t := range info.Types {
				if t != "AWS::EC2::Instance" || len(list) == 50 {
					continue
				}
				e, err := c.Evaluator(identifier, parameters[identifier])
				if err != nil && parameters[identifier] == "" {
					continue // it cannot do without parameters
				}
				if err != nil {
					b.Fatal(err)
				}
				list = append(list, e)
			}
		}
	}
	return list
}

// What a newcomer's first rule costs once: reading and compiling its file.
func BenchmarkCompileOneFile(b *testing.B) {
	c, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	content, err := os.ReadFile("../../../rules/s3-bucket-versioning-enabled.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.ParseFile("x.yaml", content); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
