package wire_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/wire"
)

func evaluationsBody() string {
	one := `{"ComplianceResourceType":"AWS::EC2::Instance","ComplianceResourceId":"i-%017d","ComplianceType":"NON_COMPLIANT",` +
		`"Annotation":"volume is not encrypted","OrderingTimestamp":1443610576.349}`
	all := make([]string, 100)
	for i := range all {
		all[i] = fmt.Sprintf(one, i)
	}
	return `{"Evaluations":[` + strings.Join(all, ",") + `],"ResultToken":"token"}`
}

func benchService() service {
	s := configapi.NewService()
	s.PutEvaluations(func(context.Context, *configapi.PutEvaluationsInput) (*configapi.PutEvaluationsOutput, error) {
		return &configapi.PutEvaluationsOutput{}, nil
	})
	var rules []configapi.ConfigRule
	for i := range 25 {
		rules = append(rules, configapi.ConfigRule{
			ConfigRuleName: new(fmt.Sprintf("rule-%d", i)), ConfigRuleArn: new("arn:aws:config:eu-west-1:123456789012:config-rule/x"),
			ConfigRuleState: configapi.ConfigRuleStateActive, Description: new("what the rule is for"),
			Source: &configapi.Source{Owner: configapi.OwnerAws, SourceIdentifier: new("ENCRYPTED_VOLUMES")},
		})
	}
	s.DescribeConfigRules(func(context.Context, *configapi.DescribeConfigRulesInput) (*configapi.DescribeConfigRulesOutput, error) {
		return &configapi.DescribeConfigRulesOutput{ConfigRules: rules}, nil
	})
	return s
}

// BenchmarkHandler measures what the wire adds to an operation, without a network.
func BenchmarkHandler(b *testing.B) {
	h := wire.New(slog.New(slog.DiscardHandler), wire.Options{Services: []*model.Registry{benchService().Registry()}})
	for operation, body := range map[string]string{"PutEvaluations": evaluationsBody(), "DescribeConfigRules": "{}"} {
		b.Run(operation, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/", strings.NewReader(body))
				r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
				r.Header.Set("Content-Type", json11)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// BenchmarkServer compares a read with a bare net/http server that sends an answer of the same size.
func BenchmarkServer(b *testing.B) {
	h := wire.New(slog.New(slog.DiscardHandler), wire.Options{Services: []*model.Registry{benchService().Registry()}})
	answer := post(b, h, "")
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", json11)
		w.Write(answer)
	})
	for name, handler := range map[string]http.Handler{"bare": echo, "wire": h} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(handler)
			defer server.Close()
			b.ReportAllocs()
			for b.Loop() {
				post(b, nil, server.URL)
			}
		})
	}
}

func post(b *testing.B, h http.Handler, url string) []byte {
	r, err := http.NewRequest("POST", url+"/", strings.NewReader("{}"))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "StarlingDoveService.DescribeConfigRules")
	r.Header.Set("Content-Type", json11)
	if h != nil {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.Bytes()
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	return body
}
