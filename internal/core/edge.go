package core

import (
	"net/http"

	"plumb/internal/outside"
	"plumb/internal/source/cloudfront"
)

// addEdge makes the distributions, and what answers requests for them. client reaches
// origins, whose addresses users name.
func (m *Machine) addEdge(client *http.Client) {
	m.Distributions = cloudfront.New(m.DB, m.Clock.Now)
	m.Edge = cloudfront.NewProxy(m.log, m.Distributions, m.Functions, cloudfront.Options{
		Client: client, Object: outside.NewBuckets(m.Outside, m.Buckets).Origin,
	})
}
