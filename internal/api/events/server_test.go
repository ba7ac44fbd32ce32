package events_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"plumb/internal/apptest"
	"plumb/internal/db/dbtest"
	"plumb/internal/settings"
)

func TestOfTwoServersOneFires(t *testing.T) {
	database := dbtest.PostgresURL(t)
	server := func(name string) *apptest.Plumb {
		return apptest.Start(t, func(s *settings.Settings) { s.Database, s.Host = database, name })
	}
	one, other := setUp(t, server("one")), setUp(t, server("other"))
	url, arn := one.queue("inbox")
	const rules = 20
	for i := range rules {
		name := string(rune('a' + i))
		_, err := one.EventBridge().PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, ScheduleExpression: aws.String("rate(1 minute)")})
		one.must(err)
		_, err = one.EventBridge().PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: []types.Target{{Id: aws.String("q"), Arn: &arn}}})
		one.must(err)
	}
	for minute := 1; minute <= 3; minute++ {
		one.Clock().Freeze(noon.Add(time.Duration(minute) * time.Minute))
		other.Clock().Freeze(noon.Add(time.Duration(minute) * time.Minute))
		drained := make(chan bool)
		go func() { other.Drain(t); close(drained) }()
		one.Drain(t)
		<-drained
		if got, _ := one.received(url); len(got) != rules {
			t.Errorf("minute %d: %d events, want %d", minute, len(got), rules)
		}
	}
}
