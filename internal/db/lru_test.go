package db

import (
	"fmt"
	"strings"
	"testing"
)

func TestCacheKeepsWhatIsUsedAndStaysSmall(t *testing.T) {
	c := newLRU[int](1000)
	c.put("used", 7)
	for i := range 1000 {
		c.put(fmt.Sprintf("%010d", i), i)
		if v, ok := c.get("used"); !ok || v != 7 {
			t.Fatalf("after %d others the used one was %d, %v", i, v, ok)
		}
		if c.used > c.size {
			t.Fatalf("%d bytes are kept, at most %d may be", c.used, c.size)
		}
	}
	if n := len(c.known); n < 90 || n != c.order.Len() {
		t.Errorf("%d known, %d in order", n, c.order.Len())
	}
	c.put(strings.Repeat("x", 500), 1)
	if n := len(c.known); n < 90 {
		t.Errorf("one large text left %d others", n)
	}
}
