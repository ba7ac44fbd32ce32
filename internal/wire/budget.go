package wire

import "sync/atomic"

// A budget is memory that requests share for their bodies. Nobody waits for it: who finds none is told to come again, which
// clients do by themselves.
type budget struct {
	most int64
	used atomic.Int64
}

// take takes n bytes, unless there are not as many. One request alone may take more than there is.
func (b *budget) take(n int64) bool {
	if used := b.used.Add(n); used > b.most && used > n {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.used.Add(-n) }
