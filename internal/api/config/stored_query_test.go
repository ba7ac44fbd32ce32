package config_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func (a account) putQuery(q types.StoredQuery, tags ...types.Tag) (*configservice.PutStoredQueryOutput, error) {
	return a.aws.PutStoredQuery(a.t.Context(), &configservice.PutStoredQueryInput{StoredQuery: &q, Tags: tags})
}

func (a account) query(name string) types.StoredQuery {
	a.t.Helper()
	got, err := a.aws.GetStoredQuery(a.t.Context(), &configservice.GetStoredQueryInput{QueryName: &name})
	a.must(err)
	return *got.StoredQuery
}

func TestStoredQueriesAreKeptChangedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		put, err := a.putQuery(types.StoredQuery{QueryName: new("my_Query-1"), Expression: new("SELECT resourceId"), Description: new("all")}, types.Tag{Key: new("team"), Value: new("x")})
		a.must(err)
		if !regexp.MustCompile(`^arn:aws:config:` + p.Region() + `:` + p.Account() + `:stored-query/my_Query-1/query-[a-z0-9]{16}$`).MatchString(*put.QueryArn) {
			t.Errorf("the ARN is %s", *put.QueryArn)
		}
		first := a.query("my_Query-1")
		again, err := a.putQuery(types.StoredQuery{QueryName: new("my_Query-1"), Expression: new("this is not run"), QueryId: first.QueryId, QueryArn: first.QueryArn}, types.Tag{Key: new("other"), Value: new("y")})
		a.must(err)
		a.equal(*again.QueryArn, *put.QueryArn)
		p.Restart(t)
		a = open(t, p)
		got := a.query("my_Query-1")
		a.equal(fmt.Sprint(*got.QueryId, *got.QueryArn, *got.QueryName, *got.Description, *got.Expression),
			fmt.Sprint(*first.QueryId, *put.QueryArn, "my_Query-1", "all", "this is not run"))
		tags, err := a.aws.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: put.QueryArn})
		a.must(err)
		a.equal(fmt.Sprint(len(tags.Tags), *tags.Tags[0].Key), "1team") // tags of a second put are left alone
		_, err = a.aws.TagResource(ctx, &configservice.TagResourceInput{ResourceArn: put.QueryArn, Tags: []types.Tag{{Key: new("more"), Value: new("z")}}})
		a.must(err)
		_, err = a.aws.DeleteStoredQuery(ctx, &configservice.DeleteStoredQueryInput{QueryName: new("my_Query-1")})
		a.must(err)
		_, err = a.aws.GetStoredQuery(ctx, &configservice.GetStoredQueryInput{QueryName: new("my_Query-1")})
		a.refused(err, "ResourceNotFoundException", "my_Query-1")
		_, err = a.aws.DeleteStoredQuery(ctx, &configservice.DeleteStoredQueryInput{QueryName: new("my_Query-1")})
		a.refused(err, "ResourceNotFoundException", "my_Query-1")
		_, err = a.aws.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: put.QueryArn})
		a.refused(err, "ResourceNotFoundException", *put.QueryArn)
	})
}

func TestStoredQueriesHaveBounds(t *testing.T) {
	p := apptest.Start(t)
	a := open(t, p)
	long := strings.Repeat("n", 64)
	_, err := a.putQuery(types.StoredQuery{QueryName: &long, Expression: new(strings.Repeat("x", 4096)), Description: new(strings.Repeat("d", 256))})
	a.must(err)
	_, err = a.putQuery(types.StoredQuery{QueryName: &long})
	a.must(err) // an update may leave out what stays
	a.equal(len(*a.query(long).Expression), 4096)
	for want, q := range map[string]types.StoredQuery{
		"length less than or equal to 64":   {QueryName: new(long + "n"), Expression: new("x")},
		"regular expression pattern":        {QueryName: new("a b"), Expression: new("x")},
		"length less than or equal to 4096": {QueryName: new("a"), Expression: new(strings.Repeat("x", 4097))},
		"length less than or equal to 256":  {QueryName: new("a"), Expression: new("x"), Description: new(strings.Repeat("d", 257))},
		"length greater than or equal to 1": {QueryName: new("a"), Expression: new("")},
		"has no expression":                 {QueryName: new("a")},
		"given its id":                      {QueryName: new("a"), Expression: new("x"), QueryId: new("query-0123456789abcdef")},
		"another id":                        {QueryName: &long, Expression: new("x"), QueryId: new("query-0123456789abcdef")},
	} {
		_, err := a.putQuery(q)
		a.refused(err, "ValidationException", want)
	}
	_, err = a.putQuery(types.StoredQuery{QueryName: new("a"), Expression: new("x")}, types.Tag{Key: new("aws:x"), Value: new("")})
	a.refused(err, "ValidationException", "reserved")
	_, err = a.aws.ListStoredQueries(t.Context(), &configservice.ListStoredQueriesInput{MaxResults: new(int32(101))})
	a.refused(err, "ValidationException", "100")
	_, err = a.aws.ListStoredQueries(t.Context(), &configservice.ListStoredQueriesInput{NextToken: new("garbage")})
	a.refused(err, "InvalidNextTokenException", "invalid")
}

func TestStoredQueriesAreListedUpToTheirQuota(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		var putting sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for n := range 4 { // at once
			putting.Go(func() {
				for i := range 76 {
					_, err := a.putQuery(types.StoredQuery{QueryName: new(fmt.Sprintf("q-%d-%02d", n, i)), Expression: new("x")})
					if err != nil && strings.Contains(err.Error(), "300 stored queries") {
						mu.Lock()
						refused++
						mu.Unlock()
					} else if err != nil {
						t.Error(err)
					}
				}
			})
		}
		putting.Wait()
		a.equal(refused, 4)
		var names []string
		for token := ""; ; {
			page, err := a.aws.ListStoredQueries(t.Context(), &configservice.ListStoredQueriesInput{NextToken: &token, MaxResults: new(int32(70))})
			a.must(err)
			for _, q := range page.StoredQueryMetadata {
				names = append(names, *q.QueryName)
			}
			if page.NextToken == nil {
				break
			}
			token = *page.NextToken
		}
		a.equal(len(names), 300)
		other := open(t, p.As("210987654321", p.Region()))
		list, err := other.aws.ListStoredQueries(t.Context(), &configservice.ListStoredQueriesInput{})
		a.must(err)
		a.equal(len(list.StoredQueryMetadata), 0)
	})
}
