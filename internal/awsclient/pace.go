package awsclient

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// A pace is how fast a service is called. Nothing bounds it until the service throttles a
// request. Then it is what was measured, less a part; it grows while the service answers,
// and is unbounded again after a long time without throttling.
type pace struct {
	mu     sync.Mutex
	rate   float64 // requests a second; 0: unbounded
	tokens float64
	filled time.Time // when tokens were last counted
	cut    time.Time // when the rate was last lowered
	grown  time.Time // when it was last raised

	second     time.Time // the second that is being counted
	sent, last int       // requests in it, and in the one before it
}

const (
	paceFloor  = 5.0             // requests a second, however often a service throttles
	paceCut    = 0.7             // of the rate that was throttled
	paceEvery  = time.Second     // between two cuts: requests under way are throttled together
	paceGrowth = 0.05            // of the rate, each second
	paceFree   = 5 * time.Minute // without throttling, until the rate is unbounded
)

// take counts a request, and returns how long it has to wait.
func (p *pace) take(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.second) >= time.Second {
		p.last = 0
		if now.Sub(p.second) < 2*time.Second {
			p.last = p.sent
		}
		p.second, p.sent = now, 0
	}
	p.sent++
	if p.rate == 0 {
		return 0
	}
	p.tokens = min(1, p.tokens+p.rate*now.Sub(p.filled).Seconds())
	p.filled = now
	p.tokens--
	if p.tokens >= 0 {
		return 0
	}
	return time.Duration(-p.tokens / p.rate * float64(time.Second))
}

// giveBack takes back a request that was counted and not sent.
func (p *pace) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens++
}

// answered learns from how a request ended.
func (p *pace) answered(now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case isThrottle(err):
		if now.Sub(p.cut) < paceEvery {
			return
		}
		if p.rate == 0 {
			p.rate, p.tokens, p.filled = float64(max(p.sent, p.last)), 0, now
		}
		p.rate = max(paceFloor, paceCut*p.rate)
		p.cut, p.grown = now, now
	case p.rate == 0:
	case now.Sub(p.cut) >= paceFree:
		p.rate = 0
	case err == nil:
		p.rate *= 1 + paceGrowth*max(0, min(1, now.Sub(p.grown).Seconds()))
		p.grown = now
	}
}

func isThrottle(err error) bool {
	return err != nil && retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
}

// paceOf returns the pace of a service's requests.
func (c *Client) paceOf(service string) *pace {
	p, ok := c.paces.Load(service)
	if !ok {
		p, _ = c.paces.LoadOrStore(service, &pace{})
	}
	return p.(*pace)
}
