package logs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/model/logsapi"
)

// maxFilters is how many subscription filters a group may have.
const maxFilters = 2

// A Filter has the events of a group that match its pattern handed to a function.
type Filter struct {
	config.Place
	Group        string
	Name         string
	Pattern      string
	Destination  string // ARN of a function
	Distribution string
	Created      time.Time
}

// Subscriptions are the subscription filters of every account.
type Subscriptions struct {
	log       *slog.Logger
	db        *db.DB
	jobs      *job.Queue
	functions *lambda.Service
	now       func() time.Time
}

// New returns the filters kept in d and registers the job that hands events over.
func New(log *slog.Logger, d *db.DB, jobs *job.Queue, functions *lambda.Service, now func() time.Time) *Subscriptions {
	s := &Subscriptions{log, d, jobs, functions, now}
	job.HandleTx(jobs, s.hand, job.Policy{})
	return s
}

// Put makes a filter, or changes the one of its name.
func (s *Subscriptions) Put(ctx context.Context, f Filter) error {
	if _, err := logs.ParsePattern(f.Pattern); err != nil {
		return logsapi.InvalidParameterException("Invalid filter pattern: %v", err)
	}
	if err := checkDestination(f); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "subscriptions "+groupARN(f.Place, f.Group)); err != nil {
			return err
		}
		if own, err := isOwn(ctx, tx, f.Place, f.Group, f.Destination); err != nil || own {
			return firstError(err, logsapi.InvalidParameterException("The log group provided is reserved for the function log of the destination function."))
		}
		if may, err := may(ctx, tx, f.Place, f.Group, f.Destination); err != nil || !may {
			return firstError(err, logsapi.InvalidParameterException(
				"Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."))
		}
		var others int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM log_subscriptions WHERE account = ? AND region = ? AND log_group = ? AND name <> ?`,
			f.Account, f.Region, f.Group, f.Name).Scan(&others)
		if err != nil {
			return fmt.Errorf("count subscription filters: %w", err)
		}
		if others >= maxFilters {
			return logsapi.LimitExceededException("Resource limit exceeded.")
		}
		_, err = tx.Exec(ctx, `INSERT INTO log_subscriptions (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (account, region, log_group, name) DO UPDATE SET pattern = excluded.pattern, destination = excluded.destination,
				distribution = excluded.distribution`,
			f.Account, f.Region, f.Group, f.Name, f.Pattern, f.Destination, f.Distribution, db.Micros(s.now()))
		return err
	})
}

func firstError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// checkDestination wants a function of the account.
func checkDestination(f Filter) error {
	a, err := arn.Parse(f.Destination)
	if err != nil || a.Service != "lambda" {
		return logsapi.InvalidParameterException("destinationArn %s is not one of a Lambda function: this server delivers to no other destination.", f.Destination)
	}
	if a.Account != f.Account {
		return model.AccessDeniedException("Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross account lambda triggers.")
	}
	return nil
}

// isOwn reports whether a function writes its log to a group: what it is told would
// make more to tell.
func isOwn(ctx context.Context, tx *db.Tx, p config.Place, group, functionARN string) (bool, error) {
	r, err := lambda.ParseARN(functionARN)
	if err != nil || r.Place != p {
		return false, nil
	}
	f, err := lambda.Find(ctx, tx, r)
	if model.IsCode(err, "ResourceNotFoundException") {
		return false, nil
	}
	return f.Log.Group == group, err
}

// may asks the function's policy.
func may(ctx context.Context, tx *db.Tx, p config.Place, group, functionARN string) (bool, error) {
	for _, service := range []string{"logs.amazonaws.com", "logs." + p.Region + ".amazonaws.com"} {
		may, err := lambda.MayInvoke(ctx, tx, functionARN, service, groupARN(p, group)+":*", p.Account)
		if err != nil || may {
			return may, err
		}
	}
	return false, nil
}

func groupARN(p config.Place, group string) string {
	return arn.New("logs", p.Region, p.Account, "log-group:"+group).String()
}

const columns = `account, region, log_group, name, pattern, destination, distribution, created`

// Filters returns filters of a group by name whose names begin with prefix, those after
// the given one.
func (s *Subscriptions) Filters(ctx context.Context, p config.Place, group, prefix, after string, limit int) (out []Filter, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out, err = filters(ctx, tx, p, group)
		return err
	})
	var found []Filter
	for _, f := range out {
		if strings.HasPrefix(f.Name, prefix) && f.Name > after && len(found) < limit {
			found = append(found, f)
		}
	}
	return found, err
}

// filters returns the filters of a group, which are few.
func filters(ctx context.Context, tx *db.Tx, p config.Place, group string) (out []Filter, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var f Filter
		var created int64
		err := scan(&f.Account, &f.Region, &f.Group, &f.Name, &f.Pattern, &f.Destination, &f.Distribution, &created)
		f.Created = db.Time(created)
		out = append(out, f)
		return err
	}, `SELECT `+columns+` FROM log_subscriptions WHERE account = ? AND region = ? AND log_group = ? ORDER BY name`, p.Account, p.Region, group)
	if err != nil {
		return nil, fmt.Errorf("read subscription filters of %s: %w", group, err)
	}
	return out, nil
}

// Delete removes a filter.
func (s *Subscriptions) Delete(ctx context.Context, p config.Place, group, name string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM log_subscriptions WHERE account = ? AND region = ? AND log_group = ? AND name = ?`, p.Account, p.Region, group, name)
		if err == nil && n == 0 {
			err = logsapi.ResourceNotFoundException("The specified subscription filter does not exist.")
		}
		return err
	})
}

// Deleted removes the filters of a group that is deleted.
func (s *Subscriptions) Deleted(ctx context.Context, tx *db.Tx, g logs.Group) error {
	_, err := tx.Exec(ctx, `DELETE FROM log_subscriptions WHERE account = ? AND region = ? AND log_group = ?`, g.Place.Account, g.Place.Region, g.Name)
	return err
}
