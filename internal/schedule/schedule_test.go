package schedule_test

import (
	"testing"
	"time"

	"plumb/internal/schedule"
)

const layout = "Mon 2006-01-02 15:04:05"

func TestExpressionsAreDueWhenTheySay(t *testing.T) {
	for _, c := range []struct {
		expression, after string
		want              []string
	}{
		{"rate(5 minutes)", "Sun 2026-03-01 10:07:30", []string{"Sun 2026-03-01 10:10:30", "Sun 2026-03-01 10:15:30"}},
		{"rate(1 minute)", "Sun 2026-03-01 10:00:30", []string{"Sun 2026-03-01 10:01:30"}},
		{"rate(2 days)", "Sun 2026-03-01 09:00:00", []string{"Tue 2026-03-03 10:00:30", "Thu 2026-03-05 10:00:30"}},
		{"at(2026-03-02T12:30:15)", "Sun 2026-03-01 10:00:00", []string{"Mon 2026-03-02 12:30:15"}},
		{"at(2026-03-02T12:30:15)", "Mon 2026-03-02 12:30:15", nil},
		{"cron(0 10 * * ? *)", "Sun 2026-03-01 10:00:00", []string{"Mon 2026-03-02 10:00:00", "Tue 2026-03-03 10:00:00"}},
		{"cron(0 10 * * ? *)", "Sun 2026-03-01 09:59:59", []string{"Sun 2026-03-01 10:00:00"}},
		{"cron(0 18 ? * MON-FRI *)", "Fri 2026-03-06 18:00:00", []string{"Mon 2026-03-09 18:00:00"}},
		{"cron(0 8 1 * ? *)", "Sun 2026-03-01 10:00:00", []string{"Wed 2026-04-01 08:00:00", "Fri 2026-05-01 08:00:00"}},
		{"cron(0/15 * * * ? *)", "Sun 2026-03-01 10:44:59", []string{"Sun 2026-03-01 10:45:00", "Sun 2026-03-01 11:00:00"}},
		{"cron(*/25 9-10 ? * 1 *)", "Sun 2026-03-01 10:25:00", []string{"Sun 2026-03-01 10:50:00", "Sun 2026-03-08 09:00:00"}},
		{"cron(1-31/30 1-1 ? * 1,7 *)", "Sun 2026-03-01 10:00:00", []string{"Sat 2026-03-07 01:01:00", "Sat 2026-03-07 01:31:00"}},
		{"cron(0 0 L * ? *)", "Sun 2028-02-01 00:00:00", []string{"Tue 2028-02-29 00:00:00", "Fri 2028-03-31 00:00:00"}},
		{"cron(0 0 LW * ? *)", "Sun 2026-05-02 00:00:00", []string{"Fri 2026-05-29 00:00:00"}},
		{"cron(0 0 1W * ? *)", "Sun 2026-07-20 00:00:00", []string{"Mon 2026-08-03 00:00:00"}}, // the 1st is a Saturday
		{"cron(0 0 15W * ? *)", "Sun 2026-08-01 00:00:00", []string{"Fri 2026-08-14 00:00:00"}},
		{"cron(0 0 31W * ? *)", "Sun 2026-05-01 00:00:00", []string{"Fri 2026-05-29 00:00:00", "Fri 2026-07-31 00:00:00"}},
		{"cron(15 10 ? * 6L *)", "Sun 2026-03-01 00:00:00", []string{"Fri 2026-03-27 10:15:00", "Fri 2026-04-24 10:15:00"}},
		{"cron(0 2 ? * SAT#3 *)", "Sun 2026-03-01 00:00:00", []string{"Sat 2026-03-21 02:00:00", "Sat 2026-04-18 02:00:00"}},
		{"cron(0 2 ? * 2#5 *)", "Sun 2026-04-01 00:00:00", []string{"Mon 2026-06-29 02:00:00"}},
		{"cron(0 2 ? * L *)", "Sun 2026-03-01 00:00:00", []string{"Sat 2026-03-07 02:00:00"}},
		{"cron(0 22-1 1 jan,DEC ? *)", "Sun 2026-11-30 00:00:00", []string{"Tue 2026-12-01 00:00:00", "Tue 2026-12-01 01:00:00", "Tue 2026-12-01 22:00:00"}},
		{"cron(0 0 ? * FRI-MON *)", "Mon 2026-03-02 00:00:00", []string{"Fri 2026-03-06 00:00:00", "Sat 2026-03-07 00:00:00"}},
		{"cron(0 0 29 2 ? 2026-2030)", "Sun 2026-03-01 00:00:00", []string{"Tue 2028-02-29 00:00:00"}},
		{"cron(0 0 1 1 ? 2030/10)", "Sun 2026-03-01 00:00:00", []string{"Tue 2030-01-01 00:00:00", "Sun 2040-01-01 00:00:00"}},
		{"cron(0/5 5 ? JAN 1-5 2022)", "Sun 2026-03-01 00:00:00", nil},
		{"cron(0 0 30 2 ? *)", "Sun 2026-03-01 00:00:00", nil},
	} {
		e, err := schedule.Parse(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		at, _ := time.Parse(layout, c.after)
		from := time.Date(2026, 3, 1, 10, 0, 30, 0, time.UTC)
		for _, want := range c.want {
			next, ok := e.Next(at, from, time.UTC)
			if got := next.Format(layout); !ok || got != want {
				t.Errorf("%s: got %s, want %s", c.expression, got, want)
			}
			at = next
		}
		if next, ok := e.Next(at, from, time.UTC); ok && c.want == nil {
			t.Errorf("%s: due at %s, want never", c.expression, next)
		}
	}
}

func TestRateCountsFromItsBeginning(t *testing.T) {
	e, err := schedule.Parse("rate(1 hour)")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 1, 10, 0, 30, 0, time.UTC)
	if next, _ := e.Next(from.Add(-time.Minute), from, time.UTC); !next.Equal(from.Add(time.Hour)) {
		t.Errorf("before its beginning the next is %s", next)
	}
	if next, _ := e.Next(from, from, time.UTC); !next.Equal(from.Add(time.Hour)) {
		t.Errorf("at its beginning the next is %s", next)
	}
}

