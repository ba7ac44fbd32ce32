package awsclient

import (
	"errors"
	"testing"
	"time"
)

func TestAServiceThatThrottlesIsCalledMoreSlowly(t *testing.T) {
	p, now := &pace{}, time.Unix(1_800_000_000, 0)
	second := func(throttled error) (sent int) { // as many requests as go in a second, 100 at most
		end := now.Add(time.Second)
		for range 100 {
			wait := p.take(now)
			if now = now.Add(max(wait, 10*time.Millisecond)); now.After(end) {
				break
			}
			p.answered(now, throttled)
			sent++
		}
		now = end
		return sent
	}
	if n := second(nil); n != 100 {
		t.Errorf("%d requests before any was throttled", n)
	}
	p.answered(now, errors.New("something else"))
	p.answered(now, &Error{Code: "AccessDenied", Status: 403})
	if n := second(nil); n != 100 {
		t.Errorf("%d requests after other errors", n)
	}
	throttled := &Error{Code: "ThrottlingException", Status: 400}
	for range 20 { // of requests under way at once: one cut
		p.answered(now, throttled)
	}
	if n := second(nil); n < 60 || n > 80 {
		t.Errorf("%d requests after 100 were too many", n)
	}
	for range 20 {
		second(throttled)
	}
	if n := second(nil); n < 3 || n > 7 {
		t.Errorf("%d requests of a service that throttles all", n)
	}
	for range 60 {
		second(nil)
	}
	if n := second(nil); n < 50 {
		t.Errorf("%d requests after a minute without throttling", n)
	}
	now = now.Add(paceFree)
	p.answered(now, nil)
	if p.rate != 0 {
		t.Errorf("bounded to %v a second after five minutes without throttling", p.rate)
	}
}

func TestEachServiceHasAPaceOfItsOwn(t *testing.T) {
	c := New(Options{})
	ec2 := c.paceOf("ec2")
	if ec2 == c.paceOf("iam") || ec2 != c.paceOf("ec2") {
		t.Error("paces are shared")
	}
}
