package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"plumb/internal/db/dbtest"
	"plumb/internal/settings"
)

// auth is a header of a signature that development mode does not check.
func auth(service string) []string {
	return []string{"Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=123456789012/%s/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=00",
		time.Now().UTC().Format("20060102"), service)}
}

// A signed request of each protocol, as no SDK would send it: once.
func oneOfEachProtocol(t *testing.T, base string) map[string]string {
	t.Helper()
	json := func(version, target, service string) string {
		header := append(auth(service), "X-Amz-Target", target, "Content-Type", "application/x-amz-json-"+version)
		status, body := call(t, "POST", base+"/", "{}", header...)
		return fmt.Sprint(status, " ", body)
	}
	status, s3 := call(t, "GET", base+"/some-bucket", "", auth("s3")...)
	answers := map[string]string{"s3": fmt.Sprint(status, " ", s3)}
	status, lambda := call(t, "GET", base+"/2015-03-31/functions", "", auth("lambda")...)
	answers["lambda"] = fmt.Sprint(status, " ", lambda)
	status, sns := call(t, "POST", base+"/", "Action=ListTopics&Version=2010-03-31",
		append(auth("sns"), "Content-Type", "application/x-www-form-urlencoded")...)
	answers["sns"] = fmt.Sprint(status, " ", sns)
	answers["config"] = json("1.1", "StarlingDoveService.DescribeConfigRules", "config")
	answers["sqs"] = json("1.0", "AmazonSQS.ListQueues", "sqs")
	return answers
}

func TestDatabaseThatIsAwayIsServiceUnavailable(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgresURL(t))
	a, err := launch(t, func(s *settings.Settings) { s.Database = p.URL })
	if err != nil {
		t.Fatal(err)
	}
	p.GoAway()
	for service, answer := range oneOfEachProtocol(t, a.URL()) {
		named := strings.Contains(answer, "ServiceUnavailable") || service == "lambda" // which names it in a header
		if !strings.HasPrefix(answer, "503 ") || !named {
			t.Errorf("%s: %s", service, answer)
		}
	}
	if status, text := call(t, "GET", a.URL()+"/readyz", ""); status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d %s", status, text)
	}
	p.ComeBack(t)
	for service, answer := range oneOfEachProtocol(t, a.URL()) {
		if strings.HasPrefix(answer, "5") {
			t.Errorf("after it came back: %s: %s", service, answer)
		}
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// What the database breaks off is not the client's body.
func TestUploadThatMeetsAnOutageIsToBeTriedAgain(t *testing.T) {
	p := dbtest.NewProxy(t, dbtest.PostgresURL(t))
	a, err := launch(t, func(s *settings.Settings) { s.Database = p.URL })
	if err != nil {
		t.Fatal(err)
	}
	if status, text := call(t, "PUT", a.URL()+"/uploads", "", auth("s3")...); status != http.StatusOK {
		t.Fatal(status, text)
	}
	const before, after = 3 << 20, 10 << 10 // more than is kept at once, and less than a client sends unread
	body := io.MultiReader(strings.NewReader(strings.Repeat("a", before)), outage(p.GoAway), strings.NewReader(strings.Repeat("b", after)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, a.URL()+"/uploads/object", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = before + after
	for h := auth("s3"); len(h) > 1; h = h[2:] {
		r.Header.Set(h[0], h[1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	p.ComeBack(t)
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// An outage is a part of a body that has something happen when it is read.
type outage func()

func (o outage) Read([]byte) (int, error) {
	o()
	return 0, io.EOF
}
