package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// An act does one round of work and says how many things it did.
type act func(ctx context.Context) (things int, err error)

// A race is what two contenders reached.
type race struct {
	ours, floor float64 // things a second, median of the rounds
	ratio       float64 // median of the rounds' ratios
	cpu         float64 // the same of the processor time of this process, which a busy machine distorts less
}

// compare has ours and its floor take turns, so that whatever else the machine
// does meets both. A first, uncounted round warms both up.
func (b *bench) compare(ctx context.Context, ours, floor act) (race, error) {
	var o, f, r, c []float64
	for round := range b.rounds + 1 {
		x, xc, err := rate(ctx, b.turn, ours)
		if err != nil {
			return race{}, err
		}
		y, yc, err := rate(ctx, b.turn, floor)
		if err != nil {
			return race{}, err
		}
		if round > 0 {
			o, f, r, c = append(o, x), append(f, y), append(r, x/y), append(c, yc/xc)
		}
	}
	return race{quantile(o, 0.5), quantile(f, 0.5), quantile(r, 0.5), quantile(c, 0.5)}, nil
}

// rate repeats an act for a turn, and also says how much processor time a thing
// took.
func rate(ctx context.Context, turn time.Duration, a act) (perSecond, cpu float64, err error) {
	things, start, used := 0, time.Now(), processorTime()
	for time.Since(start) < turn {
		n, err := a(ctx)
		if err != nil {
			return 0, 0, err
		}
		things += n
	}
	return float64(things) / time.Since(start).Seconds(), (processorTime() - used).Seconds() / float64(things), nil
}

// spent is what something took: time, and processor time of this process.
type spent struct{ wall, cpu time.Duration }

// startWatch begins to measure and returns what says how much it was by then.
func startWatch() func() spent {
	began, used := time.Now(), processorTime()
	return func() spent { return spent{time.Since(began), processorTime() - used} }
}

func (s spent) plus(t spent) spent { return spent{s.wall + t.wall, s.cpu + t.cpu} }

// each is what one of so many things took.
func (s spent) each(things float64) spent {
	return spent{time.Duration(float64(s.wall) / things), time.Duration(float64(s.cpu) / things)}
}

// race compares what things took with what each of them takes the floor. It is for what
// runs once.
func (s spent) race(things float64, floor spent) race {
	ours := s.each(things)
	return race{1 / ours.wall.Seconds(), 1 / floor.wall.Seconds(), floor.wall.Seconds() / ours.wall.Seconds(), floor.cpu.Seconds() / ours.cpu.Seconds()}
}

// times counts n things for each that an act did.
func times(n int, a act) act {
	return func(ctx context.Context) (int, error) {
		things, err := a(ctx)
		return n * things, err
	}
}

// together makes an act of many at once: n clients share calls until all are
// done.
func together(n int, one func(ctx context.Context) error) act {
	calls := 5 * n
	return func(ctx context.Context) (int, error) {
		var left atomic.Int64
		var wg sync.WaitGroup
		left.Store(int64(calls))
		errs := make(chan error, n)
		for range n {
			wg.Go(func() {
				for left.Add(-1) >= 0 {
					if err := one(ctx); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		select {
		case err := <-errs:
			return 0, err
		default:
			return calls, nil
		}
	}
}

// quantile returns the value below which a share q of the values lies.
func quantile[T float64 | time.Duration](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
