package topic

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func delays(p *retryPolicy) string {
	var out []string
	for n := range p.Retries {
		out = append(out, fmt.Sprint(p.delay(n).Round(100*time.Millisecond).Seconds()))
	}
	return strings.Join(out, " ")
}

func TestPhasesOfADeliveryPolicyFollowEachOther(t *testing.T) {
	for policy, want := range map[string]string{
		`{}`: "20 20 20",
		`{"healthyRetryPolicy":{"numRetries":0}}`:                                                                                                            "",
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":9,"numRetries":5}}`:                                                                      "1 3 5 7 9",
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":9,"numRetries":1}}`:                                                                      "1",
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":13,"numRetries":4,"backoffFunction":"arithmetic"}}`:                                      "1 3 7 13",
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":27,"numRetries":4,"backoffFunction":"geometric"}}`:                                       "1 3 9 27",
		`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":21,"numRetries":4,"backoffFunction":"exponential"}}`:                                     "1 2.8 7.7 21",
		`{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":30,"numRetries":9,"numNoDelayRetries":2,"numMinDelayRetries":1,"numMaxDelayRetries":3}}`: "0 0 5 5 17.5 30 30 30 30",
	} {
		if err := checkSubscriptionPolicy(policy); err != nil {
			t.Errorf("%s: %v", policy, err)
		}
		if got := delays(effective("", policy).Retry); got != want {
			t.Errorf("%s: %s, want %s", policy, got, want)
		}
	}
}

func TestADeliveryPolicyIsCheckedWhenItIsSet(t *testing.T) {
	for policy, want := range map[string]string{
		`{"healthyRetryPolicy":{"numRetries":101}}`:                                            "healthyRetryPolicy.numRetries must be between 0 and 100",
		`{"healthyRetryPolicy":{"minDelayTarget":0}}`:                                          "minDelayTarget must be between 1 and 20",
		`{"healthyRetryPolicy":{"maxDelayTarget":3601}}`:                                       "maxDelayTarget must be between 20 and 3600",
		`{"healthyRetryPolicy":{"numRetries":3,"numNoDelayRetries":2,"numMaxDelayRetries":2}}`: "at least the sum",
		`{"healthyRetryPolicy":{"numNoDelayRetries":-1}}`:                                      "numNoDelayRetries must be between 0 and 3",
		`{"healthyRetryPolicy":{"backoffFunction":"cubic"}}`:                                   "backoffFunction must be one of",
		`{"healthyRetryPolicy":{"maxDelayTarget":3600,"minDelayTarget":3600,"numRetries":2}}`:  "all delays together must be at most 3600 seconds",
		`{"healthyRetryPolicy":{"nothing":1}}`:                                                 `unknown field "nothing"`,
		`{"http":{}}`:                                                                          `unknown field "http"`,
		`{"throttlePolicy":{"maxReceivesPerSecond":0}}`:                                        "maxReceivesPerSecond must be between 1 and",
		`{"requestPolicy":{"headerContentType":"a\r\nb"}}`:                                     "must be a media type",
		`{} {}`: "more behind it",
		`7`:     "cannot unmarshal",
	} {
		if err := checkSubscriptionPolicy(policy); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", policy, err, want)
		}
	}
	if err := checkTopicPolicy(`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":-1}}}`); err == nil {
		t.Error("a topic may have a throttle of less than nothing")
	}
}

func TestASubscriptionGoesBeforeItsTopicUnlessThatForbidsIt(t *testing.T) {
	topic := `{"http":{"defaultHealthyRetryPolicy":{"numRetries":7},"defaultThrottlePolicy":{"maxReceivesPerSecond":5},"defaultRequestPolicy":{"headerContentType":"application/json"}}}`
	own := `{"healthyRetryPolicy":{"numRetries":1}}`
	if p := effective(topic, own); p.Retry.Retries != 1 || p.Throttle.PerSecond != 5 || p.Request.ContentType != "application/json" {
		t.Errorf("%+v", p)
	}
	if p := effective(strings.Replace(topic, `"http":{`, `"http":{"disableSubscriptionOverrides":true,`, 1), own); p.Retry.Retries != 7 {
		t.Errorf("%+v", p.Retry)
	}
	const byDefault = `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,` +
		`"backoffFunction":"linear"},"sicklyRetryPolicy":null,"throttlePolicy":null,"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"},"guaranteed":false}`
	if got := effective("", "").text(); got != byDefault {
		t.Error(got)
	}
	const ofTopic = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,` +
		`"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,` +
		`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`
	if got := effectiveTopicPolicy(""); got != ofTopic {
		t.Error(got)
	}
}

func TestMailIsTriedAgainForSixHours(t *testing.T) {
	var all time.Duration
	for n := range mailRetry.Retries {
		all += mailRetry.delay(n)
	}
	if mailRetry.delay(0) != 10*time.Second || mailRetry.growing() != 10 || all < 6*time.Hour || all > 8*time.Hour {
		t.Errorf("first %s, all %s", mailRetry.delay(0), all)
	}
}
