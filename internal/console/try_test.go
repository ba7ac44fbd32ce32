package console_test

import (
	"net/url"
	"testing"

	"plumb/internal/apptest"
)

func TestAChangeIsTriedOnHistoryAndNothingIsWritten(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		b := newBrowser(t, p)
		story(t, p) // a bucket whose versioning was suspended
		b.page("rule?name=buckets-versioned").has(t, "try?", "Try a change on history")
		b.page("try?name=buckets-versioned").has(t, "Parameters, as JSON", "Nothing is written")
		b.page("try?name=buckets-versioned&since=24h").has(t, "it would decide otherwise on 0", "It would decide nothing otherwise")
		mfa := url.QueryEscape(`{"isMfaDeleteEnabled": "true"}`)
		b.page("try?name=buckets-versioned&since=24h&parameters="+mfa).has(t, "it would decide otherwise on 1", ">reports</a>")
		b.page("try?name=buckets-versioned&since=now&parameters="+mfa).has(t, "it would decide otherwise on 0")
		b.page("try?name=buckets-versioned&since=24h&parameters=%7B").has(t, "The parameters are no JSON object")
		b.page("wrong?rule=buckets-versioned").has(t, ">reports</a>")
	}, withConsole)
}