func TestClockThatIsTurnedLeavesOutAndRepeats(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ expression, after, want string }{
		{"cron(30 2 * * ? *)", "2026-03-28T12:00:00Z", "2026-03-30T02:30:00+02:00"}, // no 2:30 on the 29th
		{"cron(30 2 * * ? *)", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00"}, // the first of two
		{"cron(30 2 * * ? *)", "2026-10-25T00:30:00Z", "2026-10-26T02:30:00+01:00"}, // not the second
		{"cron(0 12 * * ? *)", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00+02:00"}, // the same on the clock
		{"at(2026-07-01T12:00:00)", "2026-03-28T12:00:00Z", "2026-07-01T12:00:00+02:00"},
	} {
		e, err := schedule.Parse(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := time.Parse(time.RFC3339, c.after)
		if next, _ := e.Next(after, after, zone); next.Format(time.RFC3339) != c.want {
			t.Errorf("%s after %s: got %s, want %s", c.expression, c.after, next.Format(time.RFC3339), c.want)
		}
	}
}

func TestExpressionsThatCannotBeReadAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "rate", "rate()", "rate(10)", "rate(10 seconds)", "rate(10 years)", "rate(10 minutess)", "rate(x minutes)",
		"rate(0 minutes)", "rate(-10 minutes)", "rate(10 MINUTES)", "rate( 10 minutes )", " rate(10 minutes)", "rate(10 minutes) ",
		"rate(1.5 hours)", "rate(999999999 days)", "every(1 day)",
		"at(2026-12-31)", "at(2026-12-31T23:59:59Z)", "at(2026-02-30T00:00:00)", "at(2026-12-31T23:59:59.5)",
		"cron()", "cron(x)", "cron(0 10 * * ?)", "cron(0 10 * * ? * *)", "cron(0 1 * * * *)", "cron(0 1 ? * ? *)",
		"cron(60 1 * * ? *)", "cron(0 24 * * ? *)", "cron(0 1 0 * ? *)", "cron(0 1 32 * ? *)", "cron(0 1 * 13 ? *)",
		"cron(0 1 ? * 8 *)", "cron(0 1 ? * 0 *)", "cron(0 1 ? * NOT *)", "cron(0 1 * * ? 1969)", "cron(0 1 * * ? 2200)",
		"cron(0/0 1 * * ? *)", "cron(0/60 1 * * ? *)", "cron(, 1 * * ? *)", "cron(5- 1 * * ? *)", "cron(+5 1 * * ? *)",
		"cron(0 1 ? * MON#6 *)", "cron(0 1 ? * #2 *)", "cron(0 1 W * ? *)", "cron(0 1 32W * ? *)", "cron(0 1 * * ? 2030-2026)",
		"cron(? 1 * * ? *)", "cron(0 1 * ? ? *)",
	} {
		if _, err := schedule.Parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestRateTellsWhetherItsUnitAgrees(t *testing.T) {
	for text, want := range map[string]bool{
		"rate(1 minute)": true, "rate(2 minutes)": true, "rate(1 minutes)": false, "rate(2 hour)": false, "cron(0 1 * * ? *)": true,
	} {
		e, err := schedule.Parse(text)
		if err != nil || e.Agrees() != want {
			t.Errorf("%s: %t, %v", text, e.Agrees(), err)
		}
	}
}

// FuzzSchedule wants times that lie ahead, and an end of the search for them.
func FuzzSchedule(f *testing.F) {
	for _, text := range []string{"rate(5 minutes)", "cron(0 18 ? * MON-FRI *)", "cron(0 0 30 2 ? *)", "at(2026-01-01T00:00:00)",
		"cron(0 0 LW 2/3 ? 2000/7)", "cron(* * ? * 6#5 *)"} {
		f.Add(text, int64(1_700_000_000))
	}
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, second int64) {
		e, err := schedule.Parse(text)
		if err != nil {
			return
		}
		after := time.Unix(second%7_000_000_000, 0)
		if next, ok := e.Next(after, time.Unix(0, 0), zone); ok && !next.After(after) {
			t.Errorf("%s after %s is due at %s", text, after, next)
		}
	})
}
